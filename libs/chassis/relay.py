"""Says what was committed: facts go from `events` to the stream, and leave `outbox` when the broker has them.

Facts of this process come straight from memory after their commit; everything else (another replica's facts, what a
crash left, what the broker refused) is found in `outbox`, on NOTIFY and once a second. A crash anywhere leaves the row,
and a fact that is published twice has the same number, so hearers ignore it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic

import asyncpg
import nats.errors
import structlog
from pydantic_core import from_json

from libs.chassis.clock import Clock
from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.metrics import Metrics
from libs.chassis.pause import pause
from libs.chassis.transaction import Connection, Outgoing
from libs.chassis.watermark import Watermark
from libs.chassis.wire import Frame, Wire, publish_command

log = structlog.get_logger(__name__)

TROUBLE: tuple[type[BaseException], ...] = (*DATABASE_TROUBLE, asyncpg.PostgresError, nats.errors.Error)

WINDOW = 512
ACK_SECONDS = 5.0
NET_SECONDS = 1.0
"""How often `outbox` is read even if nobody called."""

Rebuild = Callable[[Connection, Sequence[int]], Awaitable[list[Outgoing]]]

MOST_UNSTRUCK = 64
"""Transactions that are published and not struck off yet, at most, before they are."""

WAITING = """
SELECT xid FROM (SELECT xid, said_at, sum(facts) OVER (ORDER BY said_at, xid) - facts AS before FROM outbox) AS waits
WHERE before < $1 ORDER BY said_at, xid
"""
# not flushed to disk: a row that comes back after a power cut is published again, and hearers know its number
DONE = """
DELETE FROM outbox USING (SELECT set_config('synchronous_commit', 'off', true)) AS soon
WHERE xid = ANY($1::text[]::xid8[])
"""


class Relay:
    """The one publisher of a service, on whichever replica holds the lease `relay`."""

    def __init__(
        self,
        database: Database,
        wire: Wire,
        rebuild: Rebuild,
        metrics: Metrics,
        clock: Clock,
        watermark: Watermark | None,
        channel: str,
        strike_seconds: float = 0.0,
    ) -> None:
        """rebuild: makes the facts of transactions from rows of `events`. channel: what other replicas NOTIFY.

        strike_seconds: how long what is published may stay in `outbox`; striking off together costs a fraction.
        """
        self._database, self._wire, self._rebuild, self._metrics = database, wire, rebuild, metrics
        self._clock, self._watermark, self._channel = clock, watermark, channel
        self._inbox = wire.new_inbox()
        self._offered: list[Outgoing] = []
        self._wake = asyncio.Event()
        self._look = True
        self._unacked: dict[int, Outgoing] = {}
        self._left: dict[int, set[int]] = {}
        """The facts of each transaction that the broker has not confirmed."""
        self._acked = 0
        self._published: list[int] = []
        """Transactions that the broker has, to be struck off."""
        self._strike_seconds, self._strike_at = strike_seconds, 0.0
        self._settled = asyncio.Event()
        self._last_sequence = 0
        self.holding = False

    def offer(self, facts: list[Outgoing]) -> None:
        """Facts this process has just committed."""
        if self.holding:
            self._offered.extend(facts)
            self._expect(facts)
            self._wake.set()

    def _expect(self, facts: Iterable[Outgoing]) -> None:
        for fact in facts:
            self._left.setdefault(fact.xid, set()).add(fact.event_id)

    def forget(self) -> None:
        """Called after a reconnect and a takeover: stream numbers known so far may be another broker's, or old."""
        self._look = True
        self._last_sequence = 0
        # acks of a connection that is gone do not come any more
        self._settled.set()
        if self._watermark is not None:
            self._watermark.forget()

    async def run(self, over: asyncio.Event) -> None:
        """Publish until the lease is over."""
        sid = await self._wire.receive_raw(f"{self._inbox}.*", self._receive)
        listener = asyncio.ensure_future(self._listen(over))
        self.holding = True
        self.forget()
        try:
            while not over.is_set():
                await self._turn(over)
        finally:
            self.holding = False
            self._offered.clear()
            self._left.clear()
            await self._wire.stop_raw(sid)
            listener.cancel()
            with contextlib.suppress(*TROUBLE):
                await self._strike()

    async def _turn(self, over: asyncio.Event) -> None:
        """Publish what is at hand, or wait for more; read the table when it is time."""
        try:
            if self._offered:
                facts, self._offered = self._offered[:WINDOW], self._offered[WINDOW:]
                await self._publish(facts)
            elif self._look or self._watermark_due():
                await self._read_table()
            else:
                await self._rest(over)
            if self._published and (monotonic() >= self._strike_at or len(self._published) >= MOST_UNSTRUCK):
                await self._strike()
        except TROUBLE as trouble:
            log.warning("facts wait to be published", reason=str(trouble))
            self._look = True
            await asyncio.sleep(0.2)

    def _watermark_due(self) -> bool:
        return self._watermark is not None and self._watermark.due()

    async def _rest(self, over: asyncio.Event) -> None:
        self._wake.clear()
        limit = NET_SECONDS if self._watermark is None else self._watermark.seconds_left()
        strike = max(0.0, self._strike_at - monotonic()) if self._published else limit
        if not await pause(self._wake, min(limit, strike)):
            self._look = self._look or (self._watermark is None and limit <= strike)

    async def _read_table(self) -> None:
        """Publish what the table holds; when it is empty, everything committed before the look is in the stream."""
        before = self._clock.now()
        self._look = False
        async with self._database.connection() as connection:
            if self._published:
                await self._strike_on(connection)
            xids = [row["xid"] for row in await connection.fetch(WAITING, WINDOW)]
            at_hand = {fact.xid for fact in self._offered}
            missing = [xid for xid in xids if xid not in at_hand]
            facts = await self._rebuild(connection, missing) if missing else []
        if facts:
            self._look = True
            self._expect(facts)
            await self._publish(facts)
        elif not xids and self._watermark is not None:
            await self._watermark.say(self._wire, before, self._last_sequence)

    async def _publish(self, facts: list[Outgoing]) -> None:
        """Publish in order, wait for the broker to have them."""
        self._unacked = {fact.event_id: fact for fact in facts}
        self._settled.clear()
        self._acked = 0
        await self._wire.send_raw(
            [
                publish_command(fact.nats_subject, f"{self._inbox}.{fact.event_id}", fact.headers, fact.payload)
                for fact in facts
            ]
        )
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await self._settled.wait()
        except TimeoutError:
            log.warning("the broker did not confirm facts in time; they are sent again", facts=len(self._unacked))
            self._metrics.speaker.publish_failures.inc(len(self._unacked))
            self._look = True
        self._metrics.speaker.published.inc(self._acked)

    async def _strike(self) -> None:
        async with self._database.connection() as connection:
            await self._strike_on(connection)

    async def _strike_on(self, connection: Connection) -> None:
        """Take transactions that the broker has from the table."""
        done, self._published = self._published, []
        await connection.execute(DONE, [str(xid) for xid in done])

    def _confirmed(self, fact: Outgoing) -> None:
        self._acked += 1
        left = self._left.get(fact.xid)
        if left is not None:
            left.discard(fact.event_id)
            if not left:
                del self._left[fact.xid]
                if not self._published:
                    self._strike_at = monotonic() + self._strike_seconds
                self._published.append(fact.xid)

    def _receive(self, frame: Frame) -> None:
        """A PubAck, or the word that nobody listens on that subject."""
        event_id = int(frame.subject.rpartition(b".")[2])
        fact = self._unacked.pop(event_id, None)
        if fact is None:
            return
        answer = from_json(frame.payload) if frame.payload else {}
        if "seq" in answer and "error" not in answer:
            self._confirmed(fact)
            self._last_sequence = max(self._last_sequence, int(answer["seq"]))
        else:
            self._look = True
        if not self._unacked:
            self._settled.set()

    async def _listen(self, over: asyncio.Event) -> None:
        """Wake on NOTIFY of other replicas, on a connection of its own; without one the net of a second catches all."""
        while not over.is_set():
            try:
                connection = await asyncpg.connect(self._database.dsn, **self._database.options())
                await self._listen_on(connection)
            except TROUBLE:
                await asyncio.sleep(1)

    async def _listen_on(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, self._called)
            await lost.wait()
        finally:
            connection.terminate()

    def _called(self, *_: object) -> None:
        self._look = True
        self._wake.set()
