"""H-1 (5), H-3: subjects without what programs add."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.mail.subject import diverges, normalised_subject, references, without_marks


@pytest.mark.parametrize(
    ("subject", "normal"),
    [
        ("Parcel lost", "parcel lost"),
        ("Re: Parcel lost", "parcel lost"),
        ("RE: re: Fwd: FW: Parcel lost", "parcel lost"),
        ("AW: WG: Parcel lost", "parcel lost"),
        ("SV: VS: Parcel lost", "parcel lost"),
        ("Re[2]: Parcel lost", "parcel lost"),
        ("Re (3): Parcel  lost", "parcel lost"),
        ("Odp: Parcel lost", "parcel lost"),
        ("RES: Parcel lost", "parcel lost"),
        ("TR : Parcel lost", "parcel lost"),
        ("回复：Parcel lost", "parcel lost"),
        ("Re: [EXTERNAL] [#SB-1001] Re: Parcel lost", "parcel lost"),
        ("Parcel lost [#SB-1001]", "parcel lost"),
        ("ＰＡＲＣＥＬ lost", "parcel lost"),
        ("Straße", "strasse"),
        ("Re:", "re:"),
        ("Return: my parcel", "return: my parcel"),
        ("", ""),
    ],
)
def test_H3_normalised_subject(subject: str, normal: str) -> None:
    assert normalised_subject(subject) == normal


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("[#SB-1001] Re: Parcel", ("SB-1001",)),
        ("Re: [SB-1001] Parcel", ("SB-1001",)),
        ("[#1001] and [1002]", ("1001", "1002")),
        ("[EXTERNAL] Parcel", ()),
        ("#1001 Parcel", ()),
    ],
)
def test_H1_references_of_a_subject(subject: str, found: tuple[str, ...]) -> None:
    assert references(subject) == found


def test_H3_a_reply_diverges_when_no_word_is_shared() -> None:
    assert diverges("Re: Refund for chair", "Parcel lost")
    assert not diverges("Re: lost again", "Parcel lost")
    assert not diverges("Re:", "")


@given(st.text(max_size=100))
def test_H3_marks_are_removed_completely(subject: str) -> None:
    assert without_marks(without_marks(subject)) == without_marks(subject)
