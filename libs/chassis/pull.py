"""Durable pull consumers read in batches: whatever has arrived, up to a size; only patient messages wait for more."""

import asyncio
from collections.abc import Mapping
from functools import partial
from time import monotonic

from pydantic_core import to_json

from libs.chassis.pause import pause
from libs.chassis.wire import Frame, Wire, acknowledgment, request_command

EXPIRES = 5.0
"""Seconds a request for messages stays open on the server."""

NO_MESSAGES, EXPIRED = 404, 408


Patience = Mapping[bytes, float]
"""Seconds that messages may wait for others to share a batch with, by the last token of their subject; else none."""


class Door:
    """The request for messages that is open at one durable."""

    def __init__(self, stream: str, durable: str, inbox: str, patience: Patience) -> None:
        self.subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self.inbox, self.patience = inbox, patience
        self.owed = 0
        self._asked_at = 0.0

    def request(self, size: int) -> bytes | None:
        """The command that opens a request, unless one is open; one the server has forgotten is replaced in time."""
        now = monotonic()
        if self.owed > 0 and now - self._asked_at < EXPIRES + 1:
            return None
        self.owed, self._asked_at = size, now
        return request_command(self.subject, self.inbox, to_json({"batch": size, "expires": int(EXPIRES * 1e9)}))


class Pull:
    """Reads durables of one stream. At most `size` messages are asked for at a time of each, so no more wait here.

    durables: with each the patience of its messages.

    Messages of an earlier connection are dropped, never acked: the broker may be another incarnation (decisions 2).
    """

    def __init__(self, wire: Wire, stream: str, durables: Mapping[str, Patience], size: int) -> None:
        self._wire, self._size = wire, size
        self._doors = [Door(stream, name, wire.new_inbox(), patience) for name, patience in durables.items()]
        self._frames: list[Frame] = []
        self._arrived = asyncio.Event()
        self._wake: asyncio.TimerHandle | None = None
        self._refused = False
        self._sids: list[int] = []
        self.connection = 0

    async def start(self) -> None:
        """Subscribe the inboxes."""
        for door in self._doors:
            self._sids.append(await self._wire.receive_raw(door.inbox, partial(self._receive, door)))

    def forget(self) -> None:
        """Called after a reconnect: what was fetched before belongs to another connection."""
        self.connection += 1
        self._frames.clear()
        self._sleep_on()
        for door in self._doors:
            door.owed = 0

    async def batch(self, timeout: float) -> list[Frame]:
        """Up to `size` frames as soon as there is one that may not wait; an empty list after `timeout` seconds.

        ConnectionError while the broker is away.
        """
        if not self._frames:
            self._arrived.clear()
        if not self._arrived.is_set():
            await self._ask()
            if not await pause(self._arrived, timeout):
                return []
            if self._refused:
                self._refused = False
                raise ConnectionError("the broker does not know this consumer (yet)")
        frames, self._frames = self._frames[: self._size], self._frames[self._size :]
        if not self._frames:
            self._arrived.clear()
            self._sleep_on()
        return frames

    async def acknowledge(self, frames: list[Frame], connection: int) -> None:
        """Ack messages that are stored, one by one, in one write; nothing if the connection they came by is gone."""
        if connection == self.connection and self._wire.is_connected:
            await self._wire.send_raw([acknowledgment(frame.reply) for frame in frames])

    async def stop(self) -> None:
        """Give back what was not handled, so that the next holder has it at once."""
        for sid in self._sids:
            await self._wire.stop_raw(sid)
        self._sids.clear()
        self._sleep_on()
        if self._frames and self._wire.is_connected:
            await self._wire.send_raw([acknowledgment(frame.reply, b"-NAK") for frame in self._frames])
        self._frames.clear()

    async def _ask(self) -> None:
        """Open a request at every durable that has none."""
        requests = [request for door in self._doors if (request := door.request(self._size)) is not None]
        if requests:
            await self._wire.send_raw(requests)

    def _receive(self, door: Door, frame: Frame) -> None:
        status = frame.status
        if status is not None:
            door.owed = 0
            self._refused = self._refused or status not in (NO_MESSAGES, EXPIRED)
        else:
            door.owed -= 1
            self._frames.append(frame)
            patience = door.patience.get(frame.subject.rpartition(b".")[2])
            if patience and len(self._frames) < self._size:
                self._wake = self._wake or asyncio.get_running_loop().call_later(patience, self._arrived.set)
                return
        self._arrived.set()

    def _sleep_on(self) -> None:
        """Nothing patient is left that would have to be woken for."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
