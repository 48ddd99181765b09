"""Decisions 20, explored: two senders of one notice; either may stop at any boundary and come back at any time.

Every interleaving of claim, DATA, settling and recovery is walked through with the real decisions, with a mail server
that takes, refuses, defers or hangs up. What must hold in every state that can be reached:

- an automatic mail arrives at most once;
- an answer is never given up without a word: where nothing more can happen, it arrived or its failure was said;
- every copy of an answer that arrived has the same Message-ID (there is one for the notice, see test_letter);
- exactly one fact is said about a notice, unless it is still under way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.domain.notice import State
from services.notifier.domain.outcome import AUTOMATIC_LASTS, Attempt, Settlement, recovered, settle, too_late
from services.notifier.mail_file import RetryRules

NOW = datetime(2026, 6, 15, 8, 0, tzinfo=UTC)
RETRY = RetryRules()
MOST_ATTEMPTS, MOST_MAILS = 4, 3

DEAD, IDLE, CLAIMED, SETTLING = "dead", "idle", "claimed", "settling"


@dataclass(frozen=True)
class Actor:
    """A sender: where it is, the attempt it claimed, and what it knows of it."""

    at: str = IDLE
    attempt: int = 0
    knows: Attempt | None = None


@dataclass(frozen=True)
class World:
    """The row, how many mails arrived, how many facts were said, and the two senders."""

    state: State
    attempts: int
    arrived: int
    said: int
    actors: tuple[Actor, Actor]

    def with_actor(self, number: int, actor: Actor, **changes: int | State) -> "World":
        actors = (actor, self.actors[1]) if number == 0 else (self.actors[0], actor)
        return replace(self, actors=actors, **changes)  # type: ignore[arg-type]


def settled(world: World, settlement: Settlement) -> dict[str, int | State]:
    """The row after a compare-and-set that matched."""
    ends = settlement.state not in (State.QUEUED, State.SENDING)
    return {"state": settlement.state, "said": world.said + ends}


def steps(world: World, automatic: bool) -> Iterator[World]:
    for number, actor in enumerate(world.actors):
        if actor.at == DEAD:
            continue
        if number == 0:  # the first may die anywhere; the second lives, and finishes
            yield world.with_actor(0, Actor(DEAD))
        if actor.at == IDLE and world.state is State.QUEUED and world.attempts < MOST_ATTEMPTS:
            attempts = world.attempts + 1
            yield world.with_actor(number, Actor(CLAIMED, attempts), state=State.SENDING, attempts=attempts)
        if actor.at == IDLE and world.state is State.SENDING:  # it is older than 60 s, whoever wrote it
            settlement = recovered(automatic=automatic, attempts=world.attempts, fact_at=NOW, now=NOW, retry=RETRY)
            yield replace(world, **settled(world, settlement))  # type: ignore[arg-type]
        if actor.at == CLAIMED and world.arrived < MOST_MAILS:
            for knows, arrived in ((Attempt.ACCEPTED, 1), (Attempt.LOST, 1), (Attempt.LOST, 0), (Attempt.REFUSED, 0)):
                done = replace(actor, at=SETTLING, knows=knows)
                yield world.with_actor(number, done, arrived=world.arrived + arrived)
            yield world.with_actor(number, replace(actor, at=SETTLING, knows=Attempt.DEFERRED))
        if actor.at == SETTLING:
            yield world.with_actor(number, Actor(), **after(world, actor, automatic))


def after(world: World, actor: Actor, automatic: bool) -> dict[str, int | State]:
    """What settling changes: nothing where the compare-and-set does not match."""
    if world.state is not State.SENDING or world.attempts != actor.attempt:
        return {}
    assert actor.knows is not None
    settlement = settle(actor.knows, "", automatic=automatic, attempts=actor.attempt, fact_at=NOW, now=NOW, retry=RETRY)
    return settled(world, settlement)


def reachable(automatic: bool) -> set[World]:
    start = World(State.QUEUED, 0, 0, 0, (Actor(), Actor()))
    seen, todo = {start}, [start]
    while todo:
        for following in steps(todo.pop(), automatic):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return seen


def test_20_an_automatic_mail_arrives_at_most_once() -> None:
    worlds = reachable(automatic=True)
    assert len(worlds) > 100
    assert max(world.arrived for world in worlds) == 1


def test_20_an_answer_arrives_or_its_failure_is_said() -> None:
    worlds = reachable(automatic=False)
    assert len(worlds) > 500
    for world in worlds:
        if world.state not in (State.QUEUED, State.SENDING):
            assert world.arrived or world.state is State.FAILED
        assert world.state is not State.UNKNOWN


@pytest.mark.parametrize("automatic", [True, False])
def test_20_one_fact_says_how_it_ended(automatic: bool) -> None:
    for world in reachable(automatic):
        assert world.said == (world.state not in (State.QUEUED, State.SENDING))


@pytest.mark.parametrize("automatic", [True, False])
def test_20_nothing_stays_in_sending(automatic: bool) -> None:
    for world in reachable(automatic):
        if world.state is State.SENDING and world.actors[1].at == IDLE:
            moved = [following for following in steps(world, automatic) if following.state is not State.SENDING]
            assert moved, world


def test_20_an_answer_may_arrive_twice_but_only_after_somebody_lost_the_connection_or_died() -> None:
    """The price of never losing one; a mail program shows two mails of one Message-ID as one."""
    assert max(world.arrived for world in reachable(automatic=False)) == MOST_MAILS


@pytest.mark.parametrize(
    ("attempt", "automatic", "state"),
    [
        (Attempt.ACCEPTED, True, State.SENT),
        (Attempt.DEFERRED, True, State.QUEUED),
        (Attempt.REFUSED, True, State.FAILED),
        (Attempt.IMPOSSIBLE, False, State.FAILED),
        (Attempt.LOST, True, State.UNKNOWN),
        (Attempt.LOST, False, State.QUEUED),
    ],
)
def test_20_what_an_attempt_means(attempt: Attempt, automatic: bool, state: State) -> None:
    made = settle(attempt, "why", automatic=automatic, attempts=1, fact_at=NOW, now=NOW, retry=RETRY)
    assert made.state is state
    assert (made.next_try is not None) == (state is State.QUEUED)


def test_20_pauses_double_up_to_an_hour() -> None:
    pauses = [RETRY.pause(attempts).total_seconds() for attempts in (1, 2, 3, 7, 8, 99)]
    assert pauses == [30, 60, 120, 1920, 3600, 3600]


@pytest.mark.parametrize(
    ("automatic", "age", "state"),
    [
        (True, AUTOMATIC_LASTS, None),
        (True, AUTOMATIC_LASTS + timedelta(seconds=1), State.SUPPRESSED),
        (False, AUTOMATIC_LASTS * 2, None),
        (False, AUTOMATIC_LASTS * 2 + timedelta(seconds=1), State.FAILED),
    ],
)
def test_20_an_automatic_notice_lasts_a_day_an_answer_two(automatic: bool, age: timedelta, state: State | None) -> None:
    made = too_late(automatic, NOW - age, NOW, RETRY)
    assert (made and made.state) == state
