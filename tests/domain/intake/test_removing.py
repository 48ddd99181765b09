"""Out of work and back, and what customers think of it (behaviour L-14, K-5)."""

from datetime import timedelta

import pytest

from libs.contracts.ticket import MessageKind, TicketRated, TicketRemoved, TicketRestored
from services.intake.domain.altered import altered
from services.intake.domain.appending import reply
from services.intake.domain.changing import change
from services.intake.domain.decision import CUSTOMER, Refused
from services.intake.domain.rating import attributed, rate
from services.intake.domain.removing import remove, restore
from tests.domain.intake.tickets import LATER, MIRA, STATUSES, ticket, written


@pytest.mark.parametrize("reason", ["spam", "deleted"])
def test_L14_what_is_removed_comes_back_as_it_was(reason: str) -> None:
    before = ticket("resolved")
    removed = remove(before, reason, LATER, MIRA)
    (said,) = removed.say
    assert said.event == TicketRemoved(reason=reason)
    assert removed.ticket.spam is (reason == "spam")
    assert (removed.ticket.epoch, removed.ticket.close_at) == (before.epoch + 1, None)
    assert remove(removed.ticket, reason, LATER, MIRA).say == ()
    back = restore(removed.ticket, "a mistake", STATUSES, LATER, MIRA)
    assert back.say[0].event == TicketRestored(reason="a mistake")
    assert (back.ticket.status, back.ticket.removed, back.ticket.spam) == ("resolved", None, False)
    assert back.ticket.close_at == LATER + timedelta(hours=72)
    assert back.ticket.epoch == before.epoch + 2


def test_L14_what_is_part_of_another_ticket_is_not_removed_and_what_is_there_is_not_restored() -> None:
    with pytest.raises(Refused):
        remove(altered(ticket("closed"), merged_into="t2"), "spam", LATER, MIRA)
    with pytest.raises(Refused):
        restore(altered(ticket(), removed="erased"), "why", STATUSES, LATER, MIRA)
    assert restore(ticket(), "why", STATUSES, LATER, MIRA).say == ()


def test_K5_a_rating_goes_to_who_answered_last_and_to_who_had_it_when_it_was_resolved() -> None:
    answered = reply(
        ticket(assignee="tom"), written(MessageKind.AGENT, author="mira"), "resolved", STATUSES, LATER, MIRA
    )
    later = change(answered.ticket, {"assignee": "eva"}, STATUSES, LATER, MIRA).ticket
    assert attributed(later) == ("mira", "tom")
    (said,) = rate(later, 4, LATER, CUSTOMER).say
    assert said.event == TicketRated(score=4, agents=("mira", "tom"))


def test_K5_the_last_rating_counts_and_the_same_again_says_nothing() -> None:
    first = rate(ticket("closed"), 2, LATER, CUSTOMER).ticket
    assert rate(first, 2, LATER, CUSTOMER).say == ()
    second = rate(first, 5, LATER, CUSTOMER)
    assert (second.ticket.rating, len(second.say)) == (5, 1)
    assert second.ticket.epoch == first.epoch


def test_K5_agents_do_not_rate_themselves() -> None:
    with pytest.raises(Refused):
        rate(ticket(assignee="mira"), 5, LATER, MIRA)
    assert rate(ticket(assignee="tom"), 5, LATER, MIRA).ticket.rating == 5
