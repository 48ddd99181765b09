"""Tickets and notices as columns, for statements over unnest."""

from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json

from services.notifier.domain.notice import Notice
from services.notifier.domain.ticket import Promise, Ticket

OPENING = (
    *("reference", "channel", "mailbox", "subject", "customer_name", "customer_email", "return_path", "message_id"),
    *("conversation_source", "conversation_id", "suppress_reply", "by_hand"),
)
LIVING = ("language", "assignee", "queue", "silenced", "undeliverable", "done", "acknowledged")

NOTICE_TYPES: dict[str, str] = {
    "ticket": "text",
    "id": "text",
    "kind": "text",
    "way": "text",
    "cause": "text",
    "recipient": "text",
    "automatic": "bool",
    "fact_at": "timestamptz",
    "created_at": "timestamptz",
    "state": "text",
    "verdict": "text",
    "reason": "text",
    "subject": "text",
    "text": "text",
    "sender": "text",
    "reply_to": "text",
    "message_id": "text",
    "in_reply_to": "text",
    "thread": "text",
    "answers": "bool",
    "source_message": "text",
    "attachments": "text",
    "topic": "text",
    "shared": "bool",
    "copy_for": "text",
    "trace": "text",
}
NOTICE_COLUMNS = tuple(NOTICE_TYPES)


_opening_values, _living_values = attrgetter(*OPENING), attrgetter(*LIVING)


def opening_of(ticket: Ticket) -> str:
    """What is known since it was opened, as a document: an array, the instant first."""
    return to_json((ticket.opened_at, *_opening_values(ticket))).decode()


def living_of(ticket: Ticket) -> str:
    """What changes, as a document: thread and promise, which are left out where there are none, come last."""
    promise, thread = ticket.promise, ticket.thread
    if promise is not None:
        said = (promise.cause, promise.said_at, promise.state, promise.deadline, promise.schedule)
        return to_json((*_living_values(ticket), thread, said)).decode()
    return to_json((*_living_values(ticket), thread) if thread else _living_values(ticket)).decode()


def ticket_of(row: asyncpg.Record) -> Ticket:
    """From id, opening and living."""
    ticket = Ticket(row["id"], stored=row["living"])
    _read_living(ticket, *from_json(row["living"]))
    if row["opening"]:
        opened_at, *values = from_json(row["opening"])
        ticket.opened_at = opened_at and datetime.fromisoformat(opened_at)
        for name, value in zip(OPENING, values, strict=True):
            setattr(ticket, name, value)
    return ticket


def _read_living(ticket: Ticket, *document: Any) -> None:
    for name, value in zip(LIVING, document, strict=False):
        setattr(ticket, name, value)
    thread, said, *_ = (*document[len(LIVING) :], None, None)
    ticket.thread = tuple(thread or ())
    if said is not None:
        cause, said_at, state, due, schedule = said
        deadline = due and datetime.fromisoformat(due)
        ticket.promise = Promise(cause, datetime.fromisoformat(said_at), state, deadline, schedule)


def notice_row(notice: Notice) -> tuple[Any, ...]:
    """In the order of NOTICE_COLUMNS."""
    return (
        notice.ticket,
        notice.id,
        notice.kind.value,
        notice.way.value,
        notice.cause,
        notice.recipient,
        notice.automatic,
        notice.fact_at,
        notice.created_at,
        notice.state.value,
        None if notice.verdict is None else notice.verdict.value,
        notice.reason,
        notice.subject,
        notice.text,
        notice.sender,
        notice.reply_to,
        notice.message_id,
        notice.in_reply_to,
        notice.thread,
        notice.answers,
        notice.source_message,
        notice.attachments,
        notice.topic,
        notice.shared,
        notice.copy_for,
        notice.trace,
    )


def chat_row(notice: Notice) -> tuple[Any, ...]:
    """Of a notice that was said in a chat: ticket, id, kind, cause, recipient, fact_at, text, trace."""
    return (
        notice.ticket,
        notice.id,
        notice.kind.value,
        notice.cause,
        notice.recipient,
        notice.fact_at,
        notice.text,
        notice.trace,
    )
