"""Plays the steps of a scene through the same doors that everybody has: SMTP, NATS and HTTP."""

from collections.abc import Iterable, Mapping
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

import aiosmtplib

from libs.contracts.conversation import ConversationEvent, ConversationMessageAdded
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.publisher import Outgoing, Publisher
from libs.contracts.ticket import TicketOpened
from signalbox.conversation_file import read_conversations
from signalbox.demo.day import Call, Change, Chat, Note, PresenceChange, Reply, Saying, file_of
from signalbox.demo.letter import Letter, Lookup, examples_in, read_letter
from signalbox.demo.office import Office
from signalbox.demo.outbox import Outbox
from signalbox.failure import Failure

HOST = "127.0.0.1"


class Player:
    """Knows which ticket each example has become.

    sent: the mails delivered, by the name of their example. The system works on while steps are
    played; somebody has to let it come to rest, and call `heard` with what was said, before the next scene.
    """

    def __init__(
        self, examples: Path, office: Office, publishers: dict[str, Publisher], smtp_port: int, outbox: Outbox
    ) -> None:
        self._examples, self._office, self._publishers = examples, office, publishers
        self._smtp_port, self._outbox = smtp_port, outbox
        self._places: dict[tuple[str, str], int] = {}
        self.tickets: dict[str, str] = {}
        self.sent: dict[str, Letter] = {}

    def heard(self, facts: Iterable[Fact[Event]]) -> None:
        """Learn from the facts which example has become which ticket."""
        names = {letter.message_id: name for name, letter in self.sent.items()}
        for fact in facts:
            opened = fact.data
            if not isinstance(opened, TicketOpened):
                continue
            if opened.mail is not None and opened.mail.message_id in names:
                self.tickets.setdefault(names[opened.mail.message_id], fact.subject)
            if opened.conversation is not None:
                self.tickets.setdefault(opened.conversation.conversation_id, fact.subject)

    async def ticket(self, example: str) -> dict[str, Any]:
        """The ticket of an example as it is now; Failure if it has become none."""
        if example not in self.tickets:
            raise Failure(f"{example}: this example has not become a ticket")
        found: dict[str, Any] = await self._office.get("intake", f"/v1/tickets/{self.tickets[example]}")
        return found

    @singledispatchmethod
    async def play(self, deed: Any) -> None:
        """Do what a step says."""
        raise TypeError(f"nobody knows how to play {deed!r}")

    @play.register
    async def _mail(self, deed: str) -> None:
        path = file_of(self._examples, "mail", deed)
        tickets = {name: await self.ticket(name) for name in examples_in(path) if name in self.tickets}
        letter = read_letter(path, self._lookup(path, tickets))
        self.sent[deed] = letter
        await self._deliver(letter)

    @play.register
    async def _chat(self, deed: Chat) -> None:
        events = read_conversations(file_of(self._examples, "chat", deed.file))
        for said in events:
            self._note_place(deed.source, said.event)
        await self._publish(deed.source, events)

    @play.register
    async def _say(self, deed: Saying) -> None:
        place = self._places.get((deed.source, deed.conversation), -1) + 1
        said = ConversationMessageAdded(
            conversation_id=deed.conversation, seq=place, role=deed.role, text=deed.text, author=deed.author
        )
        self._note_place(deed.source, said)
        await self._publish(deed.source, [Outgoing(said, id=f"{deed.conversation}/{place}")])

    @play.register
    async def _call(self, deed: Call) -> None:
        content = deed.model_dump(exclude={"name", "by"}, exclude_none=True) | {"channel": "phone"}
        opened = await self._office.post("intake", "/v1/tickets", content, who=deed.by)
        self.tickets[deed.name] = opened["id"]

    @play.register
    async def _reply(self, deed: Reply) -> None:
        content = deed.model_dump(include={"text", "submit_as"}, exclude_none=True)
        await self._write(deed.to, deed.by, "replies", content)

    @play.register
    async def _note(self, deed: Note) -> None:
        await self._write(deed.to, deed.by, "notes", {"text": deed.text})

    @play.register
    async def _change(self, deed: Change) -> None:
        ticket = await self.ticket(deed.to)
        who = deed.by or self._assignee(deed.to, ticket)
        await self._office.patch("intake", f"/v1/tickets/{ticket['id']}", deed.set, who=who)

    @play.register
    async def _presence(self, deed: PresenceChange) -> None:
        for agent in deed.agents:
            await self._office.put("router", f"/v1/agents/{agent}/presence", {"presence": deed.presence}, who=agent)

    async def _write(self, example: str, by: str | None, what: str, content: dict[str, Any]) -> None:
        ticket = await self.ticket(example)
        who = by or self._assignee(example, ticket)
        await self._office.post("intake", f"/v1/tickets/{ticket['id']}/{what}", content, who=who)

    @staticmethod
    def _assignee(example: str, ticket: dict[str, Any]) -> str:
        if ticket["assignee"] is None:
            raise Failure(f"{example}: nobody has this ticket, so nobody can answer it; name an agent by `by`")
        return str(ticket["assignee"])

    def _lookup(self, path: Path, tickets: Mapping[str, dict[str, Any]]) -> Lookup:
        """What fills the placeholders of a mail: the newest mails about these tickets."""

        def lookup(example: str, field: str) -> str:
            if example not in tickets:
                raise Failure(f"{path}: {example} has not become a ticket, so nothing was sent about it")
            ticket = tickets[example]
            mail = next(self._outbox.to_customer(ticket["reference"], ticket["customer"]["email"]), None)
            if mail is None:
                raise Failure(f"{path}: nothing was sent to the customer of {example}")
            return str(getattr(mail, field))

        return lookup

    async def _deliver(self, letter: Letter) -> None:
        # a connection a mail, as most of the world's mail servers do it
        client = aiosmtplib.SMTP(hostname=HOST, port=self._smtp_port, start_tls=False, timeout=30)
        async with client:
            await client.sendmail(letter.sender, letter.recipients, letter.raw)

    async def _publish(self, source: str, events: list[Outgoing]) -> None:
        if source not in self._publishers:
            raise Failure(f"source: {source!r} is none of {', '.join(self._publishers)}")
        for said in events:
            await self._publishers[source].publish(said.event, said.id)

    def _note_place(self, source: str, event: Event) -> None:
        if isinstance(event, ConversationMessageAdded):
            self._places[source, event.conversation_id] = event.seq
        assert isinstance(event, ConversationEvent)
