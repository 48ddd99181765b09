"""Intake's side of the assignment protocol (decisions 7 and 8)."""

from typing import Any

import pytest

from libs.contracts.routing import RoutedFields, TicketRouted
from libs.contracts.ticket import TicketChanged
from services.intake.domain.changing import apply_routing, change
from services.intake.domain.decision import By
from services.intake.domain.ticket import Ticket
from tests.domain.intake.tickets import LATER, MIRA, NOW, STATUSES, ticket

ROUTER = By("service:router", cause="replaced")


def routed(present: Ticket, *, epoch: int | None = None, **fields: Any) -> TicketRouted:
    return TicketRouted(
        decision_id="d1",
        epoch=present.epoch if epoch is None else epoch,
        queue="billing",
        assignee="mira",
        fields=RoutedFields(**fields),
    )


def test_decisions_8b_a_decision_for_the_present_epoch_is_applied_and_named_as_the_cause() -> None:
    before = ticket()
    decision = apply_routing(
        before, routed(before, category="billing", priority="high", add_tags=("refund",)), STATUSES, LATER, ROUTER
    )
    after, (said,) = decision.ticket, decision.say
    assert (after.queue, after.assignee, after.category, after.priority) == ("billing", "mira", "billing", "high")
    assert (after.tags, after.routed, after.epoch, after.version) == (("refund",), True, 1, 2)
    assert said.by.cause == "d1"
    assert isinstance(said.event, TicketChanged)
    assert said.event.changes["assignee"].new == "mira"
    assert not said.event.by_person
    assert after.set_by_person == frozenset()


def test_decisions_8b_a_stale_decision_sets_fields_only_and_is_answered_all_the_same() -> None:
    before = change(ticket(), {"assignee": "tom"}, STATUSES, NOW, MIRA).ticket
    decision = apply_routing(before, routed(before, epoch=0, category="billing"), STATUSES, LATER, ROUTER)
    assert (decision.ticket.assignee, decision.ticket.queue, decision.ticket.category) == ("tom", None, "billing")
    assert (decision.ticket.epoch, decision.ticket.routed) == (before.epoch, False)
    assert decision.say[0].by.cause == "d1"


def test_decisions_8b_a_decision_that_changes_nothing_is_answered_with_no_changes() -> None:
    before = ticket()
    once = apply_routing(before, routed(before), STATUSES, LATER, ROUTER).ticket
    decision = apply_routing(once, routed(once), STATUSES, LATER, ROUTER)
    (said,) = decision.say
    assert isinstance(said.event, TicketChanged)
    assert said.event.changes == {}
    assert (decision.ticket.epoch, decision.ticket.version) == (once.epoch, once.version + 1)


@pytest.mark.parametrize(
    ("chosen", "field", "kept"),
    [
        ({"priority": "low"}, "priority", "low"),
        ({"category": "sales"}, "category", "sales"),
        ({"queue": "sales"}, "queue", "sales"),
        ({"custom": {"size": 1}}, "custom", {"size": 1}),
    ],
)
def test_decisions_7_routing_never_overwrites_what_a_person_set(chosen: dict[str, Any], field: str, kept: Any) -> None:
    before = change(ticket(), chosen, STATUSES, NOW, MIRA).ticket
    wanted = routed(before, category="billing", priority="high", custom={"size": 2})
    assert getattr(apply_routing(before, wanted, STATUSES, LATER, ROUTER).ticket, field) == kept


def test_decisions_7_a_field_that_a_person_cleared_is_routings_again() -> None:
    chosen = change(ticket(), {"priority": "low"}, STATUSES, NOW, MIRA).ticket
    cleared = change(chosen, {"priority": None}, STATUSES, NOW, MIRA).ticket
    assert apply_routing(cleared, routed(cleared, priority="high"), STATUSES, LATER, ROUTER).ticket.priority == "high"


def test_decisions_8_an_inactive_owner_is_replaced_at_an_equal_epoch() -> None:
    """A refusal here would leave a reservation behind, so intake does not refuse."""
    before = change(ticket(), {"assignee": "tom"}, STATUSES, NOW, MIRA).ticket
    assert apply_routing(before, routed(before), STATUSES, LATER, ROUTER).ticket.assignee == "mira"


def test_S6_a_late_decision_leaves_a_closed_ticket_as_it_is() -> None:
    closed = ticket("closed")
    decision = apply_routing(closed, routed(closed, epoch=0, category="billing"), STATUSES, LATER, ROUTER)
    assert (decision.ticket.category, decision.ticket.assignee) == (None, None)
    assert len(decision.say) == 1


def test_decisions_8_only_what_routing_depends_on_raises_the_epoch() -> None:
    before = ticket()
    for wanted in ({"priority": "high"}, {"tags": ("a",)}, {"subject": "x"}, {"custom": {"a": 1}}):
        assert change(before, wanted, STATUSES, LATER, MIRA).ticket.epoch == before.epoch
    for wanted in ({"assignee": "tom"}, {"queue": "sales"}, {"status": "pending"}):
        assert change(before, wanted, STATUSES, LATER, MIRA).ticket.epoch == before.epoch + 1
    assert change(before, {"status": "escalated"}, STATUSES, LATER, MIRA).ticket.epoch == before.epoch
