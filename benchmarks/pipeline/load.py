"""The load generator, a process of its own: `python -m benchmarks.pipeline.load`, configured by LOAD_ variables.

Events are published as frames over one connection, a window of them at a time, so that it never is the bottleneck.
With a rate the instants are fixed beforehand, and latency is counted from them (an open loop): a system that stalls
does not slow its load down. It says READY when everything is prepared, waits for a line, says STORED when the stream
has everything and DONE when what it did is in the file LOAD_RESULT.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from pydantic_core import from_json, to_json

from benchmarks.pipeline.generator import signal
from benchmarks.pipeline.traffic import SOURCE, Conversation, conversation
from libs.chassis.wire import Frame, Wire, publish_command
from libs.contracts.channel import Channel
from libs.contracts.conversation import ConversationEvent
from libs.contracts.fact import encode_time

BROKER, ORDER, RESULT = "LOAD_BROKER", "LOAD_ORDER", "LOAD_RESULT"
READY, STORED, DONE = "ready", "stored", "done"
WINDOW = 1024
"""Events on their way at most."""
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """How many conversations, and how many a second; None = as fast as they are taken."""

    run: str
    tickets: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was published: for each conversation id the instant it was due, seconds since 1970."""

    due: dict[str, float]


class Generator:
    """Publishes conversations and counts what the stream acknowledged."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._inbox = wire.new_inbox()
        self._sent = self._stored = 0
        self._answered = asyncio.Event()
        self._refusal: bytes | None = None

    async def run(self, order: Order) -> Delivery:
        """Publish everything and wait until it is stored."""
        await self._wire.receive_raw(self._inbox, self._answer)
        prepared = [(each.id, _frames(each, self._inbox)) for each in _conversations(order)]
        signal(READY)
        await asyncio.to_thread(sys.stdin.readline)
        start, due = time.time(), {}
        for number, (id, events) in enumerate(prepared):
            due[id] = await self._turn(start, number, order.rate)
            self._sent += len(events)
            await self._wire.send_raw([event.at(time.time()) for event in events])
        await self._stored_all()
        signal(STORED)
        return Delivery(due)

    async def _turn(self, start: float, number: int, rate: float | None) -> float:
        """When the conversation of this number is due; returns then."""
        if rate is None:
            await self._room()
            return time.time()
        await self._until(start + number / rate)
        return start + number / rate

    async def _until(self, moment: float) -> None:
        wait = moment - time.time()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _room(self) -> None:
        while self._sent - self._stored >= WINDOW:
            await self._answers()

    async def _stored_all(self) -> None:
        while self._stored < self._sent:
            await self._answers()

    async def _answers(self) -> None:
        self._answered.clear()
        await asyncio.wait_for(self._answered.wait(), PATIENCE_SECONDS)
        if self._refusal is not None:
            raise RuntimeError(f"the stream refused an event: {self._refusal.decode()}")

    def _answer(self, frame: Frame) -> None:
        self._stored += 1
        if b'"error"' in frame.payload or frame.status is not None:
            self._refusal = frame.payload or frame.headers
        self._answered.set()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event that lacks its time only."""

    subject: str
    reply: str
    headers: str
    payload: bytes

    def at(self, moment: float) -> bytes:
        """The complete command."""
        said = encode_time(datetime.fromtimestamp(moment, UTC))
        return publish_command(self.subject, self.reply, (self.headers + said + "\r\n\r\n").encode(), self.payload)


def _conversations(order: Order) -> Iterator[Conversation]:
    return (conversation(order.run, number) for number in range(order.tickets))


def _frames(of: Conversation, reply: str) -> list[Prepared]:
    return [_prepared(event, f"{of.id}/{place}", reply) for place, event in enumerate(of.events)]


def _prepared(event: ConversationEvent, id: str, reply: str) -> Prepared:
    headers = (
        f"NATS/1.0\r\nce-specversion: 1.0\r\nce-id: {id}\r\nce-source: {SOURCE}\r\nce-type: {event.TYPE}\r\n"
        f"ce-subject: {event.conversation_id}\r\nce-datacontenttype: application/json\r\n"
        f"Nats-Msg-Id: {SOURCE}|{id}\r\nce-time: "
    )
    return Prepared(Channel.of(type(event)).subject(SOURCE), reply, headers, event.wire_json())


async def _main() -> Delivery:
    wire = Wire()
    await wire.connect(os.environ[BROKER], inbox_prefix=f"_INBOX.{SOURCE}")
    delivery = await Generator(wire).run(Order(**from_json(os.environ[ORDER])))
    await wire.close()
    return delivery


if __name__ == "__main__":
    Path(os.environ[RESULT]).write_bytes(to_json(asdict(uvloop.run(_main()))))
    signal(DONE)
