"""A ticket begins with a mail (behaviour A-4, H-3, H-4)."""

from dataclasses import dataclass, replace

from libs.contracts.ticket import MessageKind
from services.intake.acceptance import storable
from services.intake.domain.message import Message
from services.intake.domain.opening import Opening, follow_up, open_ticket, subject_from
from services.intake.domain.ticket import Ticket
from services.intake.inbound.batch import Batch, Place
from services.intake.inbound.letter import Letter, by
from services.intake.inbound.outcome import Because, Disposition, Outcome
from services.intake.mail.language import content_language

NO_SUBJECT = "(no subject)"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Why a ticket begins. follows: the closed ticket it goes on from. split_from: the one that it names, and has
    nothing to do with.
    """

    reason: str = "opened a ticket"
    follows: Ticket | None = None
    split_from: Ticket | None = None


NEW = Beginning()


def begin(letter: Letter, batch: Batch, beginning: Beginning = NEW) -> Outcome:
    """Open a ticket; unless its author opens too many."""
    author, policy = letter.author.email, batch.policy
    is_free = letter.receipt.imported or letter.receipt.released or policy.is_allowed(author)
    if batch.opened[author] >= policy.sender_tickets and not is_free:
        minutes = policy.sender_period.total_seconds() / 60
        reason = f"more than {policy.sender_tickets} tickets of its author in {minutes:g} min"
        return Outcome(Disposition.SUSPENDED, reason, because=Because.TOO_MANY)
    batch.opened[author] += 1
    message = batch.message(letter, MessageKind.CUSTOMER, joins=beginning != NEW)
    opening = _opening(letter, message, batch, beginning)
    batch.keep(open_ticket(opening, batch.store.statuses, batch.now, by(letter, "customer")))
    batch.participants.add(opening.id, batch.people(letter))
    if beginning.follows is not None:
        batch.directory.roots[beginning.follows.id] = opening.id
    if beginning.split_from is None:
        batch.places[batch.components[letter.receipt.id]] = Place(opening.id)
    return Outcome(Disposition.ACCEPTED, _reason(beginning), opening.id, message.id)


def _reason(beginning: Beginning) -> str:
    if beginning.follows is not None:
        return "follows a closed ticket"
    return beginning.reason if beginning.split_from is None else "speaks of something else than the ticket it answers"


def _opening(letter: Letter, message: Message, batch: Batch, beginning: Beginning) -> Opening:
    defaults = batch.policy.defaults(letter.mailbox)
    component = batch.components[letter.receipt.id]
    # what is split off must not take the ids that the rest of its thread goes by
    vacant = batch.vacant.pop(component, None) if beginning.split_from is None else None
    opening = Opening(
        id=vacant or batch.store.identities.new(),
        reference=next(batch.references),
        channel="email",
        subject=storable(letter.mail.subject) or subject_from(message.text) or NO_SUBJECT,
        customer=batch.customers.get(letter.receipt.id),
        first=message,
        messages=(message,),
        customer_messages=1,
        priority=defaults.priority,
        queue=defaults.queue,
        tags=defaults.tags,
        language=content_language(letter.mail.headers) or defaults.language,
        mailbox=letter.mailbox,
        suppress_reply=letter.suppressed,
    )
    if beginning.follows is not None:
        return follow_up(opening, beginning.follows)
    split_from = beginning.split_from
    return opening if split_from is None else replace(opening, split_from=split_from.id)
