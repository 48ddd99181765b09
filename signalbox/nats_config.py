"""`signalbox nats-config`: the configuration of a nats-server that knows Signalbox' users and their rights."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from libs.chassis.errors import SettingsError
from libs.embedded.nats_config import MAX_PAYLOAD_BYTES, SYNC_INTERVAL, NatsUser, authorization
from libs.embedded.private_file import write_private
from signalbox.environment import Environment
from signalbox.migrate import WRONG_USE, read_shards
from signalbox.provisioning.permissions import SOURCES, users

app = typer.Typer()


@app.command("nats-config")
def nats_config(
    output: Annotated[Path | None, typer.Option(help="A file, readable by its owner only; else printed.")] = None,
    users_only: Annotated[
        bool, typer.Option(help="Only the users, to include in a configuration of your own.")
    ] = False,
    store: Annotated[str, typer.Option(help="Where JetStream keeps its files.")] = "/data",
    sync_interval: Annotated[
        str, typer.Option(help="How often JetStream flushes to disk, or 'always'.")
    ] = SYNC_INTERVAL,
) -> None:
    """Write the configuration, passwords included.

    Reads SIGNALBOX_NATS_PASSWORD_<USER> for admin, driver, every service and every source, SIGNALBOX_NATS_SOURCES
    (chat,shop,ai) and SIGNALBOX_SHARDS (1). Secrets may be given as files: SIGNALBOX_..._FILE. When the number
    of shards or the sources change, write it anew and reload the server.
    """
    try:
        known, passwords = read_users(Environment())
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_USE) from None
    if users_only:
        text = _text({"authorization": authorization(known, passwords)})
    else:
        text = server_document(known, passwords, store, sync_interval)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_private(output, text)


def read_users(environment: Environment) -> tuple[list[NatsUser], dict[str, str]]:
    """The users and their passwords, from the environment."""
    shards, sources = read_shards(environment), environment.words("SIGNALBOX_NATS_SOURCES", SOURCES)
    try:
        known = users(shards, sources)
    except ValueError as error:
        environment.fault("SIGNALBOX_NATS_SOURCES", str(error))
        known = []
    passwords = {user.name: environment.secret(_password_variable(user.name)) for user in known}
    environment.check()
    return known, passwords


def _password_variable(user: str) -> str:
    return f"SIGNALBOX_NATS_PASSWORD_{user.upper().replace('-', '_')}"


def server_document(
    known: Sequence[NatsUser], passwords: Mapping[str, str], store: str = "/data", sync_interval: str = SYNC_INTERVAL
) -> str:
    """The whole configuration of one server in a container, as JSON, which nats-server reads."""
    server = {
        "listen": "0.0.0.0:4222",
        "http": "0.0.0.0:8222",
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": store, "sync_interval": sync_interval},
    }
    return _text(server | {"authorization": authorization(known, passwords)})


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
