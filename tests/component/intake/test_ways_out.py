"""Whatever is noted stays inside: every way out of intake, searched for the words of notes (behaviour N-1)."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from libs.contracts.ticket import TicketNoteAdded
from services.notifier.handlers import HEARS as NOTIFIER_HEARS
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.test_api import event
from tests.support.stack import Stack, until

SECRET = "zebrafish"
DESK = {
    "responses": [{"key": "hello", "label": {"en": "Hello"}, "text": {"en": "Hello {{ customer }}, {{ subject }}"}}],
    "templates": [{"key": "t", "label": {"en": "T"}, "note": {"en": f"{SECRET} by template"}, "response": "hello"}],
    "macros": [{"key": "m", "label": {"en": "M"}, "note": {"en": f"{SECRET} by macro"}, "response": "hello"}],
}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {"desk.yaml": DESK}) as process:
        yield process


@pytest.fixture(scope="module")
async def noted(stack: Stack, process: Process) -> AsyncIterator[dict[str, Any]]:
    """A ticket of a conversation with a note by every way in that makes one, answered by mail in between."""
    async with stack.client(process) as system, client_of(stack, process, "mira") as mira:
        asked = [
            event("started", "s", conversation_id="n1", email="ada@example.org"),
            event("message-added", "m1", conversation_id="n1", seq=1, role="customer", text="Where is it?"),
            event("ticket-requested", "r", conversation_id="n1", subject="Parcel", queue="billing"),
        ]
        assert (await system.post("/v1/conversation-events", json=asked)).status_code == 202

        async def ticket() -> str | None:
            found = await mira.get("/v1/conversations/shop/n1")
            return found.json().get("ticket") if found.status_code == 200 else None

        id = await until(ticket)
        url = f"/v1/tickets/{id}"
        steps: list[tuple[str, dict[str, Any]]] = [
            (f"{url}/notes", {"text": f"{SECRET} by hand"}),
            (f"{url}/apply-template", {"template": "t"}),
            (f"{url}/macros/m", {}),
            (f"{url}/rating", {"score": 3, "comment": f"{SECRET} by rating"}),
            (f"{url}/replies", {"text": "It is on its way"}),
            ("/v1/tickets", {"text": "By phone", "note": f"{SECRET} at the start", "customer": {"name": "Bo"}}),
        ]
        for path, body in steps:
            done = await (system if path.endswith("rating") else mira).post(path, json=body)
            assert done.status_code in (200, 201), done.text
        handoff = {"tried": SECRET, "status": SECRET, "next": SECRET}
        assert (await mira.patch(url, json={"queue": "technical", "handoff": handoff})).status_code == 200
        late = event("message-added", "m2", conversation_id="n1", seq=2, role="customer", text="Thanks")
        assert (await system.post("/v1/conversation-events", json=late)).status_code == 202
        shown = (await mira.get(f"{url}/messages")).json()["items"]
        assert sum(SECRET in each["text"] for each in shown) == 5
        yield {"id": id, "url": url, "customer": (await mira.get(url)).json()["customer"]["id"]}


async def test_N1_no_fact_on_the_broker_has_a_word_of_a_note(
    stack: Stack, process: Process, noted: dict[str, Any], intake: Intake
) -> None:
    async def published() -> bool:
        return not await intake.fetch("SELECT 1 FROM outbox")

    await until(published)
    async with stack.admin() as client:
        stream = client.jetstream()
        last = (await stream.stream_info("FACTS")).state.last_seq
        messages = [await stream.get_msg("FACTS", seq) for seq in range(1, last + 1)]
    kinds = [message.headers["ce-type"] for message in messages if message.headers]
    assert kinds.count(TicketNoteAdded.TYPE) == 6
    for message in messages:
        headers = message.headers or {}
        state = base64.urlsafe_b64decode(headers.get("ticket", "") + "===")
        assert SECRET.encode() not in (message.data or b"") + state + json.dumps(dict(headers)).encode()


async def test_N1_neither_repair_nor_rebuild_gets_a_word_of_a_note(
    stack: Stack, process: Process, noted: dict[str, Any]
) -> None:
    async with stack.client(process) as system:
        for query in ({}, {"subject": noted["id"]}):
            answer = await system.get("/v1/events", params=query)
            assert answer.status_code == 200
            assert noted["id"] in answer.text
            assert SECRET not in answer.text


async def test_N1_the_export_leaves_notes_out(stack: Stack, process: Process, noted: dict[str, Any]) -> None:
    async with client_of(stack, process, "tom", Role.LEAD) as lead:
        export = await lead.get("/v1/export/messages")
    assert "It is on its way" in export.text
    assert SECRET not in export.text
    async with client_of(stack, process, "boss", Role.ADMIN) as boss:
        about = await boss.get(f"/v1/customers/{noted['customer']}/export")
    assert about.status_code == 200
    assert "It is on its way" in about.text
    assert SECRET not in about.text


async def test_N1_what_leaves_by_mail_and_what_is_offered_to_be_sent_has_none(
    stack: Stack, process: Process, noted: dict[str, Any], intake: Intake
) -> None:
    assert TicketNoteAdded not in NOTIFIER_HEARS
    rows = await intake.fetch("SELECT text, visibility, outbound FROM messages WHERE ticket_id = $1", noted["id"])
    leaving = [row for row in rows if row["outbound"] is not None]
    assert len(leaving) == 2
    assert not any(SECRET in row["text"] or row["visibility"] != "public" for row in leaving)
    async with client_of(stack, process, "mira") as mira:
        draft = await mira.get("/v1/responses/hello/preview", params={"ticket": noted["id"]})
    assert draft.json()["response"].startswith("Hello")
    assert SECRET not in draft.text


async def test_N1_a_source_reads_of_its_conversation_which_ticket_it_has_and_no_more(
    stack: Stack, process: Process, noted: dict[str, Any]
) -> None:
    async with stack.client(process) as system:
        found = await system.get("/v1/conversations/shop/n1")
    assert found.json()["ticket"] == noted["id"]
    assert SECRET not in found.text


async def test_N1_lists_timelines_and_people_show_none_and_strangers_nothing(
    stack: Stack, process: Process, noted: dict[str, Any]
) -> None:
    paths = [noted["url"], f"{noted['url']}/timeline", "/v1/tickets", f"/v1/customers/{noted['customer']}"]
    async with client_of(stack, process, "mira") as mira:
        for path in paths:
            answer = await mira.get(path)
            assert answer.status_code == 200, path
            assert SECRET not in answer.text, path
    async with httpx.AsyncClient(base_url=process.url) as stranger:
        for path in (*paths, f"{noted['url']}/messages"):
            assert (await stranger.get(path)).status_code == 401


async def test_N1_whether_a_message_is_public_cannot_be_changed(
    stack: Stack, process: Process, noted: dict[str, Any]
) -> None:
    """There is no such field, whatever is asked for."""
    async with client_of(stack, process, "mira") as mira:
        for body in ({"visibility": "public"}, {"text": "x", "visibility": "public"}):
            assert (await mira.post(f"{noted['url']}/notes", json=body)).status_code == 422
