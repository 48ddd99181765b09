"""Rows of a batch as one statement: only columns that hold something, or that changed, travel.

What all rows of a batch have in common travels once, in the columns where that is the rule. (Were it so in every
column, chance would make a new statement of each small batch.)
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from libs.chassis.writes import unnested
from services.intake.domain.message import Message
from services.intake.domain.ticket import Ticket
from services.intake.rows import MESSAGE_COLUMNS, ORIGIN, STATE, TRAVELLING, stored, type_of

Batch = tuple[str, list[Any]]
"""A statement and its arguments."""

OFTEN_SHARED = frozenset(
    {
        *("channel", "created_at", "suppress_reply", "source", "intent", "status", "status_category", "updated_at"),
        *("version", "epoch", "tags", "routed", "spam", "customer_messages", "human_replies", "set_by_person"),
        *("kind", "at", "n", "visibility"),
    }
)
TICKET_FIELDS = {
    "id": attrgetter("id"),
    **{name: attrgetter(f"origin.{name}") for name in ORIGIN},
    **{name: attrgetter(name) for name in STATE},
}
MESSAGE_FIELDS = {name: attrgetter(name) for name in MESSAGE_COLUMNS}
CHANGING = {name: TICKET_FIELDS[name] for name in STATE}


def new_tickets(tickets: Collection[Ticket]) -> Batch:
    """The insert of tickets."""
    return _insert("tickets", {name: list(map(field, tickets)) for name, field in TICKET_FIELDS.items()})


def new_messages(messages: Collection[Message]) -> Batch:
    """The insert of messages."""
    return _insert("messages", {name: list(map(field, messages)) for name, field in MESSAGE_FIELDS.items()})


def changed_tickets(before: Sequence[Ticket], after: Sequence[Ticket]) -> Batch | None:
    """The update of tickets from one state to another, in the same order; None if nothing differs."""
    changed: dict[str, list[Any]] = {}
    for name, field in CHANGING.items():
        values = list(map(field, after))
        if values != list(map(field, before)):
            changed[name] = _travelling(name, values)
    if not changed:
        return None
    varying, shared = _divided(changed)
    ids = [ticket.id for ticket in after]
    return _update_of(tuple(varying), tuple(shared)), [ids, *varying.values(), *shared.values()]


def _insert(table: str, fields: Mapping[str, list[Any]]) -> Batch:
    columns = {name: _travelling(name, values) for name, values in fields.items()}
    varying, shared = _divided({name: values for name, values in columns.items() if values.count(None) < len(values)})
    return _insert_of(table, tuple(varying), tuple(shared)), [*varying.values(), *shared.values()]


def _travelling(name: str, values: list[Any]) -> list[Any]:
    return TRAVELLING[name](values) if name in TRAVELLING else values


def _divided(columns: Mapping[str, list[Any]]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Columns whose values differ from row to row, and the others with their one value."""
    shared = {
        name: values[0]
        for name, values in columns.items()
        if name in OFTEN_SHARED and values.count(values[0]) == len(values)
    }
    return {name: values for name, values in columns.items() if name not in shared}, shared


@lru_cache(maxsize=256)
def _insert_of(table: str, varying: tuple[str, ...], shared: tuple[str, ...]) -> str:
    values = [stored(column, f"x.{column}") for column in varying] + _constants(shared, len(varying) + 1)
    rows = unnested(varying, type_of)
    return f"INSERT INTO {table} ({', '.join((*varying, *shared))}) SELECT {', '.join(values)} FROM {rows}"


@lru_cache(maxsize=256)
def _update_of(varying: tuple[str, ...], shared: tuple[str, ...]) -> str:
    values = [stored(column, f"x.{column}") for column in varying] + _constants(shared, len(varying) + 2)
    changes = ", ".join(f"{column} = {value}" for column, value in zip((*varying, *shared), values, strict=True))
    return f"UPDATE tickets SET {changes} FROM {unnested(('id', *varying), type_of)} WHERE tickets.id = x.id"


def _constants(shared: tuple[str, ...], first: int) -> list[str]:
    return [stored(column, f"${place}::{type_of(column)}") for place, column in enumerate(shared, first)]
