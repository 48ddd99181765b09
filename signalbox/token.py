"""`signalbox token`: API tokens."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from libs.chassis.clock import real_now
from libs.chassis.tokens import Role, Tokens
from libs.embedded.data_folder import DataFolder
from signalbox.connection import DEFAULT_FOLDER, Data
from signalbox.failure import Failure

app = typer.Typer(no_args_is_help=True)


@app.callback()
def token() -> None:
    """API tokens, signed with the secret that all services share."""


@app.command()
def create(
    role: Annotated[Role, typer.Option(help="What it may do.")],
    agent: Annotated[str | None, typer.Option(help="Agent key, for people who work on tickets.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="Limit it to this, e.g. tickets:read or *:read; may be given several times."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Until it expires.")] = 90,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Print a new token."""
    try:
        issued = Tokens(_secret(data)).issue(
            agent or role.value, role, real_now(), agent=agent, lifetime=timedelta(days=days), scopes=scope
        )
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--scope") from None
    typer.echo(issued)


def _secret(data: Path) -> str:
    if secret := os.environ.get("SIGNALBOX_TOKEN_SECRET"):
        return secret
    if file := os.environ.get("SIGNALBOX_TOKEN_SECRET_FILE"):
        return Path(file).read_text().strip()
    folder = DataFolder(data)
    if not folder.secrets.path.exists():
        raise Failure("set SIGNALBOX_TOKEN_SECRET or SIGNALBOX_TOKEN_SECRET_FILE, or name a stack's folder by --data")
    return folder.secrets.token_signing_key()
