"""A role: a FastStream broker, an ORM session for each message, a commit, then the facts that follow."""

import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import asyncpg
from faststream import AckPolicy, FastStream
from faststream.exceptions import NackMessage
from faststream.nats import JStream, NatsBroker, NatsMessage
from nats.js.api import ConsumerConfig, DeliverPolicy
from sqlalchemy import Table, bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.naive.rows import HeardRow, Rows, SaidRow
from libs.chassis.broker_headers import read_headers_as_they_are
from libs.contracts.catalogue import CONVERSATIONS, FACTS
from libs.contracts.channel import Channel
from libs.contracts.conversation import ConversationEvent
from libs.contracts.envelope import CloudEvent
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import fact_source
from libs.contracts.ticket_state import TicketState
from signalbox.configuration import read_configuration

POSTGRES, NATS, CONFIGURATION, SCHEMA = "NAIVE_POSTGRES", "NAIVE_NATS", "NAIVE_CONFIGURATION", "NAIVE_SCHEMA"
"""Variables that tell a role where it lives."""

ACK_WAIT_SECONDS = 600.0
RETRY_SECONDS = 0.1

HEAR = (
    insert(cast(Table, HeardRow.__table__))
    .values(id=bindparam("id"), subject=bindparam("subject"), heard_at=bindparam("heard_at"))
    .on_conflict_do_nothing()
    .returning(HeardRow.id)
)

Prepare = Callable[[AsyncSession], Awaitable[None]]
Row = TypeVar("Row", bound=Rows)
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Saying:
    """A fact to be published after the commit."""

    event: Event
    subject: str
    n: int
    cause: str | None
    state: TicketState | None


class Work:
    """One message in one session. What is said is stored with it and published after its commit."""

    def __init__(self, session: AsyncSession, message: NatsMessage) -> None:
        self.session, self.message, self.headers = session, message, message.headers
        self.id = f"{self.headers['ce-source']}|{self.headers['ce-id']}"
        self.subject = self.headers.get("ce-subject", "")
        self.now = datetime.now(UTC)
        self.sayings: list[Saying] = []

    @property
    def n(self) -> int:
        """The number of the fact that is handled."""
        return int(self.headers["ce-n"])

    @property
    def source(self) -> str:
        """Who publishes the conversation: the token that the broker guards."""
        return str(self.message.raw_message.subject).split(".")[1]

    @property
    def said_at(self) -> datetime:
        """When the fact that is handled was said."""
        return datetime.fromisoformat(self.headers["ce-time"])

    @property
    def ticket(self) -> TicketState:
        """The state of the ticket that the fact carries."""
        return TicketState.decode(self.headers["ticket"])

    async def is_repeated(self) -> bool:
        """Whether the message was handled before; from now on it was."""
        row = {"id": self.id, "subject": self.subject, "heard_at": self.now}
        return (await self.session.execute(HEAR, row)).first() is None

    async def the(self, kind: type[Row], key: str) -> Row:
        """A row, locked. When it is not there yet the message comes again a little later."""
        row = await self.session.get(kind, key, with_for_update=True)
        if row is None:
            raise NackMessage(delay=RETRY_SECONDS)
        return row

    def say(
        self,
        event: Event,
        n: int,
        state: TicketState | None = None,
        *,
        subject: str | None = None,
        cause: str | None = None,
    ) -> None:
        """Say a fact about the ticket; its cause is the message handled unless another is named."""
        about, cause = subject or self.subject, cause or self.headers["ce-id"]
        self.sayings.append(Saying(event, about, n, cause, state))
        stored = event.model_dump(mode="json", exclude_defaults=True, exclude=set(event.PERSONAL))
        ticket = None if state is None else state.model_dump(mode="json", exclude_defaults=True)
        self.session.add(
            SaidRow(subject=about, n=n, type=event.TYPE, cause=cause, occurred_at=self.now, data=stored, ticket=ticket)
        )


Handle = Callable[[E, Work], Awaitable[None]]


class Role:
    """One of the five services, as a FastStream application."""

    def __init__(self, speaker: Speaker | None, prepare: Prepare | None = None) -> None:
        self.name = os.environ[SCHEMA]
        self.speaker = speaker
        self.prepare = prepare
        self.files = read_configuration(Path(os.environ[CONFIGURATION]))
        self.broker = NatsBroker(os.environ[NATS], logger=logging.getLogger(self.name), apply_types=False)
        self._engine = create_async_engine("postgresql+asyncpg://", async_creator=self._connected, pool_size=5)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    def hears(self, event: type[E]) -> Callable[[Handle[E]], Handle[E]]:
        """Subscribe a handler to one type of fact."""
        return self._subscribes(Channel.of(event).subject("*"), FACTS, event.NAME, [event])

    def hears_conversations(self, *events: type[ConversationEvent]) -> Callable[[Handle[Any]], Handle[Any]]:
        """Subscribe a handler to what sources say."""
        return self._subscribes("conversations.*.*", CONVERSATIONS, "conversations", events)

    def _subscribes(
        self, subject: str, stream: str, name: str, events: Sequence[type[E]]
    ) -> Callable[[Handle[E]], Handle[E]]:
        """One message at a time."""
        types = {event.TYPE: event for event in events}

        async def decode(message: NatsMessage) -> tuple[E, NatsMessage]:
            return types[message.headers["ce-type"]].model_validate_json(message.body), message

        def subscribe(handle: Handle[E]) -> Handle[E]:
            async def receive(received: tuple[E, NatsMessage]) -> None:
                await self._receive(handle, *received)

            self.broker.subscriber(
                subject,
                stream=JStream(stream, declare=False),
                durable=f"{self.name}-{name}",
                deliver_policy=DeliverPolicy.ALL,
                config=ConsumerConfig(ack_wait=ACK_WAIT_SECONDS),
                ack_policy=AckPolicy.NACK_ON_ERROR,
                decoder=decode,
            )(receive)
            return handle

        return subscribe

    async def _receive(self, handle: Handle[E], event: E, message: NatsMessage) -> None:
        """A transaction for one message; what was said leaves after the commit."""
        async with self._sessions() as session:
            work = Work(session, message)
            if await work.is_repeated():
                return
            await handle(event, work)
            await session.commit()
        for saying in work.sayings:
            await self._publish(saying, work.now)

    async def run(self) -> None:
        """Make the tables and serve until SIGTERM."""
        read_headers_as_they_are()
        async with self._engine.begin() as connection:
            await connection.run_sync(Rows.metadata.create_all)
        if self.prepare is not None:
            async with self._sessions.begin() as session:
                await self.prepare(session)
        await FastStream(self.broker, logger=None).run()
        await self._engine.dispose()

    async def _connected(self) -> Any:
        return await asyncpg.connect(os.environ[POSTGRES], server_settings={"search_path": self.name})

    async def _publish(self, saying: Saying, now: datetime) -> None:
        assert self.speaker is not None
        envelope = CloudEvent(
            id=f"{saying.subject}/{saying.n}",
            source=fact_source(self.speaker),
            type=saying.event.TYPE,
            time=now,
            subject=saying.subject,
            extensions={"n": str(saying.n)} | ({"cause": saying.cause} if saying.cause else {}),
            data=saying.event.wire_json(),
        )
        own = {"Nats-Msg-Id": f"{envelope.source}|{envelope.id}"}
        if saying.state is not None:
            own["ticket"] = saying.state.encode()
        headers, payload = envelope.to_binary(own)
        await self.broker.publish(payload, saying.event.nats_subject(saying.subject), headers, stream=FACTS, timeout=10)
