"""Tickets and messages in PostgreSQL: loaded once, stored once, a statement a table."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from libs.chassis.transaction import Transaction
from services.intake.batches import changed_tickets, new_messages, new_tickets
from services.intake.configuration import IntakeConfiguration
from services.intake.domain.decision import Decision
from services.intake.domain.message import Message
from services.intake.domain.reference import reference
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket, state_json
from services.intake.domain.waiting import next_step
from services.intake.identities import Identities
from services.intake.rows import TICKET_COLUMNS, ticket_of

AUTO_CLOSE = "auto_close"
"""The kind of timer that closes a resolved ticket; its key is the ticket's id."""
WAITING = "waiting"
"""The kind of timer that reminds of a ticket that waits, or moves it on; its key is the ticket's id."""
GRACE = timedelta(seconds=2)
"""A ticket is closed so long after its time, as of its time: what a customer wrote until then is stored (K-2)."""

LOAD = f"SELECT {', '.join(TICKET_COLUMNS)} FROM tickets WHERE id = ANY($1::text[])"
LOAD_LOCKED = f"{LOAD} ORDER BY id FOR UPDATE"
LOCK = "SELECT id FROM tickets WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
REFERENCES = "SELECT nextval('ticket_references') AS number FROM generate_series(1, $1)"


class Store:
    """The tickets of one transaction. last: nothing is read after `save`, so what is new is written at the end."""

    def __init__(self, transaction: Transaction, *, last: bool = False) -> None:
        self.transaction, self.identities = transaction, Identities(transaction.now)
        self._last = last
        configuration: IntakeConfiguration = transaction.config.parsed
        self.configuration = configuration
        self._before: dict[str, Ticket] = {}

    @property
    def statuses(self) -> Statuses:
        """The statuses in force."""
        return self.configuration.statuses

    async def tickets(self, ids: Collection[str]) -> dict[str, Ticket]:
        """These tickets, locked in the order of their ids until the transaction ends; ids nobody has are left out."""
        if not ids:
            return {}
        rows = await self.transaction.connection.fetch(LOAD_LOCKED, sorted(ids))
        loaded = {row["id"]: ticket_of(row) for row in rows}
        self._before |= loaded
        return loaded

    async def glance(self, id: str) -> Ticket | None:
        """A ticket as it is now, for reading only."""
        row = await self.transaction.connection.fetchrow(LOAD, [id])
        return None if row is None else ticket_of(row)

    async def lock(self, ids: Collection[str]) -> None:
        """Only lock them: for what is changed without a decision. Lock before loading, never after."""
        if ids:
            await self.transaction.connection.execute(LOCK, sorted(ids))

    async def references(self, count: int) -> list[str]:
        """References for new tickets (decisions 28)."""
        rows = await self.transaction.connection.fetch(REFERENCES, count)
        return [reference(row["number"]) for row in rows]

    async def save(self, decisions: Iterable[Decision]) -> None:
        """Store what was decided, in order, and say its facts; of several about one ticket the last is how it is now.

        Tickets that `tickets` did not load are new.
        """
        made = [each for each in decisions if each.say or each.ticket != self._before.get(each.ticket.id)]
        after = {decision.ticket.id: decision.ticket for decision in made}
        await self._insert([ticket for id, ticket in after.items() if id not in self._before])
        await self._update([ticket for id, ticket in after.items() if id in self._before])
        await self.store_messages([message for decision in made for message in decision.messages])
        for decision in made:
            self._say(decision)
        for ticket in after.values():
            self._arm(ticket)
        self._before |= after

    async def store_messages(self, messages: list[Message]) -> None:
        """Insert messages as they are."""
        if messages:
            await self._write(*new_messages(messages))

    async def _insert(self, tickets: list[Ticket]) -> None:
        if tickets:
            await self._write(*new_tickets(tickets))

    async def _write(self, statement: str, columns: Sequence[object]) -> None:
        if self._last:
            self.transaction.write(statement, *columns)
        else:
            await self.transaction.connection.execute(statement, *columns)

    async def _update(self, tickets: list[Ticket]) -> None:
        if tickets:
            batch = changed_tickets([self._before[ticket.id] for ticket in tickets], tickets)
            if batch is not None:
                await self.transaction.connection.execute(batch[0], *batch[1])

    def _say(self, decision: Decision) -> None:
        statuses, fields = self.statuses, self.configuration.fields
        for said in decision.say:
            ticket, by = said.ticket, said.by
            self.transaction.say(
                fields.without_personal(said.event) if fields.personal else said.event,
                ticket.id,
                n=ticket.version,
                occurred_at=ticket.updated_at,
                actor=by.actor,
                cause=by.cause,
                trace=by.trace,
                state=state_json(ticket, statuses.present(ticket.status, ticket.status_category), fields.personal),
            )

    def _arm(self, ticket: Ticket) -> None:
        """Keep the timers as the ticket says: of closing (behaviour K-1), of what its status does by itself (K-2)."""
        before = self._before.get(ticket.id)
        if ticket.close_at != (None if before is None else before.close_at):
            self._set(ticket.id, AUTO_CLOSE, None if ticket.close_at is None else ticket.close_at + GRACE)
        if ticket.waiting_since is not None or (before is not None and before.waiting_since is not None):
            step = next_step(ticket, self.statuses)
            if step is not None or before is not None:
                self._set(ticket.id, WAITING, None if step is None else step.due)

    def _set(self, ticket: str, kind: str, due: datetime | None) -> None:
        if due is None:
            self.transaction.disarm(ticket, kind)
        else:
            self.transaction.arm(ticket, kind, due)
