"""Signalbox itself as the system under test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.pipeline.machine import Cores, children_on
from benchmarks.pipeline.system import COMMIT_TIMES, SERVICES, System
from benchmarks.pipeline.traffic import SOURCE
from libs.chassis.clock import real_now
from libs.chassis.tokens import Role, Tokens
from signalbox.provisioning.permissions import ADMIN
from signalbox.stack.stack import Stack, StackOptions

COUNTED = """
SELECT subject, max(pg_xact_commit_timestamp(xmin)) AS counted_at FROM reporting.heard
WHERE subject NOT LIKE '%:%' GROUP BY subject
"""


@asynccontextmanager
async def signalbox_up(
    folder: Path, configuration: Path, cores: Cores, profiled: tuple[str, Path] | None = None
) -> AsyncIterator[System]:
    """The embedded stack on its cores. profiled: a service, and where its profile goes when it stops."""
    environment = {"SIGNALBOX_LOG_LEVEL": "warning"}
    if profiled is not None:
        environment["SIGNALBOX_PROFILE"] = f"{profiled[0]}:{profiled[1]}"
    options = StackOptions(configuration, environment=environment, postgres_settings=COMMIT_TIMES)
    with children_on(cores.system, cores.load):
        up = Stack.up(folder, options)
        stack = await up.__aenter__()
    try:
        services = {name: stack.child(name).pid or 0 for name in SERVICES}
        yield System(
            name="signalbox",
            processes={**services, "nats": stack.nats.pid, "postgres": stack.postgres.pid},
            admin=stack.nats.url_of(ADMIN),
            source=stack.nats.url_of(SOURCE),
            postgres=stack.servers.postgres_url,
            counted=COUNTED,
            smtp_port=stack.smtp_port,
            intake=stack.urls["intake"],
            token=_token(stack),
        )
    finally:
        await up.__aexit__(None, None, None)


def _token(stack: Stack) -> str:
    tokens = Tokens(stack.folder.secrets.token_signing_key())
    return tokens.issue("benchmark", Role.SYSTEM, real_now(), lifetime=timedelta(hours=12))
