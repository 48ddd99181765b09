"""`signalbox tickets`: list, show, export."""

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.failure import Failure
from signalbox.journal import verified

PAGE = 100

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.callback()
def tickets() -> None:
    """Tickets, as agents see them."""


@app.command("list")
def list_tickets(
    view: Annotated[str | None, typer.Option(help="Key of a folder or a saved view, e.g. unassigned.")] = None,
    where: Annotated[str | None, typer.Option(help="A condition: 'status = open and priority >= high'.")] = None,
    search: Annotated[str | None, typer.Option(help='Words, "phrases", an email or a reference.')] = None,
    sort: Annotated[str | None, typer.Option(help="E.g. -created_at or next_deadline.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    data: Data = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """The tickets changed last, or those of a view, a condition, a search."""
    given = {"view": view, "where": where, "q": search, "sort": sort}
    with connect(data).client("intake") as client:
        page = _first(client, {name: value for name, value in given.items() if value is not None}, limit)
    if as_json:
        typer.echo(json.dumps(page))
        return
    table = Table("reference", "subject", "status", "priority", "queue", "assignee", "created", box=None)
    for item in page["items"]:
        table.add_row(*(str(item.get(name) or "") for name in COLUMNS))
    Console().print(table)


def _first(client: httpx.Client, asked: dict[str, str], limit: int) -> dict[str, Any]:
    """So many tickets, and where the list goes on."""
    items: list[Any] = []
    page: dict[str, Any] = {"next": None}
    while len(items) < limit:
        size = {"limit": str(min(limit - len(items), PAGE))}
        page = ask(client, "GET", "/v1/tickets", params=asked | size).json()
        items += page["items"]
        if page["next"] is None:
            break
        asked = asked | {"cursor": page["next"]}
    return {"items": items, "next": page["next"]}


COLUMNS = ("reference", "subject", "status", "priority", "queue", "assignee", "created_at")


@app.command()
def show(ticket: str, data: Data = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """One ticket with its timeline."""
    with connect(data).client("intake") as client:
        content: dict[str, Any] = ask(client, "GET", f"/v1/tickets/{ticket}").json()
        content["timeline"] = ask(client, "GET", f"/v1/tickets/{content['id']}/timeline").json()["items"]
    if as_json:
        typer.echo(json.dumps(content))
        return
    console = Console()
    for name, value in content.items():
        if name != "timeline" and value not in (None, [], {}):
            console.print(f"{name:<18} {value}", markup=False)
    table = Table("when", "who", "what", box=None)
    for item in content["timeline"]:
        table.add_row(str(item.get("occurred_at")), str(item.get("speaker") or ""), str(item.get("type")))
    console.print(table)


@app.command()
def verify(
    ticket: Annotated[str | None, typer.Argument(help="One ticket, by id or reference; else all.")] = None,
    data: Data = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Recompute the audit chain of every ticket and compare it with what was sealed; exit 1 if anything differs."""
    with connect(data).client("intake") as client:
        found = verified(client, ticket)
    typer.echo(json.dumps(found.document()) if as_json else str(found))
    for fault in found.faults:
        typer.echo(f"error: {fault}", err=True)
    if found.faults:
        raise typer.Exit(1)


@app.command()
def export(
    messages: Annotated[bool, typer.Option("--messages", help="Every stored message, in order.")] = False,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """JSON lines: tickets, or with --messages every message of every ticket."""
    with connect(data).client("intake") as client:
        for text in _messages(client) if messages else _tickets(client):
            sys.stdout.write(text)


def _messages(client: httpx.Client) -> Iterator[str]:
    with client.stream("GET", "/v1/export/messages", timeout=600) as answer:
        if answer.is_error:
            raise Failure(f"GET /v1/export/messages: {answer.status_code}")
        yield from answer.iter_text()


def _tickets(client: httpx.Client) -> Iterator[str]:
    cursor: dict[str, str] = {}
    while True:
        page = ask(client, "GET", "/v1/tickets", params={"limit": PAGE, **cursor}).json()
        yield from (json.dumps(item, ensure_ascii=False) + "\n" for item in page["items"])
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}
