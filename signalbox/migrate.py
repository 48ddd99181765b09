"""`signalbox migrate`: roles, schemas, migrations, streams and consumers, once, whoever asks."""

import asyncio
import json
from typing import Annotated

import asyncpg
import nats.errors
import typer
from alembic.util import CommandError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from libs.chassis.errors import SettingsError
from libs.contracts.partition import PARTITIONS
from signalbox.environment import Environment
from signalbox.provisioning.permissions import ADMIN
from signalbox.provisioning.provision import Servers, provision
from signalbox.services import SERVICES, Hears, hears, installed

FAILED, WRONG_USE = 1, 2
SHARDS = tuple(count for count in range(1, PARTITIONS + 1) if PARTITIONS % count == 0)
FAILURES = (asyncpg.PostgresError, nats.errors.Error, SQLAlchemyError, CommandError, OSError, TimeoutError)


app = typer.Typer()


@app.command()
def migrate(
    service: Annotated[str | None, typer.Argument(help="One service; all of them if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Bring PostgreSQL and NATS to what this release needs. Safe to repeat, and to run many times at once.

    Reads SIGNALBOX_POSTGRES_ADMIN_URL, SIGNALBOX_POSTGRES_PASSWORD_<SERVICE>, SIGNALBOX_NATS_URL,
    SIGNALBOX_NATS_ADMIN_USER (admin), SIGNALBOX_NATS_ADMIN_PASSWORD, SIGNALBOX_NATS_REPLICAS (1) and
    SIGNALBOX_SHARDS (1). Secrets may be given as files: SIGNALBOX_..._FILE.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        heard = _heard(service)
        environment = Environment()
        servers, shards = read_servers(environment, tuple(heard)), read_shards(environment)
        environment.check()
    except SettingsError as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(WRONG_USE) from None
    steps = _run(servers, heard, shards, errors)
    if as_json:
        typer.echo(json.dumps({"services": list(heard), "shards": shards, "steps": steps}))


def read_servers(environment: Environment, services: tuple[str, ...]) -> Servers:
    """The servers and the passwords of the services' roles, from the environment."""
    return Servers(
        postgres_url=environment.address("SIGNALBOX_POSTGRES_ADMIN_URL", "postgresql", "postgres", secret=True),
        postgres_passwords={
            service: environment.secret(f"SIGNALBOX_POSTGRES_PASSWORD_{service.upper()}") for service in services
        },
        nats_url=environment.address("SIGNALBOX_NATS_URL", "nats", "tls", "ws", "wss"),
        nats_user=environment.text("SIGNALBOX_NATS_ADMIN_USER", ADMIN),
        nats_password=environment.secret("SIGNALBOX_NATS_ADMIN_PASSWORD"),
        nats_replicas=environment.choice("SIGNALBOX_NATS_REPLICAS", 1, (1, 3, 5)),
    )


def read_shards(environment: Environment) -> int:
    """Into how many shards the services' facts are divided."""
    return environment.choice("SIGNALBOX_SHARDS", 1, SHARDS)


def _heard(service: str | None) -> Hears:
    if service is None:
        return installed()
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(SERVICES)}", param_hint="SERVICE")
    return {service: hears(service)}


def _run(servers: Servers, heard: Hears, shards: int, errors: Console) -> list[str]:
    steps: list[str] = []

    def report(step: str) -> None:
        steps.append(step)
        errors.print(step, markup=False)

    try:
        with errors.status("migrating"):
            asyncio.run(provision(servers, heard, shards, report=report))
    except FAILURES as error:
        errors.print(f"migrate failed: {_one_line(error)}", markup=False)
        raise typer.Exit(FAILED) from None
    return steps


def _one_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
