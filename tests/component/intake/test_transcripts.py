"""A source asks whether all of its conversation arrived (behaviour C-2)."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest

from libs.contracts.conversation import (
    ConversationMessageAdded,
    ConversationMessageEdited,
    HandedOff,
    Role,
)
from libs.contracts.transcript import TranscriptHash
from services.intake.domain.decision import By
from services.intake.erasing import Erasing
from services.intake.store import Store
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.talk import tell
from tests.support.stack import Stack

ROLES = (Role.CUSTOMER, Role.AI)


@pytest.fixture(scope="module")
async def mira(stack: Stack, intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    async with desk_process(stack, intake, {}) as process, client_of(stack, process, "mira") as client:
        yield client


def said(chat: str, seqs: Iterable[int]) -> list[ConversationMessageAdded]:
    return [
        ConversationMessageAdded(conversation_id=chat, seq=seq, role=ROLES[seq % 2], text=f"Grüße\x00 Nr. {seq}\n")
        for seq in seqs
    ]


def expected(messages: Iterable[ConversationMessageAdded]) -> str:
    hashed = TranscriptHash()
    for message in messages:
        hashed.add(message.seq, message.role, message.text)
    return hashed.hex()


async def stored(client: httpx.AsyncClient, chat: str, **part: int) -> dict[str, Any]:
    response = await client.get(f"/v1/conversations/chat/{chat}/transcript", params=part)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_C2_a_source_finds_out_by_the_hash_whether_everything_arrived(
    mira: httpx.AsyncClient, intake: Intake
) -> None:
    messages = said("whole", range(0, 1000, 2))
    await tell(intake, *messages[300:], HandedOff(conversation_id="whole"))
    assert (await stored(mira, "whole"))["sha256"] != expected(messages)
    await tell(intake, *reversed(messages))
    found = await stored(mira, "whole")
    assert found == {
        "source": "chat",
        "conversation_id": "whole",
        "messages": 500,
        "first": 0,
        "last": 998,
        "sha256": expected(messages),
        "erased": False,
    }


async def test_C2_what_is_missing_is_found_by_the_hashes_of_parts(mira: httpx.AsyncClient, intake: Intake) -> None:
    messages = said("gap", range(1, 33))
    await tell(intake, *(each for each in messages if each.seq != 21), HandedOff(conversation_id="gap"))
    low, high = 1, 32
    while low < high:
        middle = (low + high) // 2
        part = await stored(mira, "gap", **{"from": low, "until": middle})
        if part["sha256"] == expected(messages[low - 1 : middle]):
            low = middle + 1
        else:
            high = middle
    assert low == 21
    await tell(intake, messages[20])
    assert (await stored(mira, "gap"))["sha256"] == expected(messages)


async def test_C2_neither_edits_nor_later_messages_change_the_hash_of_what_was_said(
    mira: httpx.AsyncClient, intake: Intake
) -> None:
    messages = said("stays", range(1, 6))
    await tell(intake, *messages[:3], HandedOff(conversation_id="stays"))
    before = (await stored(mira, "stays", until=3))["sha256"]
    edit = ConversationMessageEdited(conversation_id="stays", seq=2, role=Role.CUSTOMER, deleted=True)
    await tell(intake, edit, *messages[3:])
    assert (await stored(mira, "stays", until=3))["sha256"] == before == expected(messages[:3])
    assert (await stored(mira, "stays"))["sha256"] == expected(messages)


async def test_C2_a_conversation_without_messages_has_the_hash_of_nothing_and_an_unknown_one_none(
    mira: httpx.AsyncClient, intake: Intake
) -> None:
    await tell(intake, HandedOff(conversation_id="silent"))
    found = await stored(mira, "silent")
    assert (found["messages"], found["first"], found["last"], found["sha256"]) == (0, None, None, expected([]))
    assert (await mira.get("/v1/conversations/chat/unheard/transcript")).status_code == 404
    assert (await mira.get("/v1/conversations/chat/silent/transcript", params={"from": -1})).status_code == 422


async def test_C2_of_erased_contents_there_is_no_hash(mira: httpx.AsyncClient, intake: Intake) -> None:
    await tell(intake, *said("erased", (1, 2)), HandedOff(conversation_id="erased"))
    (row,) = await intake.fetch("SELECT ticket_id FROM conversations WHERE conversation_id = 'erased'")
    async with intake.transactions.begin() as transaction:
        await Erasing(Store(transaction), By("agent:lea", person=True)).tickets([row["ticket_id"]])
    found = await stored(mira, "erased")
    assert (found["messages"], found["sha256"], found["erased"]) == (2, None, True)
