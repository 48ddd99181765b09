"""Intake, one message at a time: conversations become tickets, decisions become their fields."""

import secrets
from typing import Any

from sqlalchemy import select

from benchmarks.naive.intake_rows import ConversationRow, CustomerRow, MessageRow, TicketRow, TimelineRow
from benchmarks.naive.role import Role, Work
from libs.contracts.conversation import ConversationMessageAdded, TicketRequested
from libs.contracts.event import Speaker
from libs.contracts.identifiers import uuid7
from libs.contracts.notice import NoticeSent
from libs.contracts.routing import RoutedFields, TicketRouted
from libs.contracts.sla import TargetsSet, TargetState
from libs.contracts.ticket import Change, ConversationLink, Customer, TicketChanged, TicketOpened

role = Role(Speaker.INTAKE)


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
