"""Everything `signalbox migrate` does, in order, as often as one likes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from libs.chassis.migrations import migrate, versions_folder
from signalbox.provisioning.broker import administrator, prepare_durables, prepare_streams, when_ready
from signalbox.provisioning.database import prepare_schemas
from signalbox.provisioning.durables import durables
from signalbox.services import Hears

Report = Callable[[str], None]
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are and who may administer them.

    `postgres_passwords`: the password of each service's role. `nats_replicas`: on how many servers a stream is kept.
    `patience`: how long, in seconds, a server may take to become ready.
    """

    postgres_url: str = field(repr=False)
    postgres_passwords: Mapping[str, str] = field(repr=False)
    nats_url: str
    nats_user: str
    nats_password: str = field(repr=False)
    nats_replicas: int = 1
    patience: float = PATIENCE_SECONDS


async def provision(
    servers: Servers,
    hears: Hears,
    shards: int,
    *,
    versions: Callable[[str], Path] = versions_folder,
    report: Report = lambda _: None,
) -> None:
    """Roles, schemas and migrations, then streams, consumers and the bucket, for the services named in `hears`.

    `shards`: how many shards each service has, a divisor of 16. `versions`: where a service's migrations are. `report`
    gets one line a step.
    """
    await provision_database(servers, hears, versions=versions, report=report)
    await provision_broker(servers, hears, shards, report=report)


async def provision_database(
    servers: Servers,
    hears: Hears,
    *,
    versions: Callable[[str], Path] = versions_folder,
    report: Report = lambda _: None,
) -> None:
    """The part in PostgreSQL."""
    passwords = {service: servers.postgres_passwords[service] for service in hears}
    await prepare_schemas(servers.postgres_url, passwords, servers.patience)
    report(f"roles and schemas: {', '.join(hears)}")
    for service in hears:
        await migrate(servers.postgres_url, service, versions(service))
        report(f"migrated: {service}")


async def provision_broker(servers: Servers, hears: Hears, shards: int, *, report: Report = lambda _: None) -> None:
    """The part in NATS."""

    async def step() -> None:
        async with administrator(servers.nats_url, servers.nats_user, servers.nats_password) as client:
            jetstream = client.jetstream()
            await prepare_streams(jetstream, servers.nats_replicas)
            for service, events in hears.items():
                changes = await prepare_durables(jetstream, service, durables(service, events, shards))
                report(f"consumers of {service}: {', '.join(changes) or 'as they were'}")

    await when_ready(step, servers.patience)
