"""Decides on the mails of a batch in order, each on what those before it left (behaviour A-4, A-5, E-1, H-1 to H-6).

Everything it needs was loaded before; nothing here waits.
"""

from libs.contracts.ticket import MessageKind
from services.intake.domain.follow_up import Continuation, continuation, revive
from services.intake.domain.merging import merge
from services.intake.domain.ticket import Ticket
from services.intake.inbound import bounces, refusing, staff
from services.intake.inbound.batch import Batch, Place
from services.intake.inbound.beginning import Beginning, begin
from services.intake.inbound.letter import Letter, Way, by
from services.intake.inbound.outcome import Because, Disposition, Outcome
from services.intake.mail.automatic import Subtype


class Mailroom:
    """Decides on the mails of one batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def decide(self, letter: Letter) -> Outcome:
        """What becomes of a mail that is new."""
        match letter.way:
            case Way.SUSPENDED:
                return Outcome(Disposition.SUSPENDED, letter.reason, because=letter.because)
            case Way.BOUNCE:
                return bounces.decide(letter, self._batch)
            case Way.ANSWER:
                return self._answer(letter)
            case Way.WRITTEN:
                return self._written(letter)

    # ---- a person's mail ----------------------------------------------------------------------------------

    def _written(self, letter: Letter) -> Outcome:
        batch = self._batch
        place = batch.place(letter) or batch.places.get(batch.components[letter.receipt.id])
        ticket = None if place is None else batch.directory.tickets.get(batch.directory.root(place.ticket_id))
        if place is None or ticket is None or not batch.takes_mail(ticket):
            return begin(letter, batch)
        if ticket.removed == "spam":
            if letter.receipt.released:
                return begin(letter, batch)
            reason = "belongs to a ticket that is spam"
            return Outcome(Disposition.SUSPENDED, reason, ticket.id, because=Because.SPAM)
        if letter.author.email in batch.agents and not batch.is_requester(letter, ticket):
            return staff.decide(letter, ticket, place, batch)
        return self._by_customer(letter, ticket, place)

    def _by_customer(self, letter: Letter, ticket: Ticket, place: Place) -> Outcome:
        batch = self._batch
        if batch.is_campaign(ticket) and not batch.is_requester(letter, ticket):
            return begin(letter, batch, Beginning(reason="answers a campaign"))
        takes_part = place.sure or batch.takes_part(letter, ticket)
        if not takes_part and (ticket.is_closed or ticket.removed):
            return begin(letter, batch)
        if takes_part and batch.begins_another_matter(letter, ticket):
            return begin(letter, batch, Beginning(split_from=ticket))
        match continuation(ticket, batch.policy.follow_up_in(ticket.queue)):
            case Continuation.APPEND:
                return self._append(letter, self._united(letter, ticket), place, takes_part)
            case Continuation.REOPEN:
                decision = revive(ticket, batch.store.statuses, batch.now, by(letter, "system"))
                batch.keep(decision)
                return self._append(letter, decision.ticket, place, takes_part)
            case Continuation.REFUSE if not letter.receipt.released:
                return refusing.refuse(letter, ticket, batch)
            case _:
                return begin(letter, batch, Beginning(follows=ticket if takes_part else None))

    def _united(self, letter: Letter, ticket: Ticket) -> Ticket:
        """The ticket with those that this mail shows to be parts of it: mails came in another order than written."""
        batch = self._batch
        for fragment in batch.directory.fragments(letter, ticket.id):
            merged, absorbing = merge(fragment, ticket, batch.store.statuses, batch.now, by(letter, "system"))
            batch.keep(merged)
            batch.keep(absorbing)
            batch.directory.roots[fragment.id] = ticket.id
            batch.united.append((fragment.id, ticket.id))
            ticket = absorbing.ticket
        return ticket

    def _append(self, letter: Letter, ticket: Ticket, place: Place, takes_part: bool) -> Outcome:
        batch = self._batch
        kind = MessageKind.AUTOMATIC if letter.kind is Subtype.GENERATED else MessageKind.CUSTOMER
        message = batch.join(letter, ticket, kind, public=takes_part)
        if not takes_part:
            reason = f"{place.how}; its author takes no part in it, so it waits there for an agent"
            return Outcome(Disposition.APPENDED, reason, ticket.id, message.id)
        batch.participants.add(ticket.id, batch.people(letter))
        return Outcome(Disposition.APPENDED, place.how, ticket.id, message.id)

    # ---- mail of machines ---------------------------------------------------------------------------------

    def _answer(self, letter: Letter) -> Outcome:
        """A program's answer joins the ticket it answers, and never opens one (A-5)."""
        assert letter.kind is not None
        batch = self._batch
        place = batch.place(letter)
        if place is None:
            reason = f"made by a program ({letter.kind}), and answers nothing of ours"
            return Outcome(Disposition.SUSPENDED, reason, because=Because.ANSWERS_NOTHING)
        ticket = batch.directory.tickets[place.ticket_id]
        if ticket.is_closed or ticket.merged_into is not None or ticket.removed is not None:
            return Outcome(Disposition.AUTOMATIC, f"{letter.kind}; nobody works on its ticket any more", ticket.id)
        takes_part = place.sure or batch.takes_part(letter, ticket)
        message = batch.join(letter, ticket, MessageKind.AUTOMATIC, public=takes_part)
        return Outcome(Disposition.AUTOMATIC, str(letter.kind), ticket.id, message.id)
