"""What only few mails need to be decided: each is asked for only when one of them came."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from services.intake.customers import Customers
from services.intake.domain.follow_up import Continuation, continuation
from services.intake.domain.ticket import Ticket
from services.intake.inbound.batch import Batch
from services.intake.inbound.copies import Copies
from services.intake.inbound.letter import Letter
from services.intake.reading import mails

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_TOLD = 4
"""In a day, and one an hour: as with acknowledgments (behaviour A-4)."""

SUBJECTS = """
SELECT ticket_id, mail->>'subject' AS subject FROM messages
WHERE ticket_id = ANY($1::text[]) AND mail->>'subject' IS NOT NULL ORDER BY ticket_id, n
"""
TOLD = """
SELECT author FROM inbound_mail
WHERE disposition = 'refused' AND message_id IS NOT NULL AND author = ANY($1::text[]) AND settled_at > $2
GROUP BY author HAVING count(*) >= $4 OR max(settled_at) > $3
"""


class Background:
    """Completes a batch for the mails that need more than others."""

    def __init__(self, batch: Batch, letters: Sequence[Letter]) -> None:
        self._batch, self._letters = batch, letters
        self._connection = batch.store.transaction.connection

    async def load(self) -> None:
        """Load what the mails of this batch need."""
        placed = list(self._placed())
        await self._subjects(
            {ticket.id for letter, ticket in placed if self._batch.speaks_of_something_else(letter, ticket)}
        )
        await self._threads([ticket for letter, ticket in placed if letter.author.email in self._batch.agents])
        await self._told({letter.author.email for letter, ticket in placed if self._may_be_refused(ticket)})

    def _placed(self) -> Iterator[tuple[Letter, Ticket]]:
        batch = self._batch
        for letter in self._letters:
            place = batch.place(letter) or batch.places.get(batch.components[letter.receipt.id])
            ticket = None if place is None else batch.directory.tickets.get(place.ticket_id)
            if ticket is not None:
                yield letter, ticket

    def _may_be_refused(self, ticket: Ticket) -> bool:
        return continuation(ticket, self._batch.policy.follow_up_in(ticket.queue)) is Continuation.REFUSE

    async def _subjects(self, tickets: set[str]) -> None:
        """Under which subjects these tickets were written besides their own (H-3)."""
        if tickets:
            for row in await self._connection.fetch(SUBJECTS, sorted(tickets)):
                self._batch.subjects.setdefault(row["ticket_id"], []).append(row["subject"])

    async def _threads(self, tickets: Iterable[Ticket]) -> None:
        """What an agent's answer needs to leave as mail (H-6)."""
        answered = {ticket.id: ticket for ticket in tickets}
        for id in answered:
            self._batch.threads[id] = await mails(self._connection, id)
        self._batch.copies = await Copies(self._connection).of(answered)
        people = {ticket.customer_id for ticket in answered.values() if ticket.customer_id is not None}
        if people:
            known = await Customers(self._connection, self._batch.store.identities).with_ids(people)
            self._batch.requesters |= known

    async def _told(self, authors: set[str]) -> None:
        """Whom we told of a refusal lately."""
        if authors:
            now = self._batch.now
            rows = await self._connection.fetch(TOLD, sorted(authors), now - DAY, now - HOUR, MOST_TOLD)
            self._batch.told.update(row["author"] for row in rows)
