"""Real chats of others become tickets: every transcript whole and in order, every ticket owned."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.support.outside import outside
from tests.support.system import System


@pytest.fixture(scope="module")
def chats() -> list[dict[str, Any]]:
    files = [outside("chat/sgd.jsonl"), outside("chat/abcd.jsonl")]
    return [json.loads(line) for file in files for line in Path(file).read_text().splitlines()]


@pytest.fixture(scope="module")
def tickets(system: System, chats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All tickets, after both files were sent."""
    for name in ("chat/sgd.jsonl", "chat/abcd.jsonl"):
        system.signalbox("conversations", "send", str(outside(name)))
    return system.lines("tickets", "export")


def test_C1_every_chat_is_one_ticket_and_sending_again_adds_none(
    system: System, chats: list[dict[str, Any]], tickets: list[dict[str, Any]]
) -> None:
    assert len(chats) == 178
    assert len(tickets) == len(chats)
    again = system.document("conversations", "send", str(outside("chat/abcd.jsonl")), "--json")
    assert again["tickets"] == 3
    assert len(system.lines("tickets", "export")) == len(chats)


def test_C2_transcripts_are_whole_and_in_order(
    system: System, chats: list[dict[str, Any]], tickets: list[dict[str, Any]]
) -> None:
    stored: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for message in system.lines("tickets", "export", "--messages"):
        stored[message["conversation_id"]].append((message["seq"], message["role"], message["text"]))
    expected = {
        chat["id"]: [(seq, turn["role"], turn["text"]) for seq, turn in enumerate(chat["messages"])] for chat in chats
    }
    assert dict(stored) == expected


def test_R0_every_ticket_has_an_active_owner_or_a_queue_with_a_lead(
    system: System, tickets: list[dict[str, Any]]
) -> None:
    agents = {agent["key"] for agent in _pages(system, "router", "/v1/agents") if agent["active"]}
    led = {queue["key"] for queue in _pages(system, "router", "/v1/queues") if queue["lead"]}
    orphans = [ticket["id"] for ticket in tickets if ticket["assignee"] not in agents and ticket["queue"] not in led]
    assert orphans == []


def _pages(system: System, service: str, path: str) -> list[dict[str, Any]]:
    """All items of a list."""
    from signalbox.connection import ask, connect

    with connect(system.data).client(service) as client:
        items: list[dict[str, Any]] = ask(client, "GET", path).json()["items"]
    return items
