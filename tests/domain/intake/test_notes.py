"""Notes stay inside (behaviour N-1)."""

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.ticket import TicketNoteAdded
from services.intake.domain.appending import note
from services.intake.domain.message import Message, Visibility
from services.intake.domain.ticket import state_json
from services.notifier.handlers import HEARS
from tests.domain.intake.tickets import LATER, MIRA, STATUSES, ticket

SECRETS = st.text("€§", min_size=3)
"""Signs that nothing else of a ticket has."""


@given(SECRETS)
def test_N1_no_fact_and_no_header_carries_a_word_of_a_note(text: str) -> None:
    decision = note(ticket(), Message("m1", None, text, LATER, "note"), LATER, MIRA)
    (said,) = decision.say
    header = state_json(said.ticket, STATUSES[said.ticket.status])
    assert text not in said.event.wire_json().decode()
    assert text not in header.decode()
    assert [message.visibility for message in decision.messages] == [Visibility.INTERNAL]


def test_N1_whoever_sends_mail_does_not_act_on_notes() -> None:
    assert TicketNoteAdded not in HEARS
    assert not {"text", "html", "subject"} & TicketNoteAdded.model_fields.keys()
