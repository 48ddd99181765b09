"""Everything that leaves, as texts to look for a word in."""

import asyncio
import base64
import os
import sys
from collections.abc import Callable, Coroutine
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from services.intake.search_index import Indexer
from tests.component.ways_out.story import ADA, BOB, Story
from tests.support.stack import until

ROOT = Path(__file__).parents[3]
Way = Callable[[Story], Coroutine[Any, Any, list[str]]]
SPEAKERS = ("intake", "router", "sla", "notifier")


async def mails(story: Story) -> list[str]:
    """Every mail to a customer, decoded, and as it went."""
    desk = story.desk
    folder = desk.spool.folder
    found = [mail for customer in (ADA, BOB) for mail in desk.mails(customer)]
    return [f"{(folder / mail.file).read_bytes()!r} {_decoded(folder / mail.file)}" for mail in found]


async def mails_to_her(story: Story) -> list[str]:
    """Those to whom the ticket is for."""
    return await mails_to(story, ADA)


async def mails_to(story: Story, customer: str) -> list[str]:
    """Those to one customer."""
    folder = story.desk.spool.folder
    return [_decoded(folder / mail.file) for mail in story.desk.mails(customer)]


async def chat(story: Story) -> list[str]:
    """What a chat's source reads of it and shows in it."""
    notices = await story.desk.read(Role.SYSTEM, "/v1/notices?conversation=shop/c1", service="notifier")
    return [*notices, *await story.desk.read(Role.SYSTEM, "/v1/conversations/shop/c1")]


async def programs(story: Story) -> list[str]:
    """All that a program's token reads of tickets and people, of every service."""
    desk, paths = story.desk, [*_of_tickets(story), "/v1/jobs", f"/v1/jobs/{story.job}/tickets", "/v1/mail/ledger"]
    people = [f"/v1/customers/{story.customer}", "/v1/customers?q=ada", "/v1/duplicates?email=" + ADA]
    found = await desk.read(Role.SYSTEM, *paths, *people, "/v1/export/messages", "/v1/removed-tickets")
    for service, path in (("router", "why"), ("sla", "clocks")):
        found += await desk.read(Role.SYSTEM, f"/v1/tickets/{story.ticket}/{path}", service=service)
    found += await desk.read(Role.SYSTEM, f"/v1/notices?ticket={story.ticket}", service="notifier")
    return found + await reports(story)


async def tickets(story: Story) -> list[str]:
    """All that an agent reads of tickets."""
    return await story.desk.read(Role.AGENT, *_of_tickets(story))


async def reports(story: Story) -> list[str]:
    """What leads read."""
    paths = ("/v1/reports/weekly", "/v1/reports/monthly", "/v1/reports/quarterly")
    return await story.desk.read(Role.LEAD, *paths, service="reporting")


async def her_export(story: Story) -> list[str]:
    """Everything that is held of whom the ticket is for."""
    return await story.desk.read(Role.ADMIN, f"/v1/customers/{story.customer}/export")


async def messages_export(story: Story) -> list[str]:
    """What `signalbox tickets export --messages` writes."""
    environment = {
        **os.environ,
        "SIGNALBOX_TOKEN": story.desk.token(Role.LEAD),
        "SIGNALBOX_INTAKE_URL": story.desk.services["intake"].url,
    }
    command = ("-m", "signalbox", "tickets", "export", "--messages")
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, env=environment, stdout=pipe)
    written, _ = await running.communicate()
    assert running.returncode == 0
    return written.decode().splitlines()


async def facts(story: Story) -> list[str]:
    """Every fact on the broker, its headers and the ticket's state in them."""
    for speaker in SPEAKERS:
        await until(partial(_published, story.desk.services[speaker]))
    async with story.desk.stack.admin() as client:
        stream = client.jetstream()
        last = (await stream.stream_info("FACTS")).state.last_seq
        found = [await stream.get_msg("FACTS", seq) for seq in range(1, last + 1)]
    return [_readable(message.data or b"", dict(message.headers or {})) for message in found]


async def repair(story: Story) -> list[str]:
    """What a speaker says again to whoever missed it."""
    found: list[str] = []
    for speaker in SPEAKERS:
        paths = ("/v1/events?limit=1000", f"/v1/events?subject={story.ticket}", f"/v1/events?subject={story.chat}")
        found += await story.desk.read(Role.SYSTEM, *paths, service=speaker)
    return found


async def search(story: Story, role: Role, words: str) -> list[str]:
    """The tickets in which somebody finds these words, once all that was written is in the index."""
    more = True
    while more:
        _, more = await Indexer().follow(story.desk.services["intake"].database)
    async with story.desk.client("intake", role) as client:
        answer = await client.get("/v1/tickets", params={"q": words})
    assert answer.status_code == 200, answer.text
    return [ticket["id"] for ticket in answer.json()["items"]]


def _of_tickets(story: Story) -> list[str]:
    one = [f"/v1/tickets/{id}{part}" for id in (story.ticket, story.chat) for part in PARTS]
    return [*one, "/v1/tickets", "/v1/tickets?view=all-open", "/v1/views"]


PARTS = ("", "/messages", "/timeline?limit=200", "/duplicates", "/audit")


def _decoded(file: Path) -> str:
    written = message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(written, EmailMessage)
    body = written.get_body(("plain",))
    return f"{written['Subject']}\n{body.get_content() if body is not None else ''}"


def _readable(payload: bytes, headers: dict[str, Any]) -> str:
    state = base64.urlsafe_b64decode(headers.get("ticket", "") + "===").decode()
    return f"{headers} {state} {payload.decode()}"


async def _published(process: Process) -> bool:
    async with process.database.connection() as connection:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)")
