"""The hash over a transcript (behaviour C-2)."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.transcript import TranscriptHash

MESSAGES = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.sampled_from(["customer", "agent", "ai", "system"]),
        st.text(alphabet="a1 \nü", max_size=6),
    ),
    max_size=4,
    unique_by=lambda message: message[0],
).map(sorted)


def hash_of(messages: list[tuple[int, str, str]]) -> str:
    hashed = TranscriptHash()
    for message in messages:
        hashed.add(*message)
    return hashed.hex()


def test_C2_the_hash_is_over_what_the_page_says() -> None:
    said = "1 customer 8\nMy lamp.\n2 ai 6\nGrüß\n7 customer 0\n\n"
    assert hash_of([(1, "customer", "My lamp."), (2, "ai", "Gr\x00üß"), (7, "customer", "")]) == (
        sha256(said.encode()).hexdigest()
    )
    assert hash_of([]) == sha256().hexdigest()


@given(MESSAGES, MESSAGES)
def test_C2_two_transcripts_that_differ_have_different_hashes(
    one: list[tuple[int, str, str]], other: list[tuple[int, str, str]]
) -> None:
    assert (hash_of(one) == hash_of(other)) is (one == other)


def test_C2_a_text_that_looks_like_the_next_message_is_no_second_one() -> None:
    assert hash_of([(1, "ai", "a\n2 ai 1\nb")]) != hash_of([(1, "ai", "a"), (2, "ai", "b")])
