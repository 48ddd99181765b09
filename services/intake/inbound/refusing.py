"""A queue that takes no follow-ups tells who writes one, and keeps the mail (behaviour H-4)."""

from libs.contracts.mail_ids import reply_message_id
from libs.contracts.ticket import MessageKind, Outbound
from services.intake.acceptance import storable
from services.intake.domain.follow_up import tell_refusal
from services.intake.domain.message import Message
from services.intake.domain.outbound import answer_subject
from services.intake.domain.ticket import Ticket
from services.intake.inbound.batch import Batch
from services.intake.inbound.letter import Letter, by
from services.intake.inbound.outcome import Disposition, Outcome
from services.intake.mail.language import content_language

REASON = "its ticket is closed, and its queue takes no follow-ups"


def refuse(letter: Letter, ticket: Ticket, batch: Batch) -> Outcome:
    """Refuse a mail; its author is told at most once an hour, and never if a machine wrote."""
    author = letter.author.email
    sender = batch.policy.mailbox([ticket.origin.mailbox] if ticket.origin.mailbox else [])
    if letter.suppressed or sender is None or not batch.keys:
        return Outcome(Disposition.REFUSED, f"{REASON}; its author must not be answered", ticket.id)
    if batch.told[author]:
        return Outcome(Disposition.REFUSED, f"{REASON}; its author was told within the hour", ticket.id)
    batch.told[author] += 1
    notice = _notice(letter, ticket, sender, batch)
    batch.keep(tell_refusal(ticket, notice, batch.now, by(letter, "system")))
    return Outcome(Disposition.REFUSED, f"{REASON}; its author was told", ticket.id, notice.id)


def _notice(letter: Letter, ticket: Ticket, sender: str, batch: Batch) -> Message:
    """What leaves: without an address that leads back to the ticket, which takes no more."""
    id, mail, policy = batch.store.identities.new(), letter.mail, batch.policy
    language = ticket.language or content_language(mail.headers)
    reference = ticket.origin.reference
    # of a ticket of somebody else its author may know no more than the number
    subject = ticket.subject if batch.is_requester(letter, ticket) else storable(mail.subject)[:200]
    message_id = storable(mail.message_id) or None
    return Message(
        id=id,
        kind=MessageKind.SYSTEM,
        text=policy.refusal(language).format(reference=f"#{reference}", subject=subject),
        at=batch.now,
        channel="email",
        outbound=Outbound(
            to=letter.author.email,
            sender=sender,
            subject=answer_subject(storable(mail.subject)[:200] or subject, reference),
            message_id=reply_message_id(batch.keys[0], ticket.id, id, policy.domain),
            in_reply_to=message_id,
            references=() if message_id is None else (message_id,),
        ),
    )
