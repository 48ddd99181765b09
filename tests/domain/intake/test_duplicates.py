"""What speaks for two tickets being about the same (behaviour M-5)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import similarity
from services.intake.domain.duplicates import Kind, Matter, suspicions
from services.intake.domain.similarity import LONGEST, Wording, alike, trigram_similarity

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINE = Matter("Lamp AB-1234 broken", "The lamp in the hall flickers since yesterday", {}, "ada", "acme", NOW, "mine")
OTHER = replace(MINE, subject="Invoice", text="Please send it again", id="other", created_at=NOW - timedelta(days=9))


def kinds(matter: Matter, candidate: Matter, namesakes: frozenset[str] = frozenset()) -> set[Kind]:
    found = suspicions(matter, [candidate], namesakes)
    return {evidence.kind for suspicion in found for evidence in suspicion.evidence}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"created_at": NOW - timedelta(hours=71)}, Kind.NEAR_IN_TIME),
        ({"subject": "AW: Re[2]: lamp ab-1234 BROKEN [#10019]"}, Kind.SAME_SUBJECT),
        ({"subject": "Lamp AB-9876 is broken"}, Kind.SIMILAR_SUBJECT),
        ({"subject": "", "text": "Hello! The lamp in the hall flickers since yesterday. Ada"}, Kind.SIMILAR_TEXT),
        ({"text": "what about ab-1234?"}, Kind.SHARED_NUMBER),
    ],
)
def test_M5_each_piece_of_evidence_is_named(change: dict[str, object], kind: Kind) -> None:
    assert kinds(MINE, OTHER) == {Kind.SAME_REQUESTER}
    assert kind in kinds(MINE, replace(OTHER, **change))  # type: ignore[arg-type]


def test_M5_a_field_with_a_number_in_it_speaks_for_it_and_a_flag_does_not() -> None:
    one = replace(MINE, custom={"order": "A-1001", "vip": True, "size": 4, "colour": "blue"})
    other = replace(OTHER, custom={"order": "A-1001", "vip": True, "size": 4, "colour": "blue"})
    (found,) = suspicions(one, [other])
    assert [each.detail for each in found.evidence if each.kind is Kind.SAME_FIELD] == ["order A-1001"]


def test_M5_what_somebody_else_wrote_is_never_suggested_however_alike_it_is() -> None:
    stranger = replace(MINE, id="other", customer_id="eve", organisation="other")
    assert suspicions(MINE, [stranger]) == []
    assert suspicions(replace(MINE, customer_id=None, organisation=None), [replace(stranger, organisation=None)]) == []


def test_M5_a_colleagues_ticket_is_suggested_only_if_it_is_about_the_same() -> None:
    colleague = replace(OTHER, customer_id="bob")
    assert suspicions(MINE, [colleague]) == []
    assert kinds(MINE, replace(colleague, subject=MINE.subject)) >= {Kind.SAME_ORGANISATION, Kind.SAME_SUBJECT}


def test_M5_more_evidence_is_a_higher_score_and_comes_first() -> None:
    likely = replace(OTHER, id="likely", subject=MINE.subject, created_at=NOW)
    first, second = suspicions(MINE, [OTHER, likely])
    assert (first.ticket_id, second.ticket_id) == ("likely", "other")
    assert 0 < second.score < first.score < 1
    assert suspicions(MINE, [replace(MINE)]) == [], "a ticket is no duplicate of itself"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order #A-1001 and RMA2024-77.", {"a-1001", "rma2024-77"}),
        ("on 2026-03-02 at 10:30, 2025, 12 pieces", set()),
        ("mail a1234@example.org or https://x.example/a1234", set()),
        ("Ticket 10019!", {"10019"}),
    ],
)
def test_M5_numbers_are_what_names_an_order_and_no_date_or_address(text: str, found: set[str]) -> None:
    assert Wording(text).numbers == found


@given(st.text(max_size=300), st.text(max_size=300))
def test_M5_similarity_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    mine, theirs = Wording(one), Wording(other)
    for measure in (alike, trigram_similarity):
        assert 0 <= measure(mine, theirs) <= 1
        assert measure(mine, theirs) == measure(theirs, mine)
    if any(sign.isalnum() for sign in one):
        assert alike(mine, mine) == 1


def test_M5_a_text_is_cut_after_it_was_made_longer_by_normalising_it() -> None:
    for text in ("\ufdfa" * LONGEST, "\ufdfa " * LONGEST, "ß" * LONGEST, "word " * LONGEST):
        wording = Wording(text)
        assert len(wording.text) <= LONGEST
        assert sum(map(len, wording.words)) <= LONGEST
    assert Wording("Ｌａｍｐ　ＡＢ-1234").words == ["lamp", "ab", "1234"]


def test_M5_each_text_is_read_once_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(text: str, normal: Callable[[str], str] = similarity._normal) -> str:
        read.append(text)
        return normal(text)

    monkeypatch.setattr(similarity, "_normal", reading)
    suspicions(MINE, [replace(OTHER, id=str(n), text=f"Text {n}") for n in range(20)])
    assert (read.count(MINE.text), read.count(MINE.subject), read.count("Text 7")) == (1, 1, 1)


MARKS = "a" + "\u0345" * 1300 + "\u0315" * 1300 + "\u0302" * 1300
"""In the order that takes longest to sort."""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" ".join(f"word{n} #A-{n}" for n in range(1000)), id="words"),
        pytest.param("a-" * 2000, id="one word"),
        pytest.param("\ufdfa " * 2000, id="one sign that becomes eighteen"),
        pytest.param(MARKS, id="marks"),
    ],
)
def test_M5_a_hundred_long_candidates_are_compared_in_well_under_a_second(text: str) -> None:
    candidates = [replace(OTHER, id=str(n), text=f"{text[:3990]} {n}") for n in range(100)]
    start = perf_counter()
    suspicions(replace(MINE, text=text), candidates)
    assert perf_counter() - start < 0.8
