"""A cursor is a place in one list; whatever else arrives as a cursor is refused by name (V-3)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.errors import Invalid
from libs.chassis.pagination import Page, Position, decode, encode, page_of


class ByUpdate(Position):
    updated_at: datetime
    ticket: str
    as_of: datetime


class ByName(Position):
    updated_at: datetime
    ticket: str
    as_of: datetime


MOMENTS = st.datetimes(timezones=st.just(UTC))
POSITIONS = st.builds(ByUpdate, updated_at=MOMENTS, ticket=st.text(max_size=40), as_of=MOMENTS)


@given(POSITIONS)
def test_V3_a_position_survives_its_cursor_to_the_microsecond(position: ByUpdate) -> None:
    assert decode(ByUpdate, encode(position)) == position


@given(POSITIONS)
def test_a_cursor_of_another_list_is_refused(position: ByUpdate) -> None:
    with pytest.raises(Invalid):
        decode(ByName, encode(position))


@given(POSITIONS, st.data())
def test_one_changed_character_is_refused(position: ByUpdate, data: st.DataObject) -> None:
    cursor = encode(position)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCxyz0189-_").filter(lambda letter: letter != cursor[at]))

    with pytest.raises(Invalid) as refused:
        decode(ByUpdate, cursor[:at] + other + cursor[at + 1 :])

    assert refused.value.field == "cursor"


@given(st.text(max_size=200))
def test_any_text_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(Invalid):
        decode(ByUpdate, text)


def place(row: int) -> ByUpdate:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return ByUpdate(updated_at=moment, ticket=str(row), as_of=moment)


def test_a_full_page_goes_on_after_its_last_row() -> None:
    rows, following = page_of(range(4), 3, place)

    assert list(rows) == [0, 1, 2]
    assert following is not None
    assert decode(ByUpdate, following).ticket == "2"


@pytest.mark.parametrize("fetched", [0, 1, 3])
def test_the_last_page_says_so(fetched: int) -> None:
    rows, following = page_of(range(fetched), 3, place)

    assert (len(rows), following) == (fetched, None)
    assert Page[int](items=rows, next=following).model_dump() == {"items": list(range(fetched)), "next": None}
