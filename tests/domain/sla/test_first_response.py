"""Who answers, and who does not (behaviour L-5, L-6, L-7)."""

from datetime import timedelta

import pytest

from libs.contracts.sla import Metric, Outcome, SlaCorrected, SlaDecided, TargetState
from libs.contracts.ticket import MessageKind, TicketDeliveryFailed, TicketOpened
from services.sla.domain.clock import state_of
from tests.domain.sla.story import THURSDAY, Story, one_policy

MINUTE = timedelta(minutes=1)


@pytest.fixture
def story() -> Story:
    """A ticket with an hour for the first response, routed."""
    story = Story(one_policy({"first_response": "1h", "next_response": "30m", "resolution": "8h"}))
    story.open(THURSDAY, routed=True)
    return story


def test_L5_a_persons_public_answer_meets_it_and_says_how_long_it_took(story: Story) -> None:
    decided, _ = story.answer(THURSDAY + 20 * MINUTE)
    assert isinstance(decided, SlaDecided)
    assert (decided.outcome, decided.cause, decided.at) == (Outcome.MET, "answered", THURSDAY + 20 * MINUTE)
    assert (decided.running_seconds, decided.calendar_seconds) == (1200, 1200)


@pytest.mark.parametrize(
    ("kind", "human"),
    [
        (MessageKind.AI, False),
        (MessageKind.SYSTEM, False),
        (MessageKind.AUTOMATIC, False),
        (MessageKind.AGENT, False),
        (MessageKind.CUSTOMER, True),
    ],
)
def test_L5_nothing_but_a_persons_answer_counts(story: Story, kind: MessageKind, human: bool) -> None:
    assert story.message(THURSDAY + MINUTE, kind, human) == []
    assert story.first_response.ended_at is None


@pytest.mark.parametrize(
    ("after", "outcome"), [(3600, Outcome.MET), (3600.000001, Outcome.BREACHED), (3599.999999, Outcome.MET)]
)
def test_L10_met_means_not_later_than_the_deadline(story: Story, after: float, outcome: Outcome) -> None:
    decided, *_ = story.answer(THURSDAY + timedelta(seconds=after))
    assert isinstance(decided, SlaDecided)
    assert decided.outcome is outcome


def test_L10_a_late_answer_records_the_breach_at_the_deadline(story: Story) -> None:
    decided, *_ = story.answer(THURSDAY + 95 * MINUTE)
    assert isinstance(decided, SlaDecided)
    assert (decided.outcome, decided.at) == (Outcome.BREACHED, THURSDAY + 60 * MINUTE)
    assert decided.running_seconds == 3600
    assert story.first_response.ended_at == THURSDAY + 95 * MINUTE


def test_L6_an_answer_that_sets_pending_counts_first(story: Story) -> None:
    at = THURSDAY + 10 * MINUTE
    story.answer(at)
    story.status(at, "pending")
    assert state_of(story.first_response, story.told) is TargetState.MET
    assert state_of(story.resolution, story.told) is TargetState.PAUSED


def test_L5_the_first_message_of_a_ticket_that_we_began_does_not_count() -> None:
    story = Story(one_policy({"first_response": "1h"}))
    opened = TicketOpened(channel="email", created_by="mia", message_id="m0", opened_by_customer=False)
    story.hear(THURSDAY, opened, created_at=THURSDAY, status="open", routed=True)
    story.message(THURSDAY, MessageKind.AGENT, True, "m0")
    assert [clock.metric for clock in story.told.clocks] == [Metric.RESOLUTION]
    story.ask(THURSDAY + 30 * MINUTE)
    assert story.first_response.deadline == THURSDAY + 90 * MINUTE


def test_L5_where_calls_are_answers_an_agent_who_opens_one_has_answered() -> None:
    story = Story(one_policy({"first_response": "1h"}, calls_are_answered=["phone"]))
    opened = TicketOpened(channel="phone", created_by="mia")
    decided, _ = story.hear(THURSDAY, opened, created_at=THURSDAY, status="open", channel="phone", routed=True)
    assert isinstance(decided, SlaDecided)
    assert (decided.outcome, decided.running_seconds) == (Outcome.MET, 0)


def bounce(message_id: str = "a1", permanent: bool = True) -> TicketDeliveryFailed:
    return TicketDeliveryFailed(message_id=message_id, permanent=permanent)


def test_L5_an_answer_that_bounced_was_none_and_the_clock_ran_all_along(story: Story) -> None:
    story.answer(THURSDAY + 10 * MINUTE)
    corrected, targets = story.hear(THURSDAY + 20 * MINUTE, bounce())
    assert isinstance(corrected, SlaCorrected)
    assert (corrected.old, corrected.withdrawn) == (Outcome.MET, True)
    assert story.first_response.deadline == THURSDAY + 60 * MINUTE
    assert story.last_targets() is targets


def test_L5_what_decides_it_after_a_bounce_is_a_correction_too(story: Story) -> None:
    story.answer(THURSDAY + 10 * MINUTE)
    story.hear(THURSDAY + 20 * MINUTE, bounce())
    story.wait_until(THURSDAY + 61 * MINUTE)
    last = story.all_said(SlaCorrected)[-1]
    assert (last.old, last.new, last.withdrawn, last.at) == (
        Outcome.MET,
        Outcome.BREACHED,
        False,
        THURSDAY + 60 * MINUTE,
    )
    assert len(story.all_said(SlaDecided)) == 1


def test_L5_a_bounce_leaves_the_next_answer(story: Story) -> None:
    story.answer(THURSDAY + 10 * MINUTE, "a1")
    story.answer(THURSDAY + 15 * MINUTE, "a2")
    (corrected,) = story.hear(THURSDAY + 20 * MINUTE, bounce())
    assert isinstance(corrected, SlaCorrected)
    assert (corrected.old, corrected.new, corrected.at) == (Outcome.MET, Outcome.MET, THURSDAY + 15 * MINUTE)


def test_L5_the_next_answer_may_have_been_too_late(story: Story) -> None:
    story.answer(THURSDAY + 10 * MINUTE, "a1")
    story.answer(THURSDAY + 70 * MINUTE, "a2")
    corrected, *_ = story.hear(THURSDAY + 80 * MINUTE, bounce())
    assert isinstance(corrected, SlaCorrected)
    assert (corrected.new, corrected.at) == (Outcome.BREACHED, THURSDAY + 60 * MINUTE)


def test_A6_a_delay_is_no_bounce(story: Story) -> None:
    story.answer(THURSDAY + 10 * MINUTE)
    assert story.hear(THURSDAY + 20 * MINUTE, bounce(permanent=False)) == []


def test_L7_the_oldest_unanswered_message_waits_until_a_person_answers(story: Story) -> None:
    story.ask(THURSDAY + MINUTE)
    assert [clock.metric for clock in story.told.clocks] == [Metric.FIRST_RESPONSE, Metric.RESOLUTION]
    story.answer(THURSDAY + 2 * MINUTE)
    story.ask(THURSDAY + 5 * MINUTE)
    story.ask(THURSDAY + 9 * MINUTE)
    assert story.clock(Metric.NEXT_RESPONSE).deadline == THURSDAY + 35 * MINUTE
    decided, *_ = story.answer(THURSDAY + 20 * MINUTE)
    assert isinstance(decided, SlaDecided)
    assert (decided.metric, decided.outcome) == (Metric.NEXT_RESPONSE, Outcome.MET)
    story.ask(THURSDAY + 30 * MINUTE)
    assert story.clock(Metric.NEXT_RESPONSE, 2).deadline == THURSDAY + 60 * MINUTE


def test_L7_nobody_waits_once_it_is_resolved(story: Story) -> None:
    story.answer(THURSDAY + 2 * MINUTE)
    story.ask(THURSDAY + 5 * MINUTE)
    decided = [event for event in story.status(THURSDAY + 9 * MINUTE, "resolved") if isinstance(event, SlaDecided)]
    assert {(event.metric, event.cause) for event in decided} == {
        (Metric.RESOLUTION, "resolved"),
        (Metric.NEXT_RESPONSE, "resolved"),
    }
    story.wait_until(THURSDAY + timedelta(days=3))
    assert len(story.all_said(SlaDecided)) == 3
