"""A client for systems that publish conversations and agents: typed events in, stored messages out."""

import asyncio
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Self
from uuid import uuid4

import nats
import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

from libs.contracts.agents import AgentPresenceReported, AgentRosterReported
from libs.contracts.channel import Channel
from libs.contracts.conversation import ConversationEvent
from libs.contracts.envelope import CloudEvent
from libs.contracts.event import Event
from libs.contracts.header_text import encode_header

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
WINDOW = 256


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to publish under an id of one's own choice; `time` is when it happened, UTC."""

    event: Event
    id: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker stored the event as `sequence` of its stream, or had it already (`duplicate`)."""

    id: str
    sequence: int
    duplicate: bool


class NotAccepted(Exception):
    """The event may or may not be stored. Publish it again with the same `id`: that has the effect of once."""

    def __init__(self, id: str, reason: str) -> None:
        self.id, self.reason = id, reason
        super().__init__(f"event {id} was not accepted: {reason}")


class Publisher:
    """Publishes the events of one source.

    Every event gets its CloudEvents headers, a trace and `Nats-Msg-Id`, is sent on `conversations.<source>.<name>`
    (`agents.<source>.<name>` for agents), and counts as published when the stream has acknowledged it. What is not
    acknowledged within `timeout` seconds is sent again under the same id, `attempts` times in all.
    """

    def __init__(self, connection: Client | str, source: str, *, timeout: float = 5.0, attempts: int = 5) -> None:
        """`connection`: an open connection, which stays open, or a URL to connect to as soon as there is need.

        ValueError for a source that is no token of a subject.
        """
        if not SOURCE_NAME.fullmatch(source):
            raise ValueError(f"source: {source!r} must have a to z, 0 to 9, _ and - only, and at most 63 of them")
        self.source = source
        self._target = connection
        self._timeout, self._attempts = timeout, attempts
        self._client = connection if isinstance(connection, Client) else None
        self._jetstream = self._client.jetstream() if self._client is not None else None
        self._connecting = asyncio.Lock()
        self._complaint: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, if it is the publisher's own."""
        if self._client is not None and self._client is not self._target:
            await self._client.close()
            self._client = self._jetstream = None

    async def publish(
        self, event: Event, id: str | None = None, *, time: datetime | None = None, traceparent: str | None = None
    ) -> Accepted:
        """Publish one event and wait until it is stored. Without an id it gets a random one; without a time, now.

        ValueError for an event that is not a source's to say, EnvelopeError for an id that is no CloudEvents text;
        NotAccepted when all attempts failed or the broker refused it.
        """
        envelope = CloudEvent(
            id=uuid4().hex if id is None else id,
            source=self.source,
            type=event.TYPE,
            # a source lives in real time: nothing here decides by it
            time=datetime.now(UTC) if time is None else time,
            subject=about(event),
            data=event.wire_json(),
        )
        own = {"traceparent": traceparent or _new_trace(), "Nats-Msg-Id": f"{self.source}|{envelope.id}"}
        return await self._deliver(Channel.of(type(event)).subject(self.source), envelope, own)

    async def publish_many(self, events: Iterable[Event | Outgoing], *, window: int = WINDOW) -> list[Accepted]:
        """Publish events in order, up to `window` of them on their way at once; answers in the same order.

        Stops after the first window with a failure: ExceptionGroup of what `publish` raised for each event of it.
        """
        accepted: list[Accepted] = []
        for chunk in _windows(events, window):
            answers = await asyncio.gather(*map(self._publish_outgoing, chunk), return_exceptions=True)
            failures = [answer for answer in answers if isinstance(answer, BaseException)]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(chunk)} events were not published", failures)
            accepted += [answer for answer in answers if isinstance(answer, Accepted)]
        return accepted

    async def _publish_outgoing(self, outgoing: Event | Outgoing) -> Accepted:
        if isinstance(outgoing, Event):
            return await self.publish(outgoing)
        return await self.publish(outgoing.event, outgoing.id, time=outgoing.time)

    async def _deliver(self, subject: str, envelope: CloudEvent, own: dict[str, str]) -> Accepted:
        headers, payload = envelope.to_binary({name: encode_header(value) for name, value in own.items()})
        try:
            stored = await self._send(subject, payload, headers)
        except (NatsError, OSError) as error:
            reason = self._complaint or str(error) or type(error).__name__
            raise NotAccepted(envelope.id, reason) from error
        self._complaint = None
        return Accepted(envelope.id, stored.seq, bool(stored.duplicate))

    async def _send(self, subject: str, payload: bytes, headers: dict[str, str]) -> PubAck:
        # setting up retries costs as much as publishing, so it waits for the first failure
        try:
            return await self._send_once(subject, payload, headers)
        except (NatsError, OSError) as error:
            if self._attempts == 1 or not _may_pass(error):
                raise
        return await stamina.AsyncRetryingCaller(attempts=self._attempts - 1, timeout=None).on(_may_pass)(
            self._send_once, subject, payload, headers
        )

    async def _send_once(self, subject: str, payload: bytes, headers: dict[str, str]) -> PubAck:
        jetstream = self._jetstream or await self._connected()
        return await jetstream.publish(subject, payload, timeout=self._timeout, headers=headers)

    async def _connected(self) -> JetStreamContext:
        async with self._connecting:
            if self._client is None:
                assert isinstance(self._target, str)
                async with asyncio.timeout(self._timeout):
                    self._client = await nats.connect(
                        self._target,
                        name=f"signalbox publisher {self.source}",
                        inbox_prefix=f"_INBOX.{self.source}",
                        max_reconnect_attempts=-1,
                        reconnect_time_wait=0.2,
                        error_cb=self._remember,
                    )
                self._jetstream = self._client.jetstream()
            assert self._jetstream is not None
            return self._jetstream

    async def _remember(self, error: Exception) -> None:
        # a publish that is not permitted is answered by silence; the reason comes here only, and what the broker said
        # tells more than that it hung up
        if self._complaint is None or isinstance(error, NatsError):
            self._complaint = str(error)


def about(event: Event) -> str:
    """The ce-subject of a source's event: its conversation's id, or `agent:<key>`. ValueError for other events."""
    match event:
        case ConversationEvent():
            return event.conversation_id
        case AgentPresenceReported() | AgentRosterReported():
            return f"agent:{event.key}"
    raise ValueError(f"{event.TYPE} is said by {event.SPEAKER}, not by a source")


def _may_pass(error: Exception) -> bool:
    if isinstance(error, MaxPayloadError):
        return False
    if isinstance(error, APIError):
        return isinstance(error, ServiceUnavailableError | NoStreamResponseError)
    return isinstance(error, NatsError | OSError)


def _windows(events: Iterable[Event | Outgoing], size: int) -> Iterator[list[Event | Outgoing]]:
    remaining = iter(events)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _new_trace() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
