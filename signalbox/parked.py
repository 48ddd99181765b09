"""`signalbox parked`: messages that could not be handled, and what to do with them."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.services import SERVICES

app = typer.Typer(no_args_is_help=True)

Service = Annotated[str, typer.Argument(help=" | ".join(SERVICES))]
Number = Annotated[int, typer.Argument(help="Number of the parked message, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.callback()
def parked() -> None:
    """What could not be handled waits here with its reason, and what follows it behind it."""


@app.command("list")
def list_parked(
    data: Data = DEFAULT_FOLDER, service: Annotated[str | None, typer.Option()] = None, as_json: AsJson = False
) -> None:
    """Parked messages of one service, or of all."""
    connection = connect(data)
    found: list[dict[str, Any]] = []
    for name in [service] if service else SERVICES:
        with connection.client(name) as client:
            found += [{"service": name, **item} for item in ask(client, "GET", "/v1/parked").json()["items"]]
    if as_json:
        typer.echo(json.dumps({"items": found}))
        return
    table = Table("service", "id", "subject", "n", "reason", "since", box=None)
    for item in found:
        table.add_row(
            item["service"], str(item["id"]), item["subject"], str(item["n"] or ""), item["reason"], item["parked_at"]
        )
    Console().print(table if found else "nothing is parked")


@app.command()
def show(service: Service, number: Number, data: Data = DEFAULT_FOLDER) -> None:
    """One parked message with its headers and data."""
    with connect(data).client(service) as client:
        typer.echo(json.dumps(ask(client, "GET", f"/v1/parked/{number}").json(), indent=2))


@app.command()
def replay(service: Service, number: Number, data: Data = DEFAULT_FOLDER) -> None:
    """Handle it again, after the fault was mended, and everything that waits behind it."""
    with connect(data).client(service) as client:
        answer = ask(client, "POST", f"/v1/parked/{number}/replay").json()
    typer.echo(f"replayed: {answer['replayed']}")


@app.command()
def discard(service: Service, number: Number, data: Data = DEFAULT_FOLDER) -> None:
    """Give it up for good."""
    with connect(data).client(service) as client:
        ask(client, "POST", f"/v1/parked/{number}/discard")
    typer.echo("discarded")
