"""What a merge does to both tickets (behaviour M-1 to M-4)."""

from dataclasses import replace

from libs.contracts.ticket import TicketAbsorbed, TicketMerged
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.decision import SYSTEM, Decision
from services.intake.domain.merging import merge
from tests.domain.intake.tickets import LATER, STATUSES, ticket


def merged() -> tuple[Decision, Decision]:
    source = replace(ticket("pending", tags=("lamp", "vip")), id="source", customer_messages=2, human_replies=1)
    target = replace(ticket(tags=("hub", "vip")), id="target", customer_messages=1)
    return merge(source, target, STATUSES, LATER, SYSTEM)


def test_M4_the_source_is_closed_and_leads_to_the_target() -> None:
    source, _ = merged()
    assert source.ticket.status_category is StatusCategory.CLOSED
    assert (source.ticket.merged_into, source.ticket.close_at) == ("target", None)
    assert [said.event for said in source.say] == [TicketMerged(target="target")]


def test_M1_both_sides_say_it_in_their_own_numbers_and_make_decisions_under_way_stale() -> None:
    for decision in merged():
        (said,) = decision.say
        assert said.ticket.version == decision.ticket.version
        assert decision.ticket.epoch > 0
    _, target = merged()
    event = target.say[0].event
    assert isinstance(event, TicketAbsorbed)
    assert [source.id for source in event.sources] == ["source"]


def test_M2_messages_stay_with_the_ticket_they_were_written_to() -> None:
    assert [decision.messages for decision in merged()] == [(), ()]


def test_M3_tags_are_united_and_counts_added() -> None:
    _, target = merged()
    assert target.ticket.tags == ("hub", "lamp", "vip")
    assert (target.ticket.customer_messages, target.ticket.human_replies) == (3, 1)
    assert target.ticket.status == "open"
