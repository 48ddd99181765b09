"""One reservation, one fact: what becomes of load, turn and ticket (decisions 8c)."""

from datetime import UTC, datetime

import pytest

from libs.contracts.ticket_state import TicketState
from services.router.assignment.floor import Agent, Floor, Queue
from services.router.assignment.settling import Heard, hear
from services.router.assignment.ticket import Reservation, Ticket

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def state(epoch: int, assignee: str | None = None, category: str = "open") -> TicketState:
    content = {"id": "t", "status": category, "status_category": category, "channel": "email", "counts": True}
    return TicketState.model_validate(
        {**content, "epoch": epoch, "assignee": assignee, "queue": "q", "created_at": NOW, "updated_at": NOW}
    )


@pytest.mark.parametrize(
    ("epoch", "assignee", "cause", "load", "turns", "waits"),
    [
        pytest.param(4, None, None, 1, 6, False, id="an older epoch says nothing about it"),
        pytest.param(5, None, None, 1, 6, False, id="nor does the same epoch"),
        pytest.param(6, "ann", "d", 1, 6, False, id="confirmed: the reservation became a ticket"),
        pytest.param(5, "ann", "d", 1, 6, False, id="confirmed without a change: she had it already"),
        pytest.param(6, "bob", "d", 0, 5, False, id="refused: somebody else has it"),
        pytest.param(6, None, "d", 0, 5, True, id="refused: nobody has it, so it is planned again"),
        pytest.param(6, None, "another decision", 0, 5, True, id="the epoch moved on for another reason"),
        pytest.param(6, "ann", None, 1, 5, False, id="by hand to the same agent: no turn"),
        pytest.param(6, "gone", None, 0, 5, True, id="to somebody who has left: planned again"),
    ],
)
def test_R6_a_reservation_is_confirmed_by_its_cause_or_given_back(
    epoch: int, assignee: str | None, cause: str | None, load: int, turns: int, waits: bool
) -> None:
    agents = {"ann": Agent("ann", load=1), "bob": Agent("bob"), "gone": Agent("gone", active=False)}
    floor = Floor({"q": Queue("q", "Q", "lead")}, agents, {("q", "ann"): 6})
    ticket = Ticket("t", epoch=5, queue="q", active=True, counts=True)
    ticket.reservation = Reservation("d", 5, "ann", "q")
    hear(ticket, Heard(state(epoch, assignee), NOW, cause), floor)
    assert (agents["ann"].load, floor.turn("q", "ann"), ticket.waiting) == (load, turns, waits)


def test_S1_a_resolved_ticket_gives_back_everything_and_wants_nobody() -> None:
    floor = Floor({}, {"ann": Agent("ann", load=1)}, {("q", "ann"): 1})
    ticket = Ticket("t", epoch=0, active=True, waiting=False, reservation=Reservation("d", 0, "ann", "q"))
    hear(ticket, Heard(state(1, category="resolved"), NOW), floor)
    assert (floor.agents["ann"].load, floor.turn("q", "ann")) == (0, 0)
    assert not ticket.waiting
