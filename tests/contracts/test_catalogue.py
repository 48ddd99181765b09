"""The catalogue is whole, and hearers bind what it says."""

import re

import pytest

from libs.contracts import agents, conversation, notice, routing, sla, suspicion, ticket
from libs.contracts.binding import bindings
from libs.contracts.catalogue import (
    CATALOGUE,
    SAID_BY_SERVICES,
    SAID_BY_SOURCES,
    STREAMS,
    filter_subjects,
    numbered_with,
)
from libs.contracts.event import About, Event, Speaker, about
from libs.contracts.partition import PARTITIONS, partition, shard
from libs.contracts.routing import AgentChanged, QueueChanged, TicketRouted
from libs.contracts.ticket import TicketOpened

GRAMMAR = re.compile(r"signalbox\.(?P<entity>[a-z]+(-[a-z]+)*)\.(?P<name>[a-z]+(-[a-z]+)*)\.v(?P<version>[1-9]\d*)")
ALL = (*SAID_BY_SOURCES, *SAID_BY_SERVICES)


def declared() -> set[type[Event]]:
    """Every event class of the modules of speakers."""
    modules = (agents, conversation, notice, routing, sla, suspicion, ticket)
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return {found for found in classes if issubclass(found, Event) and "TYPE" in vars(found)}


def test_every_event_that_is_declared_is_in_the_catalogue() -> None:
    assert set(CATALOGUE.values()) == declared()


def test_every_type_is_there_once() -> None:
    assert len({event.TYPE for event in ALL}) == len(ALL) == len(CATALOGUE)


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.TYPE)
def test_a_type_is_named_by_the_grammar(event: type[Event]) -> None:
    match = GRAMMAR.fullmatch(event.TYPE)
    assert match, event.TYPE
    assert int(match["version"]) == event.VERSION
    expected = match["name"] if event.VERSION == 1 else f"{match['name']}-v{event.VERSION}"
    assert expected == event.NAME


def test_no_two_events_share_a_nats_subject() -> None:
    subjects = [(event.SPEAKER, event.ABOUT is About.AGENT, event.NAME) for event in ALL]
    assert len(set(subjects)) == len(subjects)


def test_a_subject_has_prefix_partition_and_name() -> None:
    assert TicketOpened.nats_subject("t-1") == f"tickets.{partition('t-1')}.opened"


def matches(pattern: str, subject: str) -> bool:
    expected, tokens = pattern.split("."), subject.split(".")
    if expected[-1] == ">":
        return tokens[: len(expected) - 1] == expected[:-1]
    return len(expected) == len(tokens) and all(
        one in ("*", token) for one, token in zip(expected, tokens, strict=True)
    )


@pytest.mark.parametrize("shards", [1, 2, 4, 8, 16])
def test_each_fact_that_is_heard_reaches_one_shard(shards: int) -> None:
    hears = (TicketOpened, AgentChanged)
    bound = [
        [subject for binding in bindings(hears) for subject in filter_subjects(binding, number, shards)]
        for number in range(shards)
    ]
    facts = {other for event in hears for other in numbered_with(event)}
    for event in SAID_BY_SERVICES:
        for about_what in (f"ticket-{number}" for number in range(40)):
            subject = event.nats_subject(about_what)
            reached = [number for number in range(shards) if any(matches(one, subject) for one in bound[number])]
            assert reached == ([shard(about_what, shards)] if event in facts else []), subject


def bound_by(*hears: type[Event]) -> dict[str, list[str]]:
    """What the only shard of a hearer binds, by the durable's last name."""
    return {binding.name: filter_subjects(binding, 0, 1) for binding in bindings(hears)}


def test_one_shard_binds_one_filter_a_durable() -> None:
    assert bound_by(AgentChanged) == {"routing-agent": ["routing.*.agent-changed"]}
    assert bound_by(TicketOpened) == {"tickets": ["tickets.>"]}
    assert bound_by(TicketRouted, AgentChanged, QueueChanged) == {"routing": ["routing.>"]}
    assert bound_by(AgentChanged, QueueChanged, TicketOpened) == {
        "routing-agent": ["routing.*.agent-changed"],
        "routing-queue": ["routing.*.queue-changed"],
        "tickets": ["tickets.>"],
    }


def test_filters_of_a_shard_are_sorted_and_do_not_overlap() -> None:
    bound = {binding.name: filter_subjects(binding, 1, 8) for binding in bindings(SAID_BY_SERVICES)}
    assert bound == {prefix: [f"{prefix}.1.*", f"{prefix}.9.*"] for prefix in ("notices", "routing", "sla", "tickets")}


def test_facts_that_share_numbers_are_bound_together() -> None:
    assert numbered_with(AgentChanged) == (AgentChanged,)
    assert set(numbered_with(TicketOpened)) == {event for event in SAID_BY_SERVICES if event.SPEAKER is Speaker.INTAKE}


@pytest.mark.parametrize("event", SAID_BY_SERVICES, ids=lambda event: event.TYPE)
def test_every_fact_is_captured_by_one_stream(event: type[Event]) -> None:
    subject = event.nats_subject("t-1")
    prefixes = [stream.name for stream in STREAMS if f"{subject.partition('.')[0]}.>" in stream.subjects]
    assert prefixes == ["FACTS"]


def test_a_subject_tells_what_it_is_about() -> None:
    assert (about("agent:mira"), about("queue:billing"), about("0198c2f4")) == (About.AGENT, About.QUEUE, About.TICKET)


def test_partitions_are_spread_and_equal_to_those_of_nats() -> None:
    assert {partition(f"t-{number}") for number in range(1000)} == set(range(PARTITIONS))
    assert partition("") == 2166136261 % PARTITIONS
