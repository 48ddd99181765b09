"""The audit chain finds whatever is done to sealed events (behaviour J-2)."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.chain import GENESIS, Link, Seal, block_hash, chained, consecutive, verified


def links(count: int, young_after: int = 0) -> list[Link]:
    return [Link(n, sha256(str(n).encode()).digest(), n > young_after) for n in range(1, count + 1)]


def sealed(events: list[Link], *ends: int) -> list[Seal]:
    return [Seal("t", end, chained(GENESIS, (event.digest for event in events[:end]))) for end in ends]


@given(st.integers(1, 12), st.data())
def test_J2_untouched_events_are_sound_however_they_were_sealed(count: int, data: st.DataObject) -> None:
    ends = sorted(data.draw(st.sets(st.integers(1, count))))
    done = ends[-1] if ends else 0
    verdict = verified("t", links(count, done), sealed(links(count), *ends))
    assert (verdict.fault, verdict.events, verdict.sealed) == (None, count, done)


@given(st.integers(2, 12), st.data())
def test_J2_a_changed_missing_or_moved_event_is_found(count: int, data: st.DataObject) -> None:
    ends = sorted({*data.draw(st.sets(st.integers(1, count))), count})
    events, seals = links(count, count), sealed(links(count), *ends)
    place = data.draw(st.integers(0, count - 1))
    other = data.draw(st.integers(0, count - 1).filter(lambda index: index != place))
    changed = [*events]
    changed[place] = replace(events[place], digest=bytes(32))
    moved = [*events]
    moved[place], moved[other] = (
        replace(events[place], digest=events[other].digest),
        replace(events[other], digest=events[place].digest),
    )
    for tampered in (changed, moved, events[:place] + events[place + 1 :]):
        assert verified("t", tampered, seals).fault is not None


@pytest.mark.parametrize(
    ("events", "seals", "fault"),
    [
        (links(3, 3)[:2], sealed(links(3), 3), "event 3 is missing"),
        (links(3, 3)[1:], sealed(links(3), 3), "event 1 is missing"),
        ([], sealed(links(2), 2), "event 1 is missing"),
        ([replace(each, digest=bytes(32)) for each in links(3, 3)], sealed(links(3), 1, 3), "event 1 is not what was"),
        (
            [*links(1, 3), replace(links(2, 3)[1], digest=bytes(32)), *links(3, 3)[2:]],
            sealed(links(3), 1, 3),
            "events 2 to 3 are not what was sealed",
        ),
        (links(3, 3), sealed(links(2), 2), "event 3 is older than the last block, and was not sealed"),
        (links(1, 1), [], "event 1 is older than the last block, and was not sealed"),
    ],
)
def test_J2_the_fault_is_named(events: list[Link], seals: list[Seal], fault: str) -> None:
    assert (verified("t", events, seals).fault or "").startswith(fault)


def test_J2_a_number_that_is_not_there_yet_ends_what_can_be_sealed() -> None:
    events = links(5)
    assert consecutive(1, [events[1], events[2], events[4]]) == events[1:3]
    assert consecutive(0, events[1:]) == []


def test_J2_a_block_depends_on_all_its_seals_and_on_every_block_before() -> None:
    one, two = sealed(links(2), 1, 2)
    whole = block_hash(GENESIS, "7.3", [one, two])
    assert whole == block_hash(GENESIS, "7.3", [two, one])
    others = [
        block_hash(whole, "7.3", [one, two]),
        block_hash(GENESIS, "7.4", [one, two]),
        block_hash(GENESIS, "7.3", [one]),
        block_hash(GENESIS, "7.3", [one, replace(two, n=3)]),
        block_hash(GENESIS, "7.3", [one, replace(two, hash=bytes(32))]),
        block_hash(GENESIS, "7.3", [one, replace(two, subject="u")]),
    ]
    assert len({whole, *others}) == 7
