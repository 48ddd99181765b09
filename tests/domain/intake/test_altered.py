"""A record in another version."""

from dataclasses import replace

import pytest

from services.intake.domain.altered import altered
from tests.domain.intake.tickets import ticket


def test_an_altered_record_is_what_replace_makes_and_the_record_stays() -> None:
    before = ticket()
    after = altered(before, subject="Other", version=7)
    assert after == replace(before, subject="Other", version=7)
    assert before == ticket() != after


def test_a_field_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Ticket has no colour"):
        altered(ticket(), colour="red")
