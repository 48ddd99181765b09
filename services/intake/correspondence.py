"""What agents do with single messages: accept what somebody wrote who takes no part, split off another matter."""

from dataclasses import replace
from typing import Any

from libs.chassis.errors import Conflict, NotFound
from libs.contracts.ticket import MessageKind
from services.intake.customers import Customers
from services.intake.domain.appending import append_message
from services.intake.domain.decision import By, Decision
from services.intake.domain.message import Message, Visibility
from services.intake.domain.opening import Opening, open_ticket, subject_from
from services.intake.domain.ticket import Ticket
from services.intake.inbound.letter import thread_key
from services.intake.inbound.participation import Participants
from services.intake.rows import MESSAGE_COLUMNS, message_of
from services.intake.store import Store

ONE = f"SELECT {', '.join(MESSAGE_COLUMNS)} FROM messages WHERE id = $1 AND ticket_id = $2"
ACCEPT = "UPDATE messages SET visibility = 'public', n = $2 WHERE id = $1"
MOVE_ID = "UPDATE mail_ids SET ticket_id = $3 WHERE message_id = $1 AND ticket_id = $2"
NO_SUBJECT = "(no subject)"


class Correspondence:
    """Single messages of tickets, within one transaction."""

    def __init__(self, store: Store, by: By) -> None:
        self._store, self._by = store, by
        self._connection = store.transaction.connection

    async def accept(self, ticket: Ticket, message_id: str) -> Decision:
        """Make a held message public, with all that follows from it; its author takes part from now on (behaviour H-2).

        Conflict (409) for one that is not held.
        """
        message = await self._message(ticket, message_id)
        if message.visibility is not Visibility.UNVERIFIED:
            raise Conflict(f"message {message_id} does not wait for anybody")
        public = replace(message, visibility=Visibility.PUBLIC)
        store = self._store
        decision = append_message(ticket, public, store.statuses, store.transaction.now, self._by)
        await store.save([Decision(decision.ticket, decision.say)])
        await self._connection.execute(ACCEPT, message.id, decision.messages[0].n)
        await self._takes_part(ticket.id, message)
        return decision

    async def split(self, ticket: Ticket, message_id: str) -> Decision:
        """A ticket of its own for a customer's message, which stays where it is as well (behaviour H-3). What answers
        that mail goes to the new ticket from now on. Conflict (409) for a message that is no customer's, or not public.
        """
        message = await self._message(ticket, message_id)
        if message.kind is not MessageKind.CUSTOMER or message.visibility is not Visibility.PUBLIC:
            raise Conflict(f"message {message_id} is not a customer's public message")
        store = self._store
        opening = await self._opening(ticket, message)
        decision = open_ticket(opening, store.statuses, store.transaction.now, self._by)
        await store.save([decision])
        await self._takes_part(opening.id, message)
        if message.mail is not None and message.mail.message_id:
            await self._connection.execute(MOVE_ID, thread_key(message.mail.message_id), ticket.id, opening.id)
        return decision

    async def _opening(self, ticket: Ticket, message: Message) -> Opening:
        store = self._store
        copy = replace(message, id=store.identities.new(), at=store.transaction.now)
        if copy.source is not None:
            # a message of a conversation is stored once; what is split off is text
            copy = replace(copy, source=None, conversation_id=None, seq=None)
        (reference,) = await store.references(1)
        written = message.mail.subject if message.mail is not None else None
        return Opening(
            id=store.identities.new(),
            reference=reference,
            channel=message.channel,
            subject=written or subject_from(message.text) or NO_SUBJECT,
            first=copy,
            messages=(copy,),
            customer_messages=1,
            created_by=self._by.agent,
            split_from=ticket.id,
            **await self._inherited(ticket, message),
        )

    async def _inherited(self, ticket: Ticket, message: Message) -> dict[str, Any]:
        """Who wrote, and what of the ticket holds for whatever they write about."""
        author = message.author or ticket.customer_id
        people = await Customers(self._connection, self._store.identities).with_ids([author] if author else [])
        return {
            "customer": people.get(author or ""),
            "mailbox": ticket.origin.mailbox,
            "language": ticket.language,
            "suppress_reply": ticket.origin.suppress_reply,
        }

    async def _takes_part(self, ticket_id: str, message: Message) -> None:
        people = await Customers(self._connection, self._store.identities).with_ids(
            [message.author] if message.author else []
        )
        participants = Participants(self._connection)
        participants.add(ticket_id, [person.email for person in people.values() if person.email])
        await participants.save()

    async def _message(self, ticket: Ticket, message_id: str) -> Message:
        row = await self._connection.fetchrow(ONE, message_id, ticket.id)
        if row is None:
            raise NotFound(f"ticket {ticket.id} has no message {message_id}")
        return message_of(row)
