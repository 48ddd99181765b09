"""The notifier among its neighbours: facts are published as the other services would, mail goes to a real server."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
from nats.aio.client import Client

from libs.chassis.process import Process
from libs.contracts.event import Event
from libs.contracts.fact import write_headers
from libs.contracts.routing import AgentChanged, Presence, QueueChanged
from libs.contracts.sla import Metric, Target, TargetsSet, TargetState
from libs.contracts.ticket import (
    ConversationLink,
    Customer,
    InboundMail,
    MessageKind,
    Outbound,
    TicketMessageAdded,
    TicketOpened,
)
from libs.contracts.ticket_state import StatusCategory, TicketState
from signalbox.spool import SpooledMail, read_spool
from tests.component.notifier.mail_server import MailServer
from tests.support.stack import Stack, until

CUSTOMER = "ann@example.org"
MAILBOX = "help@support.example.com"


@dataclass
class World:
    """One running notifier, its mail server, and a mouth for everybody else."""

    stack: Stack
    notifier: Process
    server: MailServer
    client: Client
    numbers: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def say(self, event: Event, subject: str, *, state: TicketState | None = None, ago: float = 0) -> str:
        """Publish a fact with its next number; its id."""
        key = (event.SPEAKER.value, subject)
        self.numbers[key] += 1
        headers = write_headers(
            speaker=event.SPEAKER,
            type=event.TYPE,
            subject=subject,
            n=self.numbers[key],
            occurred_at=datetime.now(UTC) - timedelta(seconds=ago),
            actor=None,
            cause=None,
            config_version=1,
            trace=None,
            state=None if state is None else state.encode(),
        )
        lines = headers.decode().split("\r\n")[1:-2]
        fields = dict(line.split(": ", 1) for line in lines)
        await self.client.jetstream().publish(event.nats_subject(subject), event.wire_json(), headers=fields)
        return f"{subject}/{self.numbers[key]}"

    async def open(self, **changes: Any) -> str:
        """A ticket from a mail; its id. `conversation` makes it one from a chat."""
        ticket = uuid4().hex
        given: dict[str, Any] = {
            "channel": "email",
            "subject": "My lamp flickers",
            "customer": Customer(id="c", name="Ann", email=CUSTOMER),
            "mail": InboundMail(message_id="first@example.org", references=("older@example.org",)),
        }
        if "conversation" in changes:
            given = {"channel": "chat", "conversation": ConversationLink(source="chat", conversation_id=ticket)}
            changes.pop("conversation")
        event = TicketOpened.model_validate({**given, **changes})
        await self.say(event, ticket, state=self.state(ticket, channel=event.channel))
        return ticket

    def state(self, ticket: str, **changes: Any) -> TicketState:
        now = datetime.now(UTC)
        given: dict[str, Any] = {
            "id": ticket,
            "reference": "SB-10427",
            "status": "open",
            "status_category": StatusCategory.OPEN,
            "channel": "email",
            "queue": "general",
            "language": "en",
            "created_at": now,
            "updated_at": now,
            "mailbox": MAILBOX,
        }
        return TicketState.model_validate({**given, **changes})

    async def promise(self, ticket: str, hours: float = 2, ago: float = 0, final: bool = True) -> str:
        """The final word of sla about the first response; the fact's id."""
        deadline = datetime.now(UTC) + timedelta(hours=hours)
        target = Target(metric=Metric.FIRST_RESPONSE, instance=1, state=TargetState.RUNNING, deadline=deadline)
        said = TargetsSet(targets=(target,), policy="standard", schedule="always", final=final)
        return await self.say(said, ticket, ago=ago)

    async def acknowledge(self, **changes: Any) -> str:
        """A ticket that is opened and promised; its id."""
        ticket = await self.open(**changes)
        await self.promise(ticket)
        return ticket

    async def reply(self, ticket: str, **changes: Any) -> str:
        """An agent's answer that has to leave as mail; the Message-ID it must have."""
        identity = f"t.{ticket}.{uuid4().hex}.abcdefgh@support.example.com"
        given: dict[str, Any] = {
            "to": CUSTOMER,
            "sender": MAILBOX,
            "subject": "[SB-10427] Re: My lamp flickers",
            "message_id": identity,
            "in_reply_to": "first@example.org",
            "references": ("older@example.org", "first@example.org"),
            "reply_to": "help+sb-10427.abcdefgh@support.example.com",
        }
        event = TicketMessageAdded(
            message_id=uuid4().hex,
            kind=MessageKind.AGENT,
            human=True,
            author="mira",
            channel="email",
            text="Turn it off and on again.",
            outbound=Outbound.model_validate({**given, **changes}),
        )
        await self.say(event, ticket)
        return identity

    async def agent(self, key: str, presence: Presence = Presence.ONLINE) -> None:
        event = AgentChanged(key=key, email=f"{key}@lumen.example.com", active=True, presence=presence)
        await self.say(event, f"agent:{key}")

    async def queue(self, key: str, lead: str | None) -> None:
        await self.say(QueueChanged(key=key, name=key, lead=lead, schedule="always"), f"queue:{key}")

    def mails(self, ticket_or_id: str = "") -> list[SpooledMail]:
        """What the mail server has taken, if its Message-ID mentions this."""
        return [mail for mail in read_spool(self.server.spool.folder) if ticket_or_id in mail.message_id]

    async def mail(self, ticket_or_id: str) -> SpooledMail:
        """The one mail with this in its Message-ID, as soon as it is there."""
        found: list[SpooledMail] = await until(lambda: self.mails(ticket_or_id))
        assert len(found) == 1
        return found[0]

    async def rows(self, ticket: str, *states: str) -> list[asyncpg.Record]:
        """The notices of a ticket, oldest first."""
        async with self.notifier.database.connection() as connection:
            rows = await connection.fetch("SELECT * FROM notices WHERE ticket = $1 ORDER BY created_at, id", ticket)
        return [row for row in rows if not states or row["state"] in states]

    async def notice(self, ticket: str, *states: str) -> asyncpg.Record:
        """The one notice of a ticket, as soon as it has one of these states."""
        rows: list[asyncpg.Record] = await until(lambda: self.rows(ticket, *states))
        assert len(rows) == 1
        return rows[0]

    async def said(self, ticket: str) -> list[tuple[str, dict[str, Any]]]:
        """What the notifier said about a ticket: (event, data)."""
        async with self.notifier.database.connection() as connection:
            rows = await connection.fetch("SELECT type, data FROM events WHERE subject = $1 ORDER BY n", ticket)
        return [(row["type"].split(".")[2], json.loads(row["data"])) for row in rows]

    async def heard(self, subject: str, speaker: str = "intake") -> None:
        """Until everything said about this was applied."""
        wanted = self.numbers[speaker, subject]
        await until(lambda: self._heard(subject, speaker, wanted))

    async def _heard(self, subject: str, speaker: str, wanted: int) -> bool:
        async with self.notifier.database.connection() as connection:
            n = await connection.fetchval("SELECT n FROM heard WHERE speaker = $1 AND subject = $2", speaker, subject)
        return bool(n == wanted)

    async def execute(self, sql: str, *arguments: object) -> None:
        async with self.notifier.database.connection() as connection:
            await connection.execute(sql, *arguments)
