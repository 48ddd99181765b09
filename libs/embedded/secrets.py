"""The passwords and keys of one embedded stack: random, made once, stable over restarts."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from libs.embedded.errors import CannotRun
from libs.embedded.private_file import read_private, write_private


class Secrets:
    """The file `secrets.json` (mode 0600): one random value of 256 bits, URL-safe, for each name.

    A value is made when its name is first asked for and never changes afterwards. Several processes may ask at
    once: they get the same value.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def postgres_password(self, role: str) -> str:
        """The password of a PostgreSQL role; the superuser is the role `postgres`."""
        return self.value(f"postgres/{role}")

    def nats_password(self, user: str) -> str:
        """The password of a NATS user."""
        return self.value(f"nats/{user}")

    def token_signing_key(self) -> str:
        """The key that signs API tokens (HMAC, shared by all services)."""
        return self.value("token-signing")

    def hmac_key(self, purpose: str) -> str:
        """A key for one purpose: `message-id`, `attachment-url`, … Purposes never share a key."""
        return self.value(f"hmac/{purpose}")

    def value(self, name: str) -> str:
        """The secret called `name`."""
        return self._stored().get(name) or self._make(name)

    def _make(self, name: str) -> str:
        with _held(self.path.parent):
            stored = self._stored()
            if name not in stored:
                stored[name] = secrets.token_urlsafe(32)
                write_private(self.path, json.dumps(stored, indent=2, sort_keys=True) + "\n")
            return stored[name]

    def _stored(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        try:
            stored = json.loads(read_private(self.path))
        except ValueError as error:
            raise CannotRun(f"{self.path} is not JSON: {error}") from error
        if not isinstance(stored, dict) or not all(isinstance(value, str) and value for value in stored.values()):
            raise CannotRun(f"{self.path} must be one JSON object of names and non-empty texts")
        return stored


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other writers out for a moment; the lock sits on the folder itself and ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
