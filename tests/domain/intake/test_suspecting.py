"""What is said, or done, about a new ticket that may be there already (behaviour M-5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.contracts.suspicion import TicketDuplicateSuspected
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.duplicates import Matter, suspicions
from services.intake.domain.suspecting import DuplicateRules, Suspected, same_by_key, suspect, worth_saying
from tests.domain.intake.tickets import LATER, ticket

THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEW = Matter("Lamp broken", "It is dark", {"order": "A-1024"}, "ann", "ash", THEN, "t5", "10055")
RULES = DuplicateRules(suspect=True, merge_on=("order",))


def found(*, worked_on: bool = True, new: Matter = NEW, **of: Any) -> list[Suspected]:
    other = replace(NEW, **{"id": "t3", "reference": "10033", **of})
    return [Suspected(other, each, worked_on) for each in suspicions(new, [other])]


@pytest.mark.parametrize(
    ("of", "said"),
    [
        pytest.param({}, True, id="the same person, subject and words"),
        pytest.param({"customer_id": "bob"}, True, id="a colleague"),
        pytest.param({"customer_id": "bob", "organisation": None}, False, id="somebody else"),
        pytest.param({"id": "t7"}, False, id="a later one"),
        pytest.param({"created_at": THEN - timedelta(hours=72)}, True, id="72 hours before"),
        pytest.param({"created_at": THEN - timedelta(hours=72, seconds=1)}, False, id="longer ago"),
        pytest.param({"subject": "Invoice", "text": "please send it", "custom": {}}, False, id="another matter"),
    ],
)
def test_M5_what_is_suspected_of_a_new_ticket(of: dict[str, Any], said: bool) -> None:
    assert [each.ticket_id for each in worth_saying(NEW, found(**of))] == (["t3"] if said else [])


@pytest.mark.parametrize(
    ("of", "target"),
    [
        pytest.param({}, "t3", id="the same order"),
        pytest.param({"subject": "Invoice", "text": "x", "created_at": THEN - timedelta(9)}, "t3", id="nothing else"),
        pytest.param({"custom": {"order": "a-1024"}}, None, id="exactly the same"),
        pytest.param({"custom": {}}, None, id="no order"),
        pytest.param({"custom": {"serial": "A-1024"}}, None, id="in another field"),
        pytest.param({"customer_id": "bob"}, None, id="a colleague's"),
        pytest.param({"id": "t7"}, None, id="a later one"),
        pytest.param({"worked_on": False}, None, id="resolved"),
    ],
)
def test_M5_only_an_equal_key_of_the_same_person_is_merged(of: dict[str, Any], target: str | None) -> None:
    assert same_by_key(NEW, found(**of), RULES) == target
    assert same_by_key(NEW, found(**of), DuplicateRules(suspect=True)) is None, "not without a rule"


def test_M5_an_empty_key_is_equal_to_nothing() -> None:
    new = replace(NEW, custom={"order": ""})
    assert same_by_key(new, found(new=new, custom={"order": ""}), RULES) is None
    assert same_by_key(replace(NEW, customer_id=None), found(), RULES) is None


def test_M5_of_several_with_an_equal_key_it_is_the_oldest() -> None:
    assert same_by_key(NEW, [*found(id="t4"), *found(id="t2"), *found()], RULES) == "t2"


def test_M5_the_fact_has_the_evidence_and_no_words() -> None:
    decision = suspect(ticket(), worth_saying(NEW, found()), LATER)
    (said,) = decision.say
    assert isinstance(said.event, TicketDuplicateSuspected)
    (one,) = said.event.suspects
    assert one.ticket == "t3"
    kinds = [each.kind for each in one.evidence]
    assert kinds == ["same_requester", "near_in_time", "same_subject", "similar_text", "same_field"]
    assert (decision.ticket.version, decision.ticket.epoch) == (ticket().version + 1, ticket().epoch)
    assert "lamp" not in said.event.model_dump_json().casefold()


@pytest.mark.parametrize(
    "changes",
    [{"removed": "spam"}, {"merged_into": "t1"}, {"status_category": StatusCategory.CLOSED}],
    ids=["removed", "merged", "closed"],
)
def test_M5_nothing_is_said_of_a_ticket_that_nobody_works_on(changes: dict[str, Any]) -> None:
    assert suspect(replace(ticket(), **changes), worth_saying(NEW, found()), LATER).say == ()


def test_M5_where_nothing_is_suspected_nothing_is_said() -> None:
    assert suspect(ticket(), [], LATER).say == ()
