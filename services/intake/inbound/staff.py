"""Agents who answer by mail, from their own address (behaviour H-6)."""

import re
from dataclasses import replace

from libs.contracts.ticket import MessageKind
from services.intake.domain.altered import altered
from services.intake.domain.appending import note, reply
from services.intake.domain.message import Visibility
from services.intake.domain.outbound import Sender, outbound
from services.intake.domain.ticket import Ticket
from services.intake.inbound.batch import Batch, Place
from services.intake.inbound.letter import Letter, by
from services.intake.inbound.outcome import Because, Disposition, Outcome

NOTE = re.compile(r"#note\b[ \t:]*\n?", re.IGNORECASE)


def decide(letter: Letter, ticket: Ticket, place: Place, batch: Batch) -> Outcome:
    """A public answer, or a note if its first word is `#note`. Anybody can write an agent's address into From: both
    our signed address or id, which only who takes part knows, and a trusted server must vouch for it; else it waits.
    """
    unproved = _unproved(letter, place)
    if unproved is not None:
        reason = f"comes from an agent's address, {unproved}"
        return Outcome(Disposition.SUSPENDED, reason, ticket.id, because=Because.UNPROVED_AGENT)
    if ticket.is_closed or ticket.merged_into is not None or ticket.removed is not None:
        return Outcome(Disposition.SUSPENDED, "an agent's mail on a closed ticket", ticket.id, because=Because.CLOSED)
    return _write(letter, ticket, batch.agents[letter.author.email], batch)


def _unproved(letter: Letter, place: Place) -> str | None:
    if letter.receipt.released:
        return None
    if not letter.verified:
        return "and no trusted server says that it is theirs"
    return None if place.sure else "and does not answer a mail of ours"


def _write(letter: Letter, ticket: Ticket, agent: str, batch: Batch) -> Outcome:
    author = replace(by(letter, f"agent:{agent}"), agent=agent, person=True)
    message = altered(batch.message(letter, MessageKind.AGENT, joins=True, author=agent), html=None)
    marked = NOTE.match(message.text)
    if marked is not None:
        remark = altered(message, text=message.text[marked.end() :], visibility=Visibility.INTERNAL, kind=None)
        batch.keep(note(ticket, remark, batch.now, author))
        return Outcome(Disposition.APPENDED, f"a note by {agent}", ticket.id, message.id)
    sender = batch.policy.mailbox([ticket.origin.mailbox] if ticket.origin.mailbox else [])
    customer = batch.requesters.get(ticket.customer_id or "")
    if sender is not None and batch.keys:
        ours = Sender(sender, batch.policy.domain, batch.keys[0])
        thread, copies = batch.threads.get(ticket.id, []), batch.copies.get(ticket.id, ())
        message = altered(message, outbound=outbound(ticket, customer, message.id, thread, ours, copies))
    batch.keep(reply(ticket, message, None, batch.store.statuses, batch.now, author))
    return Outcome(Disposition.APPENDED, f"an answer by {agent}", ticket.id, message.id)
