"""`signalbox config`: check a configuration folder, put it in force."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from libs.embedded.data_folder import DataFolder
from signalbox.configuration import ConfigurationFault, apply_configuration, check_configuration, read_configuration
from signalbox.connection import DEFAULT_FOLDER, Data
from signalbox.environment import Environment
from signalbox.failure import Failure
from signalbox.provisioning.permissions import ADMIN
from signalbox.provisioning.provision import Servers

app = typer.Typer(no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder with routing.yaml, sla.yaml, ...")]


@app.callback()
def config() -> None:
    """What a team edits: rules, targets, schedules, agents, mailboxes, statuses, templates."""


@app.command()
def check(folder: Folder) -> None:
    """Validate everything, change nothing; every fault names file, field and reason."""
    try:
        check_configuration(read_configuration(folder))
    except ConfigurationFault as fault:
        raise Failure(str(fault)) from None
    typer.echo(f"{folder} is in order")


@app.command()
def apply(
    folder: Folder,
    data: Data = DEFAULT_FOLDER,
    only_if_none: Annotated[bool, typer.Option("--only-if-none", help="Leave one that is in force alone.")] = False,
) -> None:
    """Validate everything and make it the version in force."""
    try:
        files = read_configuration(folder)
        version = asyncio.run(apply_configuration(_servers(data), files, only_if_none=only_if_none))
    except ConfigurationFault as fault:
        raise Failure(str(fault)) from None
    typer.echo(f"version {version} is in force")


def _servers(data: Path) -> Servers:
    """The broker's administrator: of the folder's stack, else by the environment as for `migrate`."""
    folder = DataFolder(data)
    if folder.stack.exists():
        url = json.loads(folder.stack.read_text())["nats"]
        return Servers("", {}, url, ADMIN, folder.secrets.nats_password(ADMIN))
    environment = Environment()
    servers = Servers(
        "",
        {},
        environment.address("SIGNALBOX_NATS_URL", "nats", "tls"),
        environment.text("SIGNALBOX_NATS_ADMIN_USER", ADMIN),
        environment.secret("SIGNALBOX_NATS_ADMIN_PASSWORD"),
    )
    environment.check()
    return servers
