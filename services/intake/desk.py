"""What people do at their desk: open tickets, change them, answer, note. Each is one transaction of the caller's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from libs.chassis.errors import Invalid, NotReady
from libs.chassis.settings import Settings
from libs.contracts.ticket import Attachment, MessageKind
from libs.contracts.ticket_state import Scalar, StatusCategory
from services.intake.conversations import Conversations
from services.intake.customers import Contact, Customers
from services.intake.domain.appending import note, reply
from services.intake.domain.changing import change, merged
from services.intake.domain.decision import By, Decision
from services.intake.domain.fields import Required, WrongField
from services.intake.domain.message import Customer, Message, Visibility
from services.intake.domain.opening import Opening, open_ticket
from services.intake.domain.outbound import Sender, outbound
from services.intake.domain.recipe import Recipe
from services.intake.domain.rights import check_change, unseen_by
from services.intake.domain.status import WORKED_ON
from services.intake.domain.ticket import Ticket
from services.intake.inbound.copies import Copies
from services.intake.mail.sanitise import clean_html
from services.intake.reading import mails
from services.intake.store import Store
from services.intake.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote. attachments: ids of what was uploaded for it."""

    text: str
    html: str | None = None
    attachments: tuple[str, ...] = ()


class Desk:
    """The desk within one transaction. unseen: custom fields that are not shown to who is there (behaviour V-5)."""

    def __init__(self, store: Store, settings: Settings, by: By, uploader: str = "") -> None:
        self._store, self._settings, self._by = store, settings, by
        self._uploads = Uploads(store.transaction, uploader)
        self._now = store.transaction.now
        self.unseen = unseen_by(by.role, store.configuration.fields)
        self._customers = Customers(store.transaction.connection, store.identities, store.configuration.organisations)

    async def open(
        self, opening: Mapping[str, Any], contact: Contact, words: Words | None, remark: Words | None, *, answers: bool
    ) -> Decision:
        """A ticket by hand. answers: the words are for the customer and leave as mail, where there is an address."""
        customer = (await self._customers.of([contact]))[0] if contact != Contact() else None
        await self.check_roster(opening.get("assignee"), opening.get("queue"))
        opening = {**opening, "custom": self._checked_opening(opening)}
        (reference,) = await self._store.references(1)
        said = None
        if words is not None and not answers:
            said = self._message(words, MessageKind.CUSTOMER, opening["channel"], None)
        ticket = Opening(
            id=self._store.identities.new(),
            reference=reference,
            customer=customer,
            first=said,
            messages=() if said is None else (said,),
            customer_messages=int(said is not None),
            created_by=self._by.agent,
            opened_by_customer=not answers,
            **opening,
        )
        decision = open_ticket(ticket, self._store.statuses, self._now, self._by)
        if words is not None and answers:
            decision = decision.then(await self._answered(decision.ticket, customer, words, None))
        if remark is not None:
            decision = decision.then(self._noted(decision.ticket, remark))
        await self._store.save([decision])
        return decision

    async def change(self, ticket: Ticket, wanted: Mapping[str, Any], remark: Words | None = None) -> Decision:
        """Change fields. remark: what the next queue has to know, noted before (behaviour N-2)."""
        await self._check_new_roster(ticket, wanted)
        decision = self.decide(ticket, wanted, remark)
        await self._store.save([decision])
        return decision

    def decide(self, ticket: Ticket, wanted: Mapping[str, Any], remark: Words | None = None) -> Decision:
        """What `change` comes to, for somebody who has checked the roster and saves many together."""
        wanted = self._checked(ticket, wanted)
        if remark is None:
            self._ask_for_handoff(ticket, wanted)
            return change(ticket, wanted, self._store.statuses, self._now, self._by)
        noted = self._noted(ticket, remark)
        return noted.then(change(noted.ticket, wanted, self._store.statuses, self._now, self._by))

    async def reply(self, ticket: Ticket, words: Words, submit_as: str | None) -> Decision:
        """Answer the customer."""
        if submit_as is not None:
            self._checked(ticket, {"status": submit_as})
        decision = await self._answered(ticket, await self.customer(ticket), words, submit_as)
        await self._store.save([decision])
        return decision

    async def note(self, ticket: Ticket, remark: Words) -> Decision:
        """Note something that no customer sees."""
        decision = self._noted(ticket, remark)
        await self._store.save([decision])
        return decision

    async def perform(self, ticket: Ticket, recipe: Recipe, answer: str | None, remark: str | None) -> Decision:
        """What a template or macro does, decided and not stored: the answer, the note, then the fields (S-4, N-5)."""
        decision = Decision(ticket)
        if answer is not None:
            decision = await self._answered(ticket, await self.customer(ticket), Words(answer), None)
        if remark is not None:
            decision = decision.then(self._noted(decision.ticket, Words(remark)))
        wanted = recipe.wanted(decision.ticket, self._by.agent)
        await self._check_new_roster(ticket, wanted)
        wanted = self._checked(decision.ticket, wanted)
        if remark is None:
            self._ask_for_handoff(ticket, wanted)
        return decision.then(change(decision.ticket, wanted, self._store.statuses, self._now, self._by))

    async def store(self, decision: Decision) -> None:
        """Store what was decided."""
        await self._store.save([decision])

    async def customer(self, ticket: Ticket) -> Customer | None:
        """Whose ticket it is."""
        if ticket.customer_id is None:
            return None
        return (await self._customers.with_ids([ticket.customer_id])).get(ticket.customer_id)

    async def _check_new_roster(self, ticket: Ticket, wanted: Mapping[str, Any]) -> None:
        named = {name: wanted.get(name) for name in ("assignee", "queue")}
        await self.check_roster(
            named["assignee"] if named["assignee"] != ticket.assignee else None,
            named["queue"] if named["queue"] != ticket.queue else None,
        )

    async def check_roster(self, assignee: str | None, queue: str | None) -> None:
        """Invalid (422) for an agent or a queue that cannot be given work."""
        agents, queues = [assignee] if assignee else [], [queue] if queue else []
        roster = await Conversations(self._store.transaction.connection).roster(agents, queues)
        if assignee and assignee not in roster.agents:
            raise Invalid("body.assignee", f"{assignee!r} is no active agent")
        if queue and queue not in roster.queues:
            raise Invalid("body.queue", f"{queue!r} is no queue that takes work")

    def _ask_for_handoff(self, ticket: Ticket, wanted: Mapping[str, Any]) -> None:
        """WrongField for a person who gives a ticket to another queue and does not say how it stands, where asked."""
        moves = ticket.queue is not None and wanted.get("queue", ticket.queue) != ticket.queue
        if moves and self._by.person and self._store.configuration.fields.handoff_note:
            raise WrongField("handoff", "is required when a ticket goes to another queue: tried, status, next")

    def _checked_opening(self, opening: Mapping[str, Any]) -> dict[str, Scalar]:
        """The custom fields of a new ticket, as they are kept. WrongField (behaviour N-4)."""
        fields, queue = self._store.configuration.fields, opening.get("queue")
        fields.category(opening.get("category"))
        check_change(self._by.role, fields, opening["custom"])
        sound = {key: value for key, value in fields.custom(opening["custom"], queue).items() if value is not None}
        fields.demand(Required.CREATE, sound, queue)
        return sound

    def _checked(self, ticket: Ticket, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What is wanted, its fields as they are kept. WrongField, also for what a resolved ticket needs (N-4)."""
        fields, queue = self._store.configuration.fields, wanted.get("queue", ticket.queue)
        checked = dict(wanted)
        if wanted.get("category") != ticket.category:
            fields.category(wanted.get("category"))
        if "custom" in wanted:
            check_change(self._by.role, fields, wanted["custom"])
            checked["custom"] = fields.custom(wanted["custom"], queue)
        resolves = "status" in wanted and self._store.statuses[wanted["status"]].category is StatusCategory.RESOLVED
        if resolves and ticket.status_category in WORKED_ON:
            fields.demand(Required.RESOLVE, merged(ticket.custom, checked.get("custom", {})), queue)
        return checked

    async def _answered(
        self, ticket: Ticket, customer: Customer | None, words: Words, submit_as: str | None
    ) -> Decision:
        way = ticket.origin.channel if customer is None or customer.email is None else "email"
        message = self._message(words, MessageKind.AGENT, way, self._by.agent)
        message = replace(message, attachments=await self._attached(words, message.id))
        connection = self._store.transaction.connection
        copies = (await Copies(connection).of([ticket.id])).get(ticket.id, [])
        if copies or (customer is not None and customer.email is not None):
            thread: Sequence[Message] = await mails(connection, ticket.id)
            leaving = outbound(ticket, customer, message.id, thread, self._sender(ticket), copies)
            message = replace(message, outbound=leaving)
        return reply(ticket, message, submit_as, self._store.statuses, self._now, self._by)

    async def _attached(self, words: Words, message_id: str) -> tuple[Attachment, ...]:
        """What was uploaded for it; Invalid (422) for more than a mail can carry."""
        attached = await self._uploads.take(words.attachments, message_id)
        size, most = sum(each.size for each in attached), self._store.configuration.mail.max_mail
        # base64 makes four bytes of three
        if size * 4 > most * 3:
            raise Invalid("body.attachments", f"{size} bytes are too many for a mail of at most {most}")
        return attached

    def _noted(self, ticket: Ticket, remark: Words) -> Decision:
        message = self._message(remark, None, "api", self._by.agent or self._by.actor)
        return note(ticket, message, self._now, self._by)

    def _message(self, words: Words, kind: MessageKind | None, channel: str, author: str | None) -> Message:
        return Message(
            id=self._store.identities.new(),
            kind=kind,
            text=words.text,
            at=self._now,
            channel=channel,
            visibility=Visibility.PUBLIC if kind is not None else Visibility.INTERNAL,
            author=author,
            html=None if words.html is None else clean_html(words.html),
        )

    def _sender(self, ticket: Ticket) -> Sender:
        mail, secret = self._store.configuration.mail, self._settings.mail_secret
        address = mail.mailbox([ticket.origin.mailbox] if ticket.origin.mailbox else [])
        if secret is None or address is None:
            raise NotReady("answers cannot leave: a mailbox in mail.yaml and SIGNALBOX_MAIL_SECRET are needed")
        return Sender(address, mail.domain, secret.get_secret_value().encode())
