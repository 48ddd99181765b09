"""`signalbox repair`: compare what was heard with what was said, now."""

from typing import Annotated

import typer

from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.services import SERVICES

app = typer.Typer()


@app.command()
def repair(
    service: Annotated[str | None, typer.Argument(help="One hearer; all of them if left out.")] = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Have hearers fetch what the stream did not bring them; prints how many facts were missing."""
    connection = connect(data)
    for name in [service] if service else SERVICES:
        with connection.client(name) as client:
            repaired = ask(client, "POST", "/v1/repair", timeout=600).json()["repaired"]
        typer.echo(f"{name}: {repaired} facts were missing")
