"""The header `ticket` of intake's facts (behaviour D-10)."""

import pytest

from libs.contracts.ticket_state import MAX_STATE_BYTES, TicketState
from services.intake.domain.ticket import state_json
from tests.domain.intake.tickets import ADA, STATUSES, ticket


def test_D10_the_state_comes_back_from_its_header() -> None:
    state = TicketState.model_validate_json(state_json(ticket(tags=("a",)), STATUSES["open"]))
    assert TicketState.decode(state.encode()) == state


def test_D10_the_header_tells_no_person_and_no_subject() -> None:
    header = state_json(ticket(), STATUSES["open"]).decode()
    for personal in (ADA.name, ADA.email, "Lamp"):
        assert personal
        assert personal not in header


def test_D10_a_state_over_8_KB_is_refused() -> None:
    state = TicketState.model_validate_json(state_json(ticket(), STATUSES["open"]))
    with pytest.raises(ValueError, match="8192 are allowed"):
        state.model_copy(update={"tags": ("x" * MAX_STATE_BYTES,)}).encode()
