"""What a customer's message on a closed ticket becomes (behaviour H-4, S-2)."""

import json

import pytest

from libs.contracts.ticket import TicketChanged, TicketMessageAdded, TicketRestored
from services.intake.domain.altered import altered
from services.intake.domain.decision import SYSTEM
from services.intake.domain.follow_up import Continuation, FollowUp, continuation, revive, tell_refusal
from services.intake.domain.ticket import Ticket
from tests.domain.intake.tickets import LATER, STATUSES, ticket, written
from tests.support.outside import outside

POLICIES = {1: FollowUp.REOPEN, 2: FollowUp.REFUSE, 3: FollowUp.NEW_TICKET}
RESULTS = {2: {Continuation.APPEND, Continuation.REOPEN}, 3: {Continuation.BEGIN}, 4: {Continuation.REFUSE}}
# a mail to a merged ticket is decided on the ticket that it was merged into (H-5)
STATES = {"new": "open", "pending reminder": "pending", "merged": "open"}


def in_state(state: str) -> Ticket:
    """A ticket as that program's state is called here."""
    if state == "removed":
        return altered(ticket(), removed="deleted")
    return ticket("closed" if state.startswith("closed") else STATES.get(state, state))


def test_H4_replies_by_state_and_policy_go_where_another_program_puts_them() -> None:
    cases = json.loads(outside("routing/followup_policy.json").read_text())["cases"]
    wrong = [
        case
        for case in cases
        if continuation(in_state(case["state"]), POLICIES[case["policy"]]) not in RESULTS[case["result"]]
    ]
    assert (wrong, len(cases)) == ([], 21)


@pytest.mark.parametrize("status", ["open", "pending", "resolved"])
@pytest.mark.parametrize("wished", FollowUp)
def test_S2_no_policy_touches_a_ticket_that_is_not_closed(status: str, wished: FollowUp) -> None:
    assert continuation(ticket(status), wished) is Continuation.APPEND


def test_H5_a_chain_of_merges_without_an_end_begins_a_ticket() -> None:
    merged = altered(ticket("closed"), merged_into="t2")
    assert {continuation(merged, wished) for wished in FollowUp} == {Continuation.BEGIN}


def test_H4_a_closed_ticket_that_may_reopen_is_open_again_and_says_so() -> None:
    decision = revive(ticket("closed"), STATUSES, LATER, SYSTEM)
    (said,) = decision.say
    assert isinstance(said.event, TicketChanged)
    assert said.event.reopened
    assert (decision.ticket.status, decision.ticket.resolved_at) == ("open", None)
    assert decision.ticket.epoch > ticket("closed").epoch


def test_H4_a_deleted_ticket_that_may_reopen_is_restored_first() -> None:
    decision = revive(altered(ticket("closed"), removed="deleted"), STATUSES, LATER, SYSTEM)
    assert [type(said.event) for said in decision.say] == [TicketRestored, TicketChanged]
    assert (decision.ticket.removed, decision.ticket.status) == (None, "open")
    versions = [said.ticket.version for said in decision.say]
    assert versions == [ticket("closed").version + 1, ticket("closed").version + 2]


def test_H4_a_refusal_is_a_message_on_the_closed_ticket_and_changes_nothing_else() -> None:
    before = ticket("closed")
    decision = tell_refusal(before, written(), LATER, SYSTEM)
    (said,) = decision.say
    assert isinstance(said.event, TicketMessageAdded)
    assert decision.ticket == altered(before, version=before.version + 1, updated_at=LATER)
    assert decision.messages[0].n == decision.ticket.version
