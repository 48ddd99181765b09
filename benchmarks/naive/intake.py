"""Intake, one message at a time: conversations become tickets, decisions become their fields."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Identity, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.naive.role import Role, Work
from benchmarks.naive.rows import Rows
from libs.contracts.conversation import ConversationMessageAdded, TicketRequested
from libs.contracts.event import Speaker
from libs.contracts.identifiers import uuid7
from libs.contracts.notice import NoticeSent
from libs.contracts.routing import RoutedFields, TicketRouted
from libs.contracts.sla import TargetsSet, TargetState
from libs.contracts.ticket import Change, ConversationLink, Customer, TicketChanged, TicketOpened
from libs.contracts.ticket_state import Priority, StatusCategory, TicketState

role = Role(Speaker.INTAKE)


class ConversationRow(Rows):
    """A conversation of another system."""

    __tablename__ = "conversations"

    source: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    ticket_id: Mapped[str | None]
    updated_at: Mapped[datetime]


class MessageRow(Rows):
    """A message of a conversation."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("source", "conversation_id", "seq"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    conversation_id: Mapped[str]
    seq: Mapped[int]
    ticket_id: Mapped[str | None] = mapped_column(index=True)
    role: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class CustomerRow(Rows):
    """A requester."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str | None]


class TicketRow(Rows):
    """A ticket."""

    __tablename__ = "tickets"
    __table_args__ = (UniqueConstraint("source", "conversation_id", "intent"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity())
    source: Mapped[str]
    conversation_id: Mapped[str]
    intent: Mapped[str]
    subject: Mapped[str]
    customer_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="open")
    priority: Mapped[str | None]
    category: Mapped[str | None]
    queue: Mapped[str | None] = mapped_column(index=True)
    assignee: Mapped[str | None] = mapped_column(index=True)
    tags: Mapped[list[str]] = mapped_column(default=list)
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict)
    customer_messages: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    epoch: Mapped[int] = mapped_column(default=0)
    routed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
    next_deadline: Mapped[datetime | None]

    def state(self) -> TicketState:
        """The ticket as its facts carry it."""
        return TicketState(
            id=self.id,
            reference=f"SB-{self.number}",
            status=self.status,
            status_category=StatusCategory.OPEN,
            priority=_priority(self.priority),
            assignee=self.assignee,
            queue=self.queue,
            category=self.category,
            tags=tuple(self.tags),
            channel="chat",
            custom=self.custom,
            created_at=self.created_at,
            updated_at=self.updated_at,
            customer_messages=self.customer_messages,
            epoch=self.epoch,
            routed=self.routed,
        )


class TimelineRow(Rows):
    """What others said about a ticket."""

    __tablename__ = "timeline"

    ticket_id: Mapped[str] = mapped_column(primary_key=True)
    speaker: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]


@role.hears_conversations(ConversationMessageAdded, TicketRequested)
async def on_conversation(said: ConversationMessageAdded | TicketRequested, work: Work) -> None:
    """One subscriber for both, so that a conversation's messages are there before its ticket is asked for."""
    conversation = await _conversation(work, work.source, said.conversation_id)
    if isinstance(said, ConversationMessageAdded):
        _store(work, conversation, said)
    elif conversation.ticket_id is None:
        await _open(work, conversation, said)


@role.hears(TicketRouted)
async def on_routed(routed: TicketRouted, work: Work) -> None:
    """Apply a decision and say so."""
    ticket = await work.the(TicketRow, work.subject)
    changes = _fields(ticket, routed.fields)
    if routed.epoch == ticket.epoch:
        changes |= _change(ticket, queue=routed.queue, assignee=routed.assignee)
        ticket.epoch += 1
    ticket.routed, ticket.updated_at = True, work.now
    ticket.version += 1
    _note(work, Speaker.ROUTER, routed)
    work.say(TicketChanged(changes=changes), ticket.version, ticket.state(), cause=routed.decision_id)


@role.hears(TargetsSet)
async def on_targets_set(targets: TargetsSet, work: Work) -> None:
    """Keep the next deadline."""
    ticket = await work.the(TicketRow, work.subject)
    running = [one.deadline for one in targets.targets if one.state is TargetState.RUNNING and one.deadline]
    ticket.next_deadline = min(running, default=None)
    _note(work, Speaker.SLA, targets)


@role.hears(NoticeSent)
async def on_notice_sent(sent: NoticeSent, work: Work) -> None:
    """Keep it in the timeline."""
    _note(work, Speaker.NOTIFIER, sent)


async def _conversation(work: Work, source: str, conversation_id: str) -> ConversationRow:
    key = (source, conversation_id)
    found = await work.session.get(ConversationRow, key, with_for_update=True)
    if found is None:
        found = ConversationRow(source=source, conversation_id=conversation_id, updated_at=work.now)
        work.session.add(found)
    found.updated_at = work.now
    return found


def _store(work: Work, conversation: ConversationRow, said: ConversationMessageAdded) -> None:
    work.session.add(
        MessageRow(
            id=_id(work),
            source=conversation.source,
            conversation_id=conversation.conversation_id,
            seq=said.seq,
            ticket_id=conversation.ticket_id,
            role=said.role.value,
            text=said.text,
            at=work.now,
        )
    )


async def _open(work: Work, conversation: ConversationRow, asked: TicketRequested) -> None:
    customer = await _customer(work, asked)
    messages = await _messages(work, conversation)
    ticket = TicketRow(
        id=_id(work),
        source=conversation.source,
        conversation_id=conversation.conversation_id,
        intent=asked.intent_id,
        subject=asked.subject or asked.topic or "",
        customer_id=customer.id,
        customer_messages=len(messages),
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(ticket)
    await work.session.flush()
    conversation.ticket_id = ticket.id
    for message in messages:
        message.ticket_id = ticket.id
    opened = TicketOpened(
        channel="chat",
        message_id=messages[0].id if messages else None,
        conversation=ConversationLink(source=ticket.source, conversation_id=ticket.conversation_id),
        subject=ticket.subject,
        text=messages[0].text if messages else "",
        customer=Customer(id=customer.id, name=customer.name, email=customer.email),
    )
    work.say(opened, 1, ticket.state(), subject=ticket.id)


async def _customer(work: Work, asked: TicketRequested) -> CustomerRow:
    found = await work.session.scalar(select(CustomerRow).where(CustomerRow.email == asked.email))
    if found is None:
        found = CustomerRow(id=_id(work), email=asked.email, name=asked.name)
        work.session.add(found)
    return found


async def _messages(work: Work, conversation: ConversationRow) -> list[MessageRow]:
    wanted = select(MessageRow).where(
        MessageRow.source == conversation.source, MessageRow.conversation_id == conversation.conversation_id
    )
    return list(await work.session.scalars(wanted.order_by(MessageRow.seq)))


def _fields(ticket: TicketRow, fields: RoutedFields) -> dict[str, Change]:
    changes = _change(ticket, category=fields.category, priority=fields.priority)
    tags = sorted({*ticket.tags, *fields.add_tags})
    return changes | _change(ticket, tags=tags, custom={**ticket.custom, **fields.custom})


def _change(ticket: TicketRow, **values: Any) -> dict[str, Change]:
    changes = {}
    for name, value in values.items():
        old = getattr(ticket, name)
        if value is not None and value != old:
            changes[name] = Change(old=old, new=value)
            setattr(ticket, name, value)
    return changes


def _note(work: Work, speaker: Speaker, said: TicketRouted | TargetsSet | NoticeSent) -> None:
    data = said.model_dump(mode="json", exclude_defaults=True)
    row = TimelineRow(ticket_id=work.subject, speaker=speaker.value, n=work.n, type=said.TYPE, data=data)
    work.session.add(row)


def _id(work: Work) -> str:
    return uuid7(work.now, 0, secrets.randbits(62))


def _priority(value: str | None) -> Priority | None:
    return value  # type: ignore[return-value]
