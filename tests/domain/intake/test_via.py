"""Through what a fact came, read from its cause."""

import pytest

from services.intake.domain.via import Via, through, way_of


@pytest.mark.parametrize("via", [Via.API, Via.MAIL, Via.CHAT, Via.TIMER, Via.BULK])
@pytest.mark.parametrize("id", ["4711", "a:b", "", "Euro €"])
def test_J1_the_way_and_the_id_come_back_from_the_cause(via: Via, id: str) -> None:
    assert way_of("intake", through(via, id)) == (via, id)


@pytest.mark.parametrize(
    ("speaker", "cause", "way"),
    [
        ("intake", None, (Via.SYSTEM, None)),
        ("intake", "0193-decision", (Via.RULE, "0193-decision")),
        ("intake", "rule:x", (Via.RULE, "rule:x")),
        ("router", "intake:1", (Via.RULE, "intake:1")),
        ("sla", None, (Via.CLOCK, None)),
        ("notifier", None, (Via.NOTICE, None)),
    ],
)
def test_J1_what_is_bare_is_a_routing_decision_and_other_services_have_one_way(
    speaker: str, cause: str | None, way: tuple[Via, str | None]
) -> None:
    assert way_of(speaker, cause) == way
