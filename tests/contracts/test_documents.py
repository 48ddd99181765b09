"""docs/asyncapi.json and docs/events.md are generated, and are what they would be now."""

import json
from pathlib import Path
from typing import Any

import pytest

from libs.contracts.asyncapi import asyncapi, short_name
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.channel import Channel
from libs.contracts.event_table import event_table
from libs.contracts.schema_files import written
from libs.contracts.ticket import TicketChanged, TicketOpened
from signalbox.services import installed

DOCS = Path(__file__).resolve().parents[2] / "docs"
HEARS = {"sla": (TicketOpened, TicketChanged), "router": (TicketOpened,)}


def test_the_asyncapi_document_on_disk_is_current() -> None:
    on_disk = (DOCS / "asyncapi.json").read_text(encoding="utf-8")
    assert on_disk == written(asyncapi(installed())), "run `signalbox events asyncapi docs/asyncapi.json`"


def test_the_page_of_events_on_disk_is_current() -> None:
    on_disk = (DOCS / "events.md").read_text(encoding="utf-8")
    assert on_disk == event_table(installed()), "run `signalbox events catalogue docs/events.md`"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi(HEARS)


def references(part: Any) -> set[str]:
    if isinstance(part, list):
        return {found for item in part for found in references(item)}
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own | {found for value in part.values() for found in references(value)}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
def test_every_event_has_a_channel_a_message_and_a_speaker(document: dict[str, Any], event: Any) -> None:
    name = short_name(event)
    assert document["channels"][name]["address"] == Channel.of(event).address
    assert document["components"]["messages"][name]["name"] == event.TYPE
    says = [
        one for one in document["operations"].values() if one["action"] == "send" and name in one["channel"]["$ref"]
    ]
    assert [one["x-service"] for one in says] == [event.SPEAKER.value]


def test_hearers_are_those_that_were_given(document: dict[str, Any]) -> None:
    heard = {name for name, one in document["operations"].items() if one["action"] == "receive"}
    assert heard == {"sla.hears.ticket.opened", "sla.hears.ticket.changed", "router.hears.ticket.opened"}


def test_the_same_catalogue_gives_the_same_text(document: dict[str, Any]) -> None:
    other_order = {"router": (TicketOpened,), "sla": (TicketChanged, TicketOpened)}
    assert written(asyncapi(other_order)) == written(document)


def test_intakes_facts_carry_the_ticket_and_others_do_not(document: dict[str, Any]) -> None:
    messages, schemas = document["components"]["messages"], document["components"]["schemas"]

    def headers(name: str) -> Any:
        return schemas[messages[name]["headers"]["$ref"].rpartition("/")[2]]

    assert "ticket" in headers("ticket.opened")["required"]
    assert "ticket" not in headers("sla.warned")["properties"]
    assert "ce-n" in headers("sla.warned")["required"]
    assert "ce-n" not in headers("conversation.started")["properties"]


def test_messages_have_their_samples_as_examples(document: dict[str, Any]) -> None:
    examples = document["components"]["messages"]["ticket.rated"]["examples"]
    assert [example["name"] for example in examples] == ["full", "minimal"]
    assert examples[1]["payload"] == {"score": 4}


def test_the_page_names_every_event_and_field() -> None:
    page = event_table(HEARS)
    for event in CATALOGUE.values():
        _, heading, section = page.partition(f"### {event.TYPE}\n")
        assert heading
        assert f"`{Channel.of(event).address}`" in section
        for field in event.model_fields:
            assert f"\n| {field} | " in section.partition("\n### ")[0]


def test_the_page_tells_who_hears() -> None:
    assert "`tickets.{partition}.opened` | router, sla |" in event_table(HEARS)
    assert "`tickets.{partition}.rated` | – |" in event_table(HEARS)


def test_values_and_defaults_are_said_in_words() -> None:
    page = event_table({})
    assert "| score | integer, 1 to 5 | required | 1 worst, 5 best. |" in page
    assert "| conversation_id | string, 1 to 200 characters | required |" in page
    assert "| threshold | number, above 0, below 1 | required |" in page
    assert "| channel | string, at most 20 characters | `chat` |" in page
    assert "| customer | [Customer](#customer) | unset |" in page
    assert "| tags | list of string, at most 50 entries | empty |" in page
    assert "| priority | `low` `medium` `high` `critical` | unset |" in page


def test_documents_are_json_that_anybody_reads(document: dict[str, Any]) -> None:
    assert json.loads(written(document)) == document
