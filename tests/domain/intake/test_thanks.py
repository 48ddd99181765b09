"""Thanks may leave a resolved ticket as it is, where a team wants that; never silently (behaviour K-4)."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.ticket import MessageKind, TicketMessageAdded
from services.intake.domain.appending import append_message
from services.intake.domain.decision import CUSTOMER
from services.intake.domain.thanks import is_thanks
from services.intake.status_file import read_statuses
from tests.domain.intake.tickets import FILE, LATER, STATUSES, ticket, written

KEEPS = read_statuses(yaml.safe_load(FILE.read_text()) | {"thanks_reopen": False})


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "Thank you so much for the quick help 🙂",
        "Great, it works now. Thanks a lot, Mira!",
        "Vielen Dank für die schnelle Hilfe!\n\nViele Grüße\nAda",
        "Merci beaucoup",
        "ありがとうございます",
        "THX",
    ],
)
def test_K4_nothing_but_thanks(text: str) -> None:
    assert is_thanks(text, ["mira", "Ada Byron"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It works now",
        "Thanks, but it is still broken",
        "Thanks. Can you also look at the hub?",
        "Thank you, however the lamp flickers",
        "No thanks",
        "Danke, aber es geht nicht",
        "Thanks for nothing",
        "Thanks " * 30,
        "Thanks Bob",
    ],
)
def test_K4_what_is_not_understood_is_no_thanks(text: str) -> None:
    assert not is_thanks(text, ["mira"])


@given(st.text(max_size=80))
def test_K4_an_unknown_word_is_never_thanks(text: str) -> None:
    assert not is_thanks(f"thanks {text} broken")


def test_K4_thanks_reopen_unless_a_team_wants_otherwise() -> None:
    thanks = written(text="Thank you!")
    assert append_message(ticket("resolved"), thanks, STATUSES, LATER, CUSTOMER).ticket.status == "open"
    decision = append_message(ticket("resolved"), thanks, KEEPS, LATER, CUSTOMER)
    assert decision.ticket.status == "resolved"
    (said,) = decision.say
    assert isinstance(said.event, TicketMessageAdded)
    assert said.event.thanks
    assert decision.messages[0].thanks
    assert decision.ticket.customer_messages == 1


@pytest.mark.parametrize("status", ["pending", "open"])
def test_K4_only_a_resolved_ticket_stays_as_it_is_and_only_for_customers(status: str) -> None:
    decision = append_message(ticket(status), written(text="Thanks"), KEEPS, LATER, CUSTOMER)
    assert decision.ticket.status == "open"
    assert decision.messages[0].thanks is None
    machine = append_message(ticket("resolved"), written(MessageKind.AUTOMATIC, "Thanks"), KEEPS, LATER, CUSTOMER)
    assert machine.messages[0].thanks is None
