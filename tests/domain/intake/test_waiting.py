"""What happens to tickets that nobody writes on, and in which hours (behaviour S-1, S-8, K-1, K-2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.ticket import MessageKind, TicketChanged, TicketReminderDue
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.appending import append_message, note
from services.intake.domain.changing import auto_close, change
from services.intake.domain.decision import CUSTOMER
from services.intake.domain.removing import remove
from services.intake.domain.status import Statuses
from services.intake.domain.waiting import next_step, take_step
from services.intake.status_file import read_hours, read_statuses, wrong_moves
from tests.domain.intake.tickets import FILE, LATER, MIRA, NOW, ticket, written

DAY = timedelta(days=1)
OFFICE = read_hours(yaml.safe_load((FILE.parent / "worktime.yaml").read_text()))


def statuses(**changes: dict[str, Any]) -> Statuses:
    """The categories' statuses with these changed, by key."""
    parts = [
        {"key": str(each), "label": {"en": str(each)}, "category": str(each), **changes.get(str(each), {})}
        for each in StatusCategory
    ]
    return read_statuses({"statuses": parts}, OFFICE)


WAITS = statuses(
    pending={"remind_after": ["3d", "5d"], "auto_transition": {"after": "7d", "to": "resolved"}},
    on_hold={"auto_transition": {"after": "16h", "to": "open", "schedule": "office"}},
    resolved={"auto_transition": {"after": "8h", "to": "closed", "schedule": "office"}},
)


def in_status(key: str) -> Any:
    return change(ticket(), {"status": key}, WAITS, NOW, MIRA).ticket


def test_K2_a_pending_ticket_is_reminded_of_and_then_resolved_never_closed() -> None:
    present = in_status("pending")
    said: list[tuple[str, timedelta, str]] = []
    while (step := next_step(present, WAITS)) is not None:
        assert take_step(present, WAITS, step.due - timedelta(seconds=1)).say == ()
        decision = take_step(present, WAITS, step.due)
        present = decision.ticket
        said += [(each.event.NAME, each.ticket.updated_at - NOW, each.by.actor) for each in decision.say]
    assert said == [
        ("reminder-due", 3 * DAY, "system"),
        ("reminder-due", 5 * DAY, "system"),
        ("changed", 7 * DAY, "system"),
    ]
    assert present.status == "resolved"


def test_K2_a_reminder_says_how_often_since_when_and_what_comes() -> None:
    (said,) = take_step(in_status("pending"), WAITS, NOW + 3 * DAY).say
    assert said.event == TicketReminderDue(number=1, waiting_since=NOW, moves_at=NOW + 7 * DAY)
    assert said.ticket.epoch == in_status("pending").epoch


def test_K2_after_a_downtime_the_move_comes_instead_of_the_reminders_before_it() -> None:
    decision = take_step(in_status("pending"), WAITS, NOW + 30 * DAY)
    assert [type(each.event) for each in decision.say] == [TicketChanged]


@pytest.mark.parametrize("kind", list(MessageKind))
def test_K2_a_persons_message_begins_the_waiting_anew_and_a_machines_does_not(kind: MessageKind) -> None:
    reminded = take_step(in_status("pending"), WAITS, NOW + 3 * DAY).ticket
    after = append_message(reminded, written(kind), WAITS, NOW + 4 * DAY, CUSTOMER).ticket
    if kind is MessageKind.CUSTOMER:
        assert (after.status, next_step(after, WAITS)) == ("open", None)
    elif kind is MessageKind.AGENT:
        assert (after.waiting_since, after.reminders) == (NOW + 4 * DAY, None)
    else:
        assert (after.waiting_since, after.reminders) == (NOW, 1)


def test_K2_notes_and_other_fields_do_not_move_what_a_ticket_waits_for() -> None:
    present = in_status("pending")
    noted = note(present, written(None, "x"), LATER, MIRA).ticket  # type: ignore[arg-type]
    edited = change(noted, {"priority": "high"}, WAITS, LATER, MIRA).ticket
    assert next_step(edited, WAITS) == next_step(present, WAITS)


def test_K2_what_is_removed_or_has_another_status_waits_for_nothing() -> None:
    assert next_step(remove(in_status("pending"), "spam", NOW, MIRA).ticket, WAITS) is None
    assert next_step(change(in_status("pending"), {"status": "open"}, WAITS, LATER, MIRA).ticket, WAITS) is None
    assert next_step(ticket(), WAITS) is None


def test_K1_S1_closing_and_moving_may_count_the_hours_of_a_schedule() -> None:
    friday = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)  # 16:00 in Berlin
    resolved = change(ticket(), {"status": "resolved"}, WAITS, friday, MIRA).ticket
    assert resolved.close_at == datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
    held = change(ticket(), {"status": "on_hold"}, WAITS, friday, MIRA).ticket
    step = next_step(held, WAITS)
    assert step is not None
    assert (step.due, step.to) == (datetime(2026, 3, 10, 15, 0, tzinfo=UTC), "open")


def test_K1_a_ticket_is_closed_as_of_its_time_however_late_it_is_looked_at() -> None:
    resolved = in_status("resolved")
    assert resolved.close_at is not None
    (said,) = auto_close(resolved, WAITS, resolved.close_at + 3 * DAY).say
    assert said.ticket.updated_at == resolved.close_at
    edited = altered(resolved, updated_at=resolved.close_at + timedelta(seconds=1))
    (later,) = auto_close(edited, WAITS, resolved.close_at + timedelta(seconds=2)).say
    assert later.ticket.updated_at == edited.updated_at


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pending": {"auto_transition": {"after": "7d", "to": "closed"}}}, "cannot become closed"),
        (
            {"pending": {"auto_transition": {"after": "7d", "to": "closed"}, "transitions": ["closed"]}},
            "only a resolved ticket closes by itself",
        ),
        ({"pending": {"auto_transition": {"after": "7d", "to": "gone"}}}, "there is no status 'gone'"),
        ({"pending": {"auto_transition": {"after": "soon", "to": "open"}}}, "statuses.1.auto_transition.after"),
        ({"pending": {"auto_transition": {"after": "1h", "to": "open", "schedule": "x"}}}, "there is no schedule 'x'"),
        ({"open": {"remind_after": ["3d"]}}, "only of a ticket that is pending"),
        ({"pending": {"remind_after": ["3d", "1d"]}}, "the shortest comes first"),
        ({"resolved": {"auto_close_after_hours": 1, "auto_transition": {"after": "1h", "to": "closed"}}}, "says it"),
    ],
)
def test_K2_what_a_status_cannot_do_by_itself_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as fault:
        statuses(**changes)
    assert str(fault.value).startswith("statuses.yaml: ")


def test_S8_a_status_that_is_taken_out_names_where_its_tickets_are_now() -> None:
    before = yaml.safe_load(FILE.read_text())
    after = {**before, "statuses": [each for each in before["statuses"] if each["key"] != "escalated"]}
    assert "escalated is no status any more" in wrong_moves(before, after)[0]
    moved = {**after, "moved": {"escalated": "in_progress"}}
    assert wrong_moves(before, moved) == []
    assert read_statuses(moved).present("escalated", StatusCategory.OPEN).key == "in_progress"
    with pytest.raises(ValueError, match="moved"):
        read_statuses({**after, "moved": {"escalated": "nowhere"}})
    with pytest.raises(ValueError, match="moved"):
        read_statuses({**before, "moved": {"escalated": "open"}})


def test_S8_where_tickets_were_moved_is_kept_and_of_the_same_category() -> None:
    before = yaml.safe_load(FILE.read_text())
    after = {**before, "statuses": [each for each in before["statuses"] if each["key"] != "escalated"]}
    (wrong,) = wrong_moves(before, {**after, "moved": {"escalated": "pending"}})
    assert wrong == "escalated was open and its tickets would be pending; name a status of the same category"
    moved = {**after, "moved": {"escalated": "in_progress"}}
    assert "escalated is no status any more" in wrong_moves(moved, after)[0]
    assert wrong_moves(moved, {**after, "moved": {"escalated": "open"}}) == []
    assert wrong_moves(moved, before) == []


@given(st.lists(st.integers(1, 200), max_size=12))
def test_K2_no_ticket_is_reminded_of_more_often_than_its_status_says_between_two_messages(hours: list[int]) -> None:
    present, now, since_person = in_status("pending"), NOW, 0
    for place, pause in enumerate(hours):
        now += timedelta(hours=pause)
        decision = take_step(present, WAITS, now)
        since_person += sum(isinstance(each.event, TicketReminderDue) for each in decision.say)
        assert since_person <= 2
        present = decision.ticket
        if place % 3 == 2 and present.status == "pending":
            present = append_message(present, written(MessageKind.AGENT), WAITS, now, MIRA).ticket
            since_person = 0
