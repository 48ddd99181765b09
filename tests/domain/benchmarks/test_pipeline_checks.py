"""What the pipeline benchmark calls lost and duplicated, and how it counts."""

import pytest

from benchmarks.pipeline.checks import Account, account
from benchmarks.pipeline.figures import Spread
from benchmarks.pipeline.journeys import REQUIRED, Journey
from benchmarks.pipeline.machine import Cores
from benchmarks.pipeline.traffic import conversation
from libs.contracts.event import Event
from libs.contracts.fact import Fact, read_fact, write_headers
from libs.contracts.notice import NoticeKind, NoticeSent
from libs.contracts.routing import TicketRouted
from libs.contracts.sla import TargetsSet
from libs.contracts.ticket import Change, ConversationLink, TicketChanged, TicketOpened
from tests.domain.benchmarks.moments import NOW

SAID: tuple[Event, ...] = (
    TicketOpened(channel="chat", conversation=ConversationLink(source="chat", conversation_id="c-1")),
    TicketRouted(decision_id="d-1", epoch=0, assignee="ann"),
    TicketChanged(changes={"assignee": Change(new="ann")}),
    TargetsSet(targets=(), final=True),
    NoticeSent(notice_id="n-1", kind=NoticeKind.ACKNOWLEDGMENT),
)


def fact(event: Event, n: int = 1) -> Fact[Event]:
    headers = write_headers(
        speaker=event.SPEAKER,
        type=event.TYPE,
        subject="t-1",
        n=n,
        occurred_at=NOW,
        actor=None,
        cause=None,
        config_version=0,
        trace=None,
        state=None,
    )
    return read_fact(event.nats_subject("t-1"), headers, event.wire_json())


def journey(*events: Event, counted: bool = True) -> Journey:
    found = Journey("t-1", counted_at=9.0 if counted else None)
    numbers: dict[str, int] = {}
    for event in events:
        numbers[event.SPEAKER] = numbers.get(event.SPEAKER, 0) + 1
        found.hear(fact(event, numbers[event.SPEAKER]), 5.0)
    return found


def test_a_ticket_with_all_facts_an_agent_and_its_place_in_the_counters_is_neither_lost_nor_duplicated() -> None:
    assert account(["c-1"], [journey(*SAID)]) == Account(published=1, lost=0, duplicated=0)


@pytest.mark.parametrize("missing", range(len(REQUIRED)))
def test_a_ticket_that_lacks_a_fact_is_lost(missing: int) -> None:
    said = [event for place, event in enumerate(SAID) if place != missing]
    assert account(["c-1"], [journey(*said)]).lost == 1


def test_a_ticket_that_reporting_never_counted_is_lost() -> None:
    assert account(["c-1"], [journey(*SAID, counted=False)]).lost == 1


def test_a_ticket_without_an_agent_is_lost() -> None:
    said = [event if not isinstance(event, TicketChanged) else TicketChanged(changes={}) for event in SAID]
    assert account(["c-1"], [journey(*said)]).lost == 1


def test_a_conversation_without_a_ticket_is_lost() -> None:
    assert account(["c-1", "c-2"], [journey(*SAID)]).lost == 1


def test_a_second_ticket_a_second_decision_and_a_second_notice_are_duplicates() -> None:
    assert account(["c-1"], [journey(*SAID), journey(*SAID)]).duplicated == 1
    assert account(["c-1"], [journey(*SAID, SAID[1])]).duplicated == 1
    assert account(["c-1"], [journey(*SAID, SAID[4])]).duplicated == 1


def test_a_fact_that_was_published_twice_under_one_number_is_none() -> None:
    found = journey(*SAID)
    found.hear(fact(SAID[1]), 6.0)
    assert account(["c-1"], [found]).duplicated == 0


def test_a_ticket_of_a_conversation_that_nobody_published_is_a_duplicate() -> None:
    assert account([], [journey(*SAID)]).duplicated == 1


def test_percentiles_are_values_that_occurred_in_milliseconds() -> None:
    assert Spread.of(value / 1000 for value in range(100, 0, -1)) == Spread(p50=51.0, p99=100.0)


def test_two_cores_are_shared_with_the_load_and_three_are_not() -> None:
    assert Cores.divided([0, 1, 2, 3]) == Cores((0, 1), (2,))
    assert not Cores.divided([0, 1, 2]).shared
    assert Cores.divided([0, 1]).shared


def test_the_same_conversation_comes_again_and_its_neighbour_differs() -> None:
    assert conversation("run", 7) == conversation("run", 7)
    assert conversation("run", 7) != conversation("run", 8)
