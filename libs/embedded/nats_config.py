"""The configuration of nats-server, from a typed description."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from libs.embedded.ports import LOOPBACK

MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
SYNC_INTERVAL = "200ms"
REPLIES = {"max": 1, "expires": "30s"}
NOTHING = {"deny": [">"]}


@dataclass(frozen=True, slots=True)
class NatsUser:
    """One user and its rights: subjects it may publish and subscribe to, wildcards included.

    None is everything, an empty tuple is nothing. `allow_responses` adds one reply, within 30 s, to each message it
    receives.
    """

    name: str
    publish: tuple[str, ...] | None = None
    subscribe: tuple[str, ...] | None = None
    allow_responses: bool = False


@dataclass(frozen=True, slots=True)
class NatsConfig:
    """One server with JetStream on the loopback interface.

    JetStream flushes to disk every 200 ms: PostgreSQL is the record, and what a crashed broker forgot is repaired.
    """

    server_name: str
    port: int
    monitoring_port: int
    store: Path
    pid_file: Path
    users: Sequence[NatsUser]
    passwords: Mapping[str, str]

    def render(self) -> str:
        """The text of the file; nats-server reads JSON."""
        return json.dumps(self._document(), indent=2) + "\n"

    def _document(self) -> dict[str, object]:
        return {
            "server_name": self.server_name,
            "listen": f"{LOOPBACK}:{self.port}",
            "http": f"{LOOPBACK}:{self.monitoring_port}",
            "pid_file": str(self.pid_file),
            "max_payload": MAX_PAYLOAD_BYTES,
            "jetstream": {"store_dir": str(self.store), "sync_interval": SYNC_INTERVAL},
            "authorization": authorization(self.users, self.passwords),
        }


def authorization(users: Sequence[NatsUser], passwords: Mapping[str, str]) -> dict[str, object]:
    """The block `authorization` of a configuration, for these users and nobody else."""
    return {"users": [_entry(user, passwords[user.name]) for user in users]}


def _entry(user: NatsUser, password: str) -> dict[str, object]:
    entry: dict[str, object] = {"user": user.name, "password": password}
    permissions: dict[str, object] = {}
    if user.publish is not None:
        permissions["publish"] = _allowed(user.publish)
    if user.subscribe is not None:
        permissions["subscribe"] = _allowed(user.subscribe)
    if user.allow_responses:
        permissions["allow_responses"] = REPLIES
    return entry | ({"permissions": permissions} if permissions else {})


def _allowed(subjects: tuple[str, ...]) -> dict[str, list[str]]:
    # an empty list of allowed subjects would mean no restriction at all
    return {"allow": list(subjects)} if subjects else NOTHING
