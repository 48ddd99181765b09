"""Who is told (behaviour W-2, A-6) and who is not."""

from datetime import timedelta

import pytest

from libs.contracts.event import Speaker
from libs.contracts.fact import Fact
from libs.contracts.sla import Metric, SlaWarned
from services.notifier.domain.notice import State, Verdict
from services.notifier.domain.people import recipients, warn
from tests.domain.notifier.desk import MONDAY, desk, ticket


def fact(late: timedelta = timedelta(0)) -> Fact[SlaWarned]:
    said = SlaWarned(
        metric=Metric.FIRST_RESPONSE,
        instance=1,
        threshold=0.8,
        scheduled_for=MONDAY,
        deadline=MONDAY + timedelta(minutes=12, seconds=30),
    )
    return Fact(speaker=Speaker.SLA, subject="t1", n=4, type=said.TYPE, occurred_at=MONDAY - late, data=said)


@pytest.mark.parametrize(
    ("assignee", "queue", "told"),
    [
        ("mira", "general", ["mira@lumen.example.com"]),
        ("paul", "general", ["paul@lumen.example.com", "lena@lumen.example.com"]),
        (None, "general", ["lena@lumen.example.com"]),
        ("nomail", "general", ["lena@lumen.example.com"]),
        ("stranger", "general", ["lena@lumen.example.com"]),
        (None, "orphan", ["team-leads@lumen.example.com"]),
        (None, None, ["team-leads@lumen.example.com"]),
        ("mira", None, ["mira@lumen.example.com"]),
    ],
)
def test_W2_the_assignee_at_work_else_the_lead_else_the_fallback(
    assignee: str | None, queue: str | None, told: list[str]
) -> None:
    assert recipients(ticket(assignee=assignee, queue=queue), desk()) == told


def test_W2_a_lead_who_has_the_ticket_is_told_once() -> None:
    made = desk()
    made.tickets["t1"] = ticket(assignee="lena")
    warn(fact(), made)
    assert [notice.recipient for notice in made.notices] == ["lena@lumen.example.com"]
    assert "10:12 (CEST)" in made.notices[0].text
    assert "80 %" in made.notices[0].text


def test_W2_that_nobody_could_be_told_is_said() -> None:
    made = desk(fallback_recipients=[])
    made.tickets["t1"] = ticket(queue="orphan")
    warn(fact(), made)
    (notice,) = made.notices
    assert (notice.state, notice.verdict) == (State.FAILED, Verdict.UNDELIVERABLE)


def test_20_a_warning_of_yesterday_is_suppressed() -> None:
    made = desk()
    made.tickets["t1"] = ticket(assignee="mira")
    warn(fact(late=timedelta(hours=25)), made)
    assert [notice.state for notice in made.notices] == [State.SUPPRESSED]
