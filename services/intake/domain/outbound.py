"""How an agent's answer leaves as mail, and how the customer's answer finds back (behaviour E-8)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.mail_ids import body_mark, plus_address, reply_message_id
from libs.contracts.ticket import AnswerCopy, MessageKind, Outbound
from services.intake.domain.message import Customer, Message
from services.intake.domain.ticket import Ticket

MAX_REFERENCES = 20
ANSWER = re.compile(r"\s*(re|aw|antw|sv|res)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who answers: a mailbox of ours, the domain of our Message-IDs, the key that signs ids and plus addresses."""

    address: str
    domain: str
    key: bytes


def outbound(
    ticket: Ticket,
    customer: Customer | None,
    message_id: str,
    thread: Sequence[Message],
    ours: Sender,
    copies: Sequence[AnswerCopy] = (),
) -> Outbound | None:
    """What the notifier needs to send a message; None where nobody has an address.

    thread: the ticket's earlier messages that travelled as mail, in order. copies: who gets it beside the customer.
    """
    to = customer.email if customer is not None else None
    others = tuple(copy for copy in copies if copy.to != to)
    if to is None and not others:
        return None
    received = [message.mail for message in thread if message.mail is not None and message.mail.message_id]
    return Outbound(
        to=to or "",
        sender=ours.address,
        subject=answer_subject(subject_of(ticket, thread), ticket.origin.reference),
        message_id=reply_message_id(ours.key, ticket.id, message_id, ours.domain),
        in_reply_to=received[-1].message_id if received else None,
        references=_references(thread),
        reply_to=plus_address(ours.key, ours.address, ticket.origin.reference),
        mark=body_mark(ours.key, ticket.origin.reference),
        copies=others,
    )


def subject_of(ticket: Ticket, thread: Sequence[Message]) -> str:
    """The subject under which the customer wrote last, else the ticket's: no other participant's (behaviour H-3)."""
    received = [message.mail for message in thread if message.mail is not None and _is_theirs(message, ticket)]
    return (received[-1].subject if received else None) or ticket.subject


def _is_theirs(message: Message, ticket: Ticket) -> bool:
    return message.kind is MessageKind.CUSTOMER and message.author in (None, ticket.customer_id)


def answer_subject(subject: str, reference: str) -> str:
    """`[#<reference>] Re: <subject>`; neither is put there twice (behaviour E-8)."""
    answered = subject if ANSWER.match(subject) else f"Re: {subject}".rstrip()
    token = f"[#{reference}]"
    return answered if token in answered else f"{token} {answered}"


def _references(thread: Sequence[Message]) -> tuple[str, ...]:
    """Every id of the thread, oldest first; of more than 20 the first and the newest."""
    ids: dict[str, None] = {}
    for message in thread:
        if message.mail is not None:
            ids |= dict.fromkeys(message.mail.references)
            if message.mail.message_id:
                ids[message.mail.message_id] = None
        if message.outbound is not None:
            ids[message.outbound.message_id] = None
    chain = tuple(ids)
    return chain if len(chain) <= MAX_REFERENCES else (chain[0], *chain[1 - MAX_REFERENCES :])
