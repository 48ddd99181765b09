"""Statuses are data; what they mean and where they lead is not left to chance (behaviour S-1 to S-8, K-1, K-2)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.ticket import MessageKind, TicketChanged, TicketMessageAdded
from libs.contracts.ticket_state import StatusCategory, TicketState
from services.intake.domain.appending import append_message, note, reply
from services.intake.domain.changing import auto_close, change
from services.intake.domain.decision import CUSTOMER, SYSTEM, Decision, Refused
from services.intake.domain.status import UnknownStatus
from services.intake.domain.ticket import Ticket, state_json
from services.intake.status_file import read_statuses
from tests.domain.intake.tickets import LATER, MIRA, NOW, STATUSES, ticket, written

KEYS = [status.key for status in STATUSES.all]


def test_S1_the_shipped_statuses_are_those_of_the_brief() -> None:
    assert {status.key: status.category.value for status in STATUSES.all} == {
        "open": "open",
        "in_progress": "open",
        "escalated": "open",
        "pending": "pending",
        "waiting_on_customer": "pending",
        "waiting_on_internal": "on_hold",
        "resolved": "resolved",
        "closed": "closed",
    }
    assert STATUSES["solved"].key == "resolved"
    assert not STATUSES["pending"].clocks.resolution
    assert STATUSES["waiting_on_internal"].clocks.resolution


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"category": "asleep"}, "statuses.0.category"),
        ({"colour": "red"}, "statuses.0.colour"),
        ({"key": "Not A Key"}, "statuses.0.key"),
        ({"transitions": ["nowhere"]}, "statuses.open.transitions"),
        ({"key": "pending"}, "used twice"),
        ({"auto_close_after_hours": 5}, "auto_close_after_hours"),
        ({"clocks": {"resolution": "walk"}}, "statuses.0.clocks.resolution"),
    ],
)
def test_S1_a_wrong_status_is_named(change: dict[str, Any], named: str) -> None:
    statuses = [
        {"key": category, "label": {"en": category}, "category": category} for category in map(str, StatusCategory)
    ]
    statuses[0] |= change
    with pytest.raises(ValueError, match=named) as fault:
        read_statuses({"statuses": statuses})
    assert str(fault.value).startswith("statuses.yaml: ")


def test_S1_every_category_needs_a_status() -> None:
    with pytest.raises(ValueError, match="pending needs exactly one default"):
        read_statuses({"statuses": [{"key": "open", "label": {"en": "Open"}, "category": "open"}]})


@pytest.mark.parametrize("status", ["pending", "waiting_on_customer", "waiting_on_internal", "resolved"])
def test_S2_a_customers_message_ends_waiting_right_after_the_message(status: str) -> None:
    decision = append_message(ticket(status), written(), STATUSES, LATER, CUSTOMER)
    message, changed = (said.event for said in decision.say)
    assert isinstance(message, TicketMessageAdded)
    assert isinstance(changed, TicketChanged)
    assert decision.ticket.status == "open"
    assert changed.reopened is (status == "resolved")
    assert decision.say[0].ticket.status == status


@pytest.mark.parametrize("status", ["open", "in_progress", "escalated"])
def test_S2_a_customers_message_changes_no_status_that_is_worked_on(status: str) -> None:
    assert append_message(ticket(status), written(), STATUSES, LATER, CUSTOMER).ticket.status == status


@pytest.mark.parametrize("kind", [MessageKind.AUTOMATIC, MessageKind.AI, MessageKind.SYSTEM])
@pytest.mark.parametrize("status", ["pending", "resolved", "open"])
def test_S3_a_machines_message_changes_no_status_no_count_and_no_closing_time(kind: MessageKind, status: str) -> None:
    before = ticket(status)
    after = append_message(before, written(kind), STATUSES, LATER, SYSTEM).ticket
    assert (after.status, after.epoch, after.close_at) == (before.status, before.epoch, before.close_at)
    assert (after.customer_messages, after.human_replies) == (0, 0)


def test_S4_an_answer_submitted_as_pending_is_said_before_the_status() -> None:
    decision = reply(ticket(), written(MessageKind.AGENT), "pending", STATUSES, LATER, MIRA)
    first, second = decision.say
    assert isinstance(first.event, TicketMessageAdded)
    assert first.event.is_human_answer
    assert (first.ticket.status, second.ticket.status) == ("open", "pending")
    assert [said.ticket.version for said in decision.say] == [2, 3]


def test_S4_a_note_never_changes_the_status_and_says_no_text() -> None:
    before = ticket("pending")
    decision = note(before, written(None, "secret"), LATER, MIRA)  # type: ignore[arg-type]
    assert decision.ticket.status == "pending"
    assert b"secret" not in decision.say[0].event.wire_json()
    assert decision.messages[0].visibility == "internal"


def test_S5_whoever_resolves_a_ticket_without_an_assignee_becomes_it() -> None:
    decision = change(ticket(), {"status": "resolved"}, STATUSES, LATER, MIRA)
    assert decision.ticket.assignee == "mira"
    owned = change(ticket(assignee="tom"), {"status": "resolved"}, STATUSES, LATER, MIRA)
    assert owned.ticket.assignee == "tom"
    by_system = change(ticket(), {"status": "resolved"}, STATUSES, LATER, SYSTEM)
    assert (by_system.ticket.assignee, by_system.say[0].by.actor) == (None, "system")


def test_S6_closed_is_terminal_but_for_subject_and_tags() -> None:
    closed = ticket("closed")
    for wanted in ({"status": "open"}, {"priority": "high"}, {"tags": ("a",), "assignee": "mira"}):
        with pytest.raises(Refused) as refused:
            change(closed, wanted, STATUSES, LATER, MIRA)
        assert refused.value.allowed == []
    with pytest.raises(Refused):
        append_message(closed, written(), STATUSES, LATER, CUSTOMER)
    edited = change(closed, {"tags": ("b", "a"), "subject": "Lamps"}, STATUSES, LATER, MIRA).ticket
    assert (edited.tags, edited.subject, edited.status) == (("a", "b"), "Lamps", "closed")


def test_S7_a_transition_that_is_not_allowed_names_those_that_are() -> None:
    with pytest.raises(Refused) as refused:
        change(ticket(), {"status": "closed"}, STATUSES, LATER, MIRA)
    assert refused.value.allowed == sorted(set(KEYS) - {"open", "closed"})
    with pytest.raises(UnknownStatus):
        change(ticket(), {"status": "sleeping"}, STATUSES, LATER, MIRA)


def test_S8_a_status_that_was_removed_counts_as_the_default_of_its_category() -> None:
    assert STATUSES.present("forgotten", StatusCategory.PENDING).key == "pending"


def test_K1_resolving_sets_the_closing_time_and_human_messages_move_it() -> None:
    resolved = change(ticket(), {"status": "resolved"}, STATUSES, NOW, MIRA).ticket
    assert resolved.close_at == NOW + timedelta(hours=72)
    moved = append_message(resolved, written(MessageKind.AGENT), STATUSES, LATER, MIRA).ticket
    assert moved.close_at == LATER + timedelta(hours=72)
    assert change(moved, {"status": "open"}, STATUSES, LATER, MIRA).ticket.close_at is None


@pytest.mark.parametrize("status", KEYS)
def test_K2_only_a_resolved_ticket_closes_by_itself_and_only_when_its_time_has_come(status: str) -> None:
    before = ticket(status)
    assert auto_close(before, STATUSES, NOW + timedelta(hours=71)).ticket == before
    closes = auto_close(before, STATUSES, NOW + timedelta(hours=72)).ticket.status == "closed"
    assert closes is (status in ("resolved", "closed"))


STEPS = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(KEYS)),
    st.tuples(st.just("message"), st.sampled_from([kind.value for kind in MessageKind])),
    st.tuples(st.just("assign"), st.sampled_from(["mira", "tom", ""])),
    st.tuples(st.just("close"), st.just("")),
)


@given(steps=st.lists(STEPS, max_size=25))
def test_whatever_happens_versions_epochs_and_states_stay_sound(steps: list[tuple[str, str]]) -> None:
    """S-2, S-6, decisions 8: epoch rises exactly with assignee, queue and category; each fact has the next version."""
    present, now = ticket(), NOW
    for step, value in steps:
        now += timedelta(hours=30)
        before = present
        decision = _take(present, step, value, now)
        if isinstance(decision, Refused):
            assert before.is_closed or value not in decision.allowed
            continue
        for place, said in enumerate(decision.say, 1):
            assert said.ticket.version == before.version + place
            status = STATUSES.present(said.ticket.status, said.ticket.status_category)
            assert status.category is said.ticket.status_category
            state = TicketState.model_validate_json(state_json(said.ticket, status))
            assert (state.epoch, state.counts, state.clocks) == (said.ticket.epoch, status.counts, status.clocks)
        present = decision.ticket
        assert (present.epoch > before.epoch) is (_routing_depends(present) != _routing_depends(before))
        assert (present.close_at is not None) is (present.status_category is StatusCategory.RESOLVED)
        assert not (before.is_closed and not present.is_closed)


def _take(present: Ticket, step: str, value: str, now: datetime) -> Decision | Refused:
    try:
        match step:
            case "status":
                return change(present, {"status": value}, STATUSES, now, MIRA)
            case "message":
                return append_message(present, written(MessageKind(value)), STATUSES, now, CUSTOMER)
            case "assign":
                return change(present, {"assignee": value or None}, STATUSES, now, MIRA)
        return auto_close(present, STATUSES, now)
    except Refused as refused:
        return refused


def _routing_depends(present: Ticket) -> tuple[object, ...]:
    return present.assignee, present.queue, present.status_category
