"""`signalbox conversations`: send what other systems say."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from libs.contracts.conversation import TicketRequested
from libs.contracts.publisher import Outgoing, Publisher
from signalbox.connection import DEFAULT_FOLDER, Connection, Data, ask, connect
from signalbox.conversation_file import read_conversations
from signalbox.failure import Failure
from signalbox.progress import bar

SETTLE_SECONDS = 120.0
PAGE = 500

app = typer.Typer(no_args_is_help=True)


@app.callback()
def conversations() -> None:
    """Conversations of other systems."""


@app.command()
def send(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines: events, or whole chats.")],
    source: Annotated[str, typer.Option(help="The source we speak for.")] = "chat",
    data: Data = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Publish conversation events and wait until intake has handled all of them.

    A whole chat is sent as started, message-added for each message, ticket-requested. A line that is neither names
    its number and the reason; then nothing is sent.
    """
    events = read_conversations(file)
    connection = connect(data, source)
    accepted = asyncio.run(_publish(connection, source, events))
    asked = [said.event.conversation_id for said in events if isinstance(said.event, TicketRequested)]
    tickets = _settled(connection, source, asked)
    summary = {"events": len(events), "accepted": accepted, "tickets": tickets}
    typer.echo(json.dumps(summary) if as_json else f"{accepted} events accepted, {tickets} tickets")


async def _publish(connection: Connection, source: str, events: Sequence[Outgoing]) -> int:
    if connection.nats_url is None:
        raise Failure("where is the broker? Set SIGNALBOX_NATS_URL, with user and password in it")
    accepted = 0
    async with Publisher(connection.nats_url, source) as publisher:
        with bar() as progress:
            task = progress.add_task("publishing", total=len(events))
            for start in range(0, len(events), PAGE):
                page = events[start : start + PAGE]
                accepted += len(await publisher.publish_many(page))
                progress.advance(task, len(page))
    return accepted


def _settled(connection: Connection, source: str, conversation_ids: Sequence[str]) -> int:
    """Wait until every conversation that asked for a ticket has one; how many tickets that are."""
    wanted = list(dict.fromkeys(conversation_ids))
    tickets: set[str] = set()
    with connection.client("intake") as client, bar() as progress:
        task = progress.add_task("handled", total=len(wanted))
        for conversation_id in wanted:
            tickets.add(_ticket(client, source, conversation_id))
            progress.advance(task)
    return len(tickets)


def _ticket(client: httpx.Client, source: str, conversation_id: str) -> str:
    path = f"/v1/conversations/{source}/{conversation_id}"
    return str(ask(client, "GET", path, params={"wait": "30"}).json()["ticket"])
