"""The naive variant as the system under test: the same servers with the same settings, its own five processes."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from benchmarks.naive.role import CONFIGURATION, NATS, POSTGRES
from benchmarks.pipeline.machine import Cores, children_on
from benchmarks.pipeline.system import COMMIT_TIMES, SERVICES, System
from benchmarks.pipeline.wait import until_subscribed
from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_config import NatsUser
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.process import tied_to_parent
from libs.embedded.server import start_both_async, stop_both
from signalbox.provisioning.broker import administrator, prepare_streams

ROOT = Path(__file__).parents[2]
USER = "admin"
SUBSCRIPTIONS = {"CONVERSATIONS": 1, "FACTS": 15}
STOP_SECONDS = 20.0
COUNTED = """
SELECT subject, max(pg_xact_commit_timestamp(xmin)) AS counted_at FROM reporting.heard GROUP BY subject
"""


@asynccontextmanager
async def naive_up(path: Path, configuration: Path, cores: Cores) -> AsyncIterator[System]:
    """Servers, streams, schemas and the five processes."""
    with DataFolder.claim(path) as folder:
        nats = NatsServer(folder, [NatsUser(USER)])
        postgres = PostgresServer(folder, settings=COMMIT_TIMES)
        try:
            with children_on(cores.system, cores.load):
                await start_both_async(nats, postgres)
                await _prepare(nats, postgres)
                roles = _roles(folder, nats, postgres, configuration)
                processes = roles.__enter__()
            try:
                await until_subscribed(nats.url_of(USER), SUBSCRIPTIONS)
                yield _system(nats, postgres, processes)
            finally:
                roles.__exit__(None, None, None)
        finally:
            stop_both(nats, postgres)


async def _prepare(nats: NatsServer, postgres: PostgresServer) -> None:
    async with administrator(nats.url, USER, nats.folder.secrets.nats_password(USER)) as client:
        await prepare_streams(client.jetstream())
    connection = await asyncpg.connect(postgres.url_of("postgres"))
    for service in SERVICES:
        await connection.execute(f"CREATE SCHEMA {service}")
    await connection.close()


@contextmanager
def _roles(
    folder: DataFolder, nats: NatsServer, postgres: PostgresServer, configuration: Path
) -> Iterator[Mapping[str, int]]:
    environment = {
        **os.environ,
        NATS: nats.url_of(USER),
        POSTGRES: postgres.url_of("postgres"),
        CONFIGURATION: str(configuration),
    }
    children = {name: _launched(name, folder.logs / f"{name}.log", environment) for name in SERVICES}
    try:
        yield {name: child.pid for name, child in children.items()}
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait(STOP_SECONDS)


def _launched(name: str, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.naive.run", name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=dict(environment),
            preexec_fn=tied_to_parent(signal.SIGKILL),
        )


def _system(nats: NatsServer, postgres: PostgresServer, roles: Mapping[str, int]) -> System:
    return System(
        name="naive",
        processes={**roles, "nats": nats.pid, "postgres": postgres.pid},
        admin=nats.url_of(USER),
        source=nats.url_of(USER),
        postgres=postgres.url_of("postgres"),
        counted=COUNTED,
    )
