"""Tickets and messages as rows, and back. Columns stand in the order of the fields they hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json

from libs.contracts.event import Payload
from libs.contracts.ticket import Attachment, InboundMail, MessageKind, Outbound
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.message import Customer, Message, Visibility
from services.intake.domain.ticket import Origin, Ticket

SEPARATOR = "\x1f"
"""Between the entries of a text array on its way in: unnest flattens arrays of arrays."""

ORIGIN = tuple(field.name for field in fields(Origin))
STATE = tuple(field.name for field in fields(Ticket))[2:]
AFTER_ORIGIN = 1 + len(ORIGIN)
TICKET_COLUMNS = ("id", *ORIGIN, *STATE)
MESSAGE_COLUMNS = tuple(field.name for field in fields(Message))
CUSTOMER_COLUMNS = tuple(field.name for field in fields(Customer))

TYPES = {
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "resolved_at": "timestamptz",
    "close_at": "timestamptz",
    "waiting_since": "timestamptz",
    "at": "timestamptz",
    "sent_at": "timestamptz",
    "suppress_reply": "boolean",
    "routed": "boolean",
    "spam": "boolean",
    "version": "bigint",
    "epoch": "bigint",
    "n": "bigint",
    "seq": "bigint",
    "customer_messages": "integer",
    "human_replies": "integer",
    "reminders": "integer",
    "rating": "integer",
    "thanks": "boolean",
    "handoff": "jsonb",
    "custom": "jsonb",
    "mail": "jsonb",
    "outbound": "jsonb",
    "attachments": "jsonb",
}
"""Types of columns that are not text."""

ARRAYS = frozenset({"tags", "set_by_person"})


def type_of(column: str) -> str:
    """The type in which the values of a column travel."""
    return TYPES.get(column, "text")


def stored(column: str, expression: str) -> str:
    """What travelled, as it is stored."""
    return f"string_to_array({expression}, chr(31))" if column in ARRAYS else expression


def _documents(payloads: Iterable[Payload | None]) -> list[str | None]:
    return [None if payload is None else payload.model_dump_json(exclude_defaults=True) for payload in payloads]


Columnar = Callable[[Iterable[Any]], list[Any]]

TRAVELLING: Mapping[str, Columnar] = {
    "tags": lambda all_tags: [SEPARATOR.join(tags) for tags in all_tags],
    "custom": lambda fields: [to_json(each).decode() if each else "{}" for each in fields],
    "set_by_person": lambda all_names: [SEPARATOR.join(sorted(names)) for names in all_names],
    "mail": _documents,
    "outbound": _documents,
    "attachments": lambda lists: [to_json(each).decode() if each else None for each in lists],
}
"""How the values of a field become those of its column, where they are not the same."""


CATEGORIES = {category.value: category for category in StatusCategory}


def ticket_of(row: asyncpg.Record) -> Ticket:
    """A ticket from its TICKET_COLUMNS, the first columns of a row."""
    values = tuple(row)
    ticket = object.__new__(Ticket)
    fields = ticket.__dict__
    fields["id"], fields["origin"] = values[0], Origin(*values[1:AFTER_ORIGIN])
    fields.update(zip(STATE, values[AFTER_ORIGIN:], strict=False))
    fields["status_category"] = CATEGORIES[fields["status_category"]]
    fields["tags"] = tuple(fields["tags"])
    fields["custom"] = {} if fields["custom"] == "{}" else from_json(fields["custom"])
    fields["set_by_person"] = frozenset(fields["set_by_person"])
    return ticket


def message_of(row: asyncpg.Record) -> Message:
    """A message from its MESSAGE_COLUMNS, the first columns of a row."""
    id, kind, text, at, channel, ticket_id, n, visibility, *rest = tuple(row)[: len(MESSAGE_COLUMNS)]
    author, sent_at, source, conversation_id, seq, html, mail, outbound, attachments, thanks = rest
    return Message(
        id=id,
        kind=None if kind is None else MessageKind(kind),
        text=text,
        at=at,
        channel=channel,
        ticket_id=ticket_id,
        n=n,
        visibility=Visibility(visibility),
        author=author,
        sent_at=sent_at,
        source=source,
        conversation_id=conversation_id,
        seq=seq,
        html=html,
        mail=None if mail is None else InboundMail.model_validate_json(mail),
        outbound=None if outbound is None else Outbound.model_validate_json(outbound),
        attachments=tuple(Attachment(**each) for each in from_json(attachments)) if attachments else (),
        thanks=thanks,
    )
