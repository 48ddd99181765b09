"""The definitions of the numbers, and the laws that make them survive any order, repetition of work, and correction."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.sla import Metric, Outcome
from libs.contracts.ticket import (
    MessageKind,
    TicketAbsorbed,
    TicketDeliveryFailed,
    TicketMerged,
    TicketRated,
    TicketRemoved,
    TicketRestored,
    TicketSeparated,
    TicketUnmerged,
)
from services.reporting.domain.contribution import contribution
from services.reporting.domain.cube import Cube
from services.reporting.domain.folding import STEPS, fold
from services.reporting.domain.period import Grain, Period
from services.reporting.domain.tally import difference
from services.reporting.domain.ticket import Ticket
from services.reporting.parts import duration_table, durations
from tests.domain.reporting.folded import cube_of, tallies_of
from tests.domain.reporting.story import MONDAY, Story, interleaved, random_story

WEEK = Period.parse(Grain.WEEK, "2026-W12")
NEXT = Period.parse(Grain.WEEK, "2026-W13")


def of(story: Story, period: Period = WEEK) -> Cube:
    return cube_of(story.said, period)


def test_L5_first_response_is_the_first_public_message_of_a_human_agent() -> None:
    story = Story("t").open(priority="high").later(seconds=30).message(MessageKind.AI, "ai", human=False)
    story.message(MessageKind.AUTOMATIC, "auto", human=False).message(MessageKind.SYSTEM, "sys", human=False)
    story.later(seconds=570).reply("r1").later(hours=1).reply("r2")
    found = durations(of(story), "first_response", "high")
    assert found.n == 1
    assert found.mean == 600
    assert found.p50 == pytest.approx(600, rel=0.01)


def test_L5_a_ticket_opened_by_an_agent_waits_from_the_customers_first_message() -> None:
    story = Story("t").open(by_customer=False).later(hours=5).message(MessageKind.AGENT, "t-first", author="anna")
    story.message(MessageKind.CUSTOMER, "c1").later(seconds=90).reply("r1")
    assert durations(of(story), "first_response").mean == 90


def test_L5_an_answer_that_bounced_for_good_was_none() -> None:
    story = Story("t").open().later(seconds=60).reply("r1")
    story.say(TicketDeliveryFailed(message_id="r1", permanent=False))
    assert durations(of(story), "first_response").n == 1
    story.say(TicketDeliveryFailed(message_id="r1", permanent=True))
    assert durations(of(story), "first_response").n == 0
    assert durations(of(story.later(seconds=60).reply("r2")), "first_response").mean == 120


def test_Q1_first_response_belongs_to_the_priority_at_the_answer_and_to_its_week() -> None:
    story = Story("t").open(priority="low").later(days=6, hours=23).reply().later(days=1).change(priority="critical")
    assert [row.priority for row in duration_table(of(story), "first_response").by_priority] == ["low"]
    assert of(story, NEXT).total("first_response") == 0


def test_Q4_one_verdict_a_clock_and_the_breach_wins_once() -> None:
    story = Story("t").open(priority="high").decide(Outcome.MET).decide(Outcome.BREACHED).decide(Outcome.MET)
    assert (of(story).total("met"), of(story).total("breached")) == (0, 1)


def test_Q4_a_late_reply_is_in_one_bucket_only() -> None:
    story = Story("t").open(priority="high").decide(Outcome.BREACHED).later(hours=2).reply()
    assert (of(story).total("met"), of(story).total("breached")) == (0, 1)


def test_Q4_a_correction_moves_the_verdict() -> None:
    story = Story("t").open(priority="high").decide(Outcome.BREACHED).correct(Outcome.MET)
    cube = of(story)
    assert cube.by("priority", "met", detail="first_response") == {"high": 1}
    assert cube.total("breached") == 0


def test_Q4_verdicts_count_in_the_week_of_their_deadline() -> None:
    story = Story("t", MONDAY + timedelta(days=6, hours=23, minutes=30)).open().decide(Outcome.BREACHED)
    assert of(story).total("breached") == 0
    assert of(story, NEXT).total("breached") == 1


def test_Q4_each_instance_of_a_clock_has_its_verdict() -> None:
    story = Story("t").open().decide(Outcome.MET, Metric.RESOLUTION, 1).decide(Outcome.BREACHED, Metric.RESOLUTION, 2)
    assert (of(story).total("met"), of(story).total("breached")) == (1, 1)


def reopening(story: Story, period: Period = WEEK) -> tuple[int, int]:
    cube = of(story, period)
    return cube.total("solved_tickets", detail="week"), cube.total("reopened_tickets", detail="week")


def test_Q5_a_ticket_counts_once_however_often_it_is_resolved_and_reopened() -> None:
    story = Story("t").open()
    for _ in range(3):
        story.later(hours=1).change("agent:anna", status="resolved").later(hours=1).change("customer", status="open")
    assert reopening(story) == (1, 1)
    assert of(story).total("reopened") == 3


def test_Q5_a_reopening_belongs_to_the_week_of_the_resolution() -> None:
    story = Story("t").open().later(days=6).change("agent:anna", status="resolved")
    story.later(days=2).change("customer", status="open")
    assert reopening(story) == (1, 1)
    assert reopening(story, NEXT) == (0, 0)


def test_Q5_later_than_seven_days_is_no_reopening_of_the_cohort() -> None:
    story = Story("t").open().later(hours=1).change("agent:anna", status="resolved")
    assert reopening(story) == (1, 0)
    assert reopening(story.later(days=7, seconds=1).change("customer", status="open")) == (1, 0)


def test_Q5_undone_within_five_minutes_by_the_same_agent_is_neither() -> None:
    undone = Story("t").open().change("agent:anna", status="resolved").later(minutes=4)
    assert reopening(undone.change("agent:anna", status="open")) == (0, 0)
    by_another = Story("t").open().change("agent:anna", status="resolved").later(minutes=4)
    assert reopening(by_another.change("agent:ben", status="open")) == (1, 1)


def test_Q5_closing_what_is_resolved_is_no_second_resolution() -> None:
    story = Story("t").open().later(hours=1).change("agent:anna", status="resolved")
    story.later(days=6, hours=23).change("system", status="closed")
    assert of(story).total("resolved") == 1
    assert reopening(story, NEXT) == (0, 0)


def test_resolution_runs_from_creation_to_the_last_resolution_and_is_taken_back_on_reopening() -> None:
    story = Story("t").open(priority="low").later(hours=1).change("agent:anna", status="resolved")
    assert durations(of(story), "resolution").mean == 3600
    story.later(hours=1).change("customer", status="open")
    assert of(story).total("resolution") == of(story).total("resolution_ms") == 0
    assert durations(of(story.later(hours=1).change("agent:ben", status="resolved")), "resolution").mean == 3 * 3600


def test_Q6_several_tags_count_in_full_for_each_and_once_in_the_total_and_untagged_is_shown() -> None:
    facts = [
        *Story("a").open(tags=["bug", "vip"], category="login").said,
        *Story("b").open(category="login").said,
        *Story("c").open(tags=["bug"]).said,
    ]
    cube = cube_of(facts, WEEK)
    assert cube.total("created") == 3
    assert cube.by("category", "created") == {"": 1, "login": 2}
    assert cube.by("detail", "tagged") == {"": 1, "bug": 2, "vip": 1}


@pytest.mark.parametrize("gone", [TicketMerged(target="x"), TicketRemoved(reason="spam")])
def test_Q6_merged_and_removed_tickets_are_no_volume_but_their_verdicts_stay(gone: TicketMerged) -> None:
    story = Story("t").open(category="login").reply().decide(Outcome.BREACHED).say(gone)
    measures = {tally.measure for tally in tallies_of(story.said)}
    assert measures - {"merged"} == {"breached", "replied", "opened"}


def test_M4_a_merge_is_counted_by_itself_and_solves_nothing_also_when_it_is_undone() -> None:
    story = Story("t").open(category="login").reply()
    before = tallies_of(story.said)
    story.fields.update(status="closed", status_category="closed")
    story.say(TicketMerged(target="x")).change(tags=["late"])
    assert of(story).total("merged") == 1
    story.fields.update(status="open", status_category="open", tags=[])
    story.say(TicketUnmerged(target="x")).change()
    rest = {tally: n for tally, n in tallies_of(story.said).items() if n and "merged" not in tally.measure}
    assert rest == before


def test_M3_a_target_counts_with_the_tags_it_has_now() -> None:
    story = Story("t").open(tags=["vip"])
    story.fields.update(tags=["bug", "vip"])
    story.say(TicketAbsorbed(sources=()))
    assert cube_of(story.said, WEEK).by("detail", "tagged") == {"bug": 1, "vip": 1}
    story.fields.update(tags=["vip"])
    story.say(TicketSeparated(sources=()))
    assert cube_of(story.said, WEEK).by("detail", "tagged") == {"vip": 1}


def test_D21_what_was_done_before_its_contents_were_erased_stays_counted_and_open_work_is_none() -> None:
    solved = Story("t").open(category="login").reply().change("agent:anna", status="resolved")
    before = tallies_of(solved.said)
    assert tallies_of(solved.say(TicketRemoved(reason="erased")).said) == before
    waiting = Story("t").open(category="login").say(TicketRemoved(reason="erased"))
    assert of(waiting).total("created") == 0


def test_Q6_a_restored_ticket_counts_again() -> None:
    story = Story("t").open(category="login").reply()
    before = tallies_of(story.said)
    story.say(TicketRemoved(reason="spam")).say(TicketRestored(reason="no spam"))
    assert tallies_of(story.said) == before


def test_Q7_work_by_agent_is_assigned_replied_resolved_and_open() -> None:
    story = Story("t").open().change(assignee="anna").change(assignee="ben").change(assignee="ben", queue="general")
    story.reply(author="anna")
    cube = of(story)
    assert cube.by("agent", "assigned") == {"anna": 1, "ben": 1}
    assert cube.by("agent", "replied") == {"anna": 1}
    assert cube.by("agent", "standing") == {"ben": 1}
    assert of(story.change("agent:anna", status="resolved")).by("agent", "resolved") == {"ben": 1}


def test_K5_the_last_rating_counts() -> None:
    story = Story("t").open().say(TicketRated(score=1)).say(TicketRated(score=5))
    assert of(story).by("detail", "rated") == {"5": 1}


@given(st.integers(0, 2**32))
def test_2_the_numbers_do_not_depend_on_how_speakers_interleave(seed: int) -> None:
    random = Random(seed)
    stories = [random_story(f"t{number}", random) for number in range(4)]
    spoken = [fact for story in stories for fact in story.said]
    assert tallies_of(interleaved(stories, random)) == tallies_of(spoken)


@given(st.integers(0, 2**32))
def test_the_numbers_do_not_depend_on_how_facts_are_batched(seed: int) -> None:
    """Folding a whole story at once adds what folding it fact by fact adds."""
    story = random_story("t", Random(seed))
    folded = [fact for fact in story.said if type(fact.data) in STEPS]
    at_once = fold(Ticket("t"), folded)
    summed = Counter(at_once.happened)
    summed.update(contribution(at_once.ticket))
    assert +summed == tallies_of(folded)


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_a_contribution_is_taken_back_exactly(one: int, other: int) -> None:
    before, after = (fold(Ticket("t"), _known(seed)).ticket for seed in (one, other))
    summed = Counter(contribution(before))
    for tally, n in difference(contribution(before), contribution(after)).items():
        summed[tally] += n
    assert {tally: n for tally, n in summed.items() if n} == {t: n for t, n in contribution(after).items() if n}


def _known(seed: int) -> list[Fact[Event]]:
    return [fact for fact in random_story("t", Random(seed)).said if type(fact.data) in STEPS]
