"""Keyset pagination: a list goes on after the last row that was given, however the list changes meanwhile (V-3)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from hashlib import blake2s
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.chassis.errors import Invalid

DEFAULT_LIMIT, MOST = 50, 200
DIGEST_BYTES = 6

Limit = Annotated[int, Query(ge=1, le=MOST, description="Items a page")]
"""A parameter of list routes: `limit: Limit = DEFAULT_LIMIT`."""

CursorParameter = Annotated[str | None, Query(max_length=2048, description="`next` of the page before")]
"""A parameter of list routes: `cursor: CursorParameter = None`."""


class Position(BaseModel):
    """Where a page ended: the values of the list's sort key, the last one unique. One subclass for each list.

    What makes the list the same list over pages (its sort, `as_of`) belongs into it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


Item = TypeVar("Item")
Row = TypeVar("Row")
P = TypeVar("P", bound=Position)


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is the cursor of the page after it, null at the end."""

    items: Sequence[Item]
    next: str | None = Field(None, description="Give it as `cursor` to go on")


def encode(position: Position) -> str:
    """An opaque cursor: letters, digits, `-` and `_`."""
    content = position.model_dump_json().encode()
    return _text(_digest(type(position), content) + content)


def decode(kind: type[P], cursor: str, field: str = "cursor") -> P:
    """The position in a cursor. Invalid (422) if it was not made by `encode` for this kind of list.

    A digest without a secret finds what was cut, mistyped or taken from another list. Who forges one on purpose gets
    another place in a list that is open to him anyway: the values are typed, and bound as SQL parameters.
    """
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        content = raw[DIGEST_BYTES:]
        if raw[:DIGEST_BYTES] != _digest(kind, content) or _text(raw) != cursor:
            raise ValueError
        return kind.model_validate_json(content)
    except (ValueError, ValidationError):
        raise Invalid(field, "is not a cursor of this list") from None


def page_of(rows: Sequence[Row], limit: int, position: Callable[[Row], Position]) -> tuple[Sequence[Row], str | None]:
    """The rows of a page and the cursor of the next, from up to limit + 1 rows that were fetched."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode(position(rows[limit - 1]))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _digest(kind: type[Position], content: bytes) -> bytes:
    return blake2s(kind.__qualname__.encode() + content, digest_size=DIGEST_BYTES).digest()
