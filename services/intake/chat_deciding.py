"""What a batch of conversations leads to: tickets, messages on tickets, and messages that wait for one."""

from dataclasses import dataclass, field
from datetime import datetime

from libs.contracts.ticket import MessageKind
from services.intake.chat_loading import Loaded
from services.intake.chats import Asked, Chat, Written, in_order
from services.intake.conversations import Key
from services.intake.domain.altered import altered
from services.intake.domain.appending import append_message
from services.intake.domain.changing import identify
from services.intake.domain.conversation import DEFAULT_CHANNEL, opening_from
from services.intake.domain.decision import By, Decision
from services.intake.domain.message import Message
from services.intake.domain.opening import Opening, follow_up, open_ticket
from services.intake.domain.rating import rate
from services.intake.domain.removing import DELETED, restore
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket
from services.intake.domain.via import Via, through


@dataclass(slots=True)
class Outcome:
    """What is to be stored.

    waiting: messages without a ticket. links: conversations whose messages another ticket takes from now on. taking:
    conversations whose stored messages begin a ticket. answered: the ticket of each request, in order; with it, whether
    it was opened now. linked: conversations that have a ticket in the end. absorbed: anonymous customers, and who they
    turned out to be.
    """

    decisions: list[Decision] = field(default_factory=list)
    waiting: list[Message] = field(default_factory=list)
    links: dict[Key, str] = field(default_factory=dict)
    taking: dict[Key, str] = field(default_factory=dict)
    answered: dict[Key, list[tuple[str, bool]]] = field(default_factory=dict)
    linked: set[Key] = field(default_factory=set)
    absorbed: dict[str, str] = field(default_factory=dict)


def decide(chats: dict[Key, Chat], loaded: Loaded, statuses: Statuses, now: datetime) -> Outcome:
    """Go through every conversation, step by step in order."""
    outcome = Outcome()
    for key, chat in chats.items():
        _Deciding(key, chat, loaded, outcome, statuses, now).run()
    return outcome


class _Deciding:
    """One conversation on its way through a batch."""

    def __init__(
        self, key: Key, chat: Chat, loaded: Loaded, outcome: Outcome, statuses: Statuses, now: datetime
    ) -> None:
        self._key, self._chat, self._loaded, self._outcome = key, chat, loaded, outcome
        self._statuses, self._now = statuses, now
        self._conversation = loaded.known[key]
        self._ticket: Ticket | None = loaded.tickets.get(self._conversation.ticket_id or "")
        self._written: list[Message] = []
        self._waiting: list[Message] = []

    def run(self) -> None:
        for step in in_order(self._chat.steps):
            if isinstance(step, Asked):
                self._ask(step)
            else:
                self._write(step)
        self._identify()
        self._rate()
        self._outcome.waiting += self._waiting
        if self._ticket is not None:
            self._outcome.linked.add(self._key)
            if self._ticket.id != self._conversation.ticket_id:
                self._outcome.links[self._key] = self._ticket.id

    def _write(self, step: Written) -> None:
        message = step.message
        if (*self._key, message.seq) in self._loaded.stored:
            return
        if (self._conversation.channel or DEFAULT_CHANNEL) != message.channel:
            message = altered(message, channel=self._conversation.channel or DEFAULT_CHANNEL)
        self._written.append(message)
        ticket = self._ticket
        if ticket is None or (ticket.is_closed and message.kind is not MessageKind.CUSTOMER):
            self._waiting.append(message)
        elif ticket.is_closed:
            self._follow_up(ticket, message, step.by)
        else:
            if ticket.removed == DELETED and message.kind is MessageKind.CUSTOMER:
                self._keep(restore(ticket, "its customer wrote again", self._statuses, self._now, step.by))
                assert self._ticket is not None
                ticket = self._ticket
            self._keep(append_message(ticket, message, self._statuses, self._now, step.by))

    def _ask(self, step: Asked) -> None:
        """A request opens its ticket once (behaviour C-1)."""
        intent = (*self._key, step.request.intent_id)
        there = self._loaded.intents.get(intent)
        if there is None:
            self._open(self._opening(step), step.by)
            assert self._ticket is not None
            self._loaded.intents[intent] = self._ticket.id
        answer = (there or self._loaded.intents[intent], there is None)
        self._outcome.answered.setdefault(self._key, []).append(answer)

    def _opening(self, step: Asked) -> Opening:
        id, reference = self._number()
        stored = self._loaded.transcripts.get(self._key, [])
        transcript = sorted([*stored, *self._written], key=lambda message: message.seq or 0)
        customer = self._loaded.customers.get(self._key)
        return opening_from(
            self._conversation,
            step.request,
            transcript,
            self._waiting,
            customer,
            self._loaded.roster,
            self._loaded.fields,
            id=id,
            reference=reference,
        )

    def _follow_up(self, closed: Ticket, message: Message, by: By) -> None:
        """What a customer writes after the ticket was closed begins another one (behaviour C-3, H-4)."""
        id, reference = self._number()
        opening = Opening(
            id=id,
            reference=reference,
            channel=self._conversation.channel or DEFAULT_CHANNEL,
            subject=closed.subject,
            customer=self._loaded.customers.get(self._key),
            first=message,
            messages=(*self._waiting, message),
            customer_messages=1,
            language=self._conversation.language,
            conversation=self._conversation.link,
        )
        self._open(follow_up(opening, closed), by)

    def _open(self, opening: Opening, by: By) -> None:
        self._waiting = []
        if self._key not in self._loaded.fresh:
            self._outcome.taking.setdefault(self._key, opening.id)
        self._keep(open_ticket(opening, self._statuses, self._now, by))

    def _number(self) -> tuple[str, str]:
        """The id of a ticket that begins: the one the conversation is linked to by proposal, unless that is used."""
        proposed = self._conversation.ticket_id if self._ticket is None else None
        return proposed or self._loaded.ids.pop(), self._loaded.references.pop()

    def _identify(self) -> None:
        """Who is known later is the customer of the ticket then, if it had none with an address (behaviour C-5)."""
        ticket, customer = self._ticket, self._loaded.customers.get(self._key)
        if ticket is None or ticket.is_closed or customer is None or self._chat.known.email is None:
            return
        present = self._loaded.requesters.get(ticket.customer_id or "")
        if present is None or present.email is None or present.id == customer.id:
            if present is not None and present.phone is None and present.id != customer.id:
                self._outcome.absorbed[present.id] = customer.id
            by = By(f"source:{self._key[0]}", cause=through(Via.CHAT, self._key[1]))
            self._keep(identify(ticket, customer, self._statuses, self._now, by))

    def _rate(self) -> None:
        """A rating of the conversation is one of its ticket (behaviour K-5)."""
        mark, ticket = self._chat.mark, self._ticket
        if mark is not None and mark.score is not None and ticket is not None and ticket.removed is None:
            self._keep(rate(ticket, mark.score, self._now, By("customer", cause=mark.cause)))

    def _keep(self, decision: Decision) -> None:
        self._ticket = decision.ticket
        self._outcome.decisions.append(decision)
