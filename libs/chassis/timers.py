"""Timers in PostgreSQL: each fires once, in time, and catches up after downtime (decisions 12 and 13)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import structlog
from pydantic_core import to_json

from libs.chassis.clock import Clock
from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.metrics import Metrics
from libs.chassis.parking import Parked, park
from libs.chassis.pause import pause
from libs.chassis.storing import attempt
from libs.chassis.transaction import Transaction, Transactions

log = structlog.get_logger(__name__)

NET = timedelta(seconds=0.25)
"""How often the table is read even if nothing in it is due, for what another replica armed."""
RIPENS = timedelta(seconds=0.05)
"""How often a timer is looked at that waits for what others said."""
BATCH = 500

DUE = """
SELECT key, kind, due_at FROM timers WHERE due_at <= $1 AND kind = ANY($2::text[]) ORDER BY due_at LIMIT $3
"""

FIRE = """
DELETE FROM timers USING unnest($1::text[], $2::text[]) AS x(key, kind)
WHERE timers.key = x.key AND timers.kind = x.kind AND timers.due_at <= $3
RETURNING timers.key, timers.kind, timers.due_at
"""
NEXT = "SELECT min(due_at) FROM timers"


@dataclass(frozen=True, slots=True)
class Due:
    """A timer whose time has come. `due_at` is the instant it was set for; the transaction's `now` may be later."""

    key: str
    kind: str
    due_at: datetime


Fire = Callable[[Sequence[Due], Transaction], Awaitable[None]]
Lock = Callable[[Sequence[str], Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TimerKind:
    """What happens when timers of a kind are due.

    lock: locks the rows that the keys name, sorted, before the timers are taken: the order everywhere (12).
    fire: decides and stores, in the same transaction in which the timers vanish.
    waits: the timer must not fire before everything said until its instant is stored (13).
    """

    lock: Lock
    fire: Fire
    waits: bool = False


Ripe = Callable[[Sequence[Due]], Awaitable[list[Due]]]
"""Of due timers that wait for what others said before, those that need not wait any longer."""


async def all_ripe(due: Sequence[Due]) -> list[Due]:
    """Where nobody has to be waited for."""
    return list(due)


class Timers:
    """The poller of one service, on whichever replica holds the lease `timers`."""

    def __init__(
        self,
        database: Database,
        transactions: Transactions,
        kinds: Mapping[str, TimerKind],
        clock: Clock,
        metrics: Metrics,
        ripe: Ripe,
    ) -> None:
        self._database, self._transactions, self._kinds = database, transactions, kinds
        self._clock, self._metrics, self._ripe = clock, metrics, ripe
        self._armed = asyncio.Event()
        self._pause = 0.0

    def armed(self, due_at: datetime) -> None:
        """Called when this process has set a timer; wakes the poller if it would come too late."""
        if due_at <= self._clock.now() + NET:
            self._armed.set()

    async def run(self, over: asyncio.Event) -> None:
        """Fire what is due, until the lease is over."""
        while not over.is_set():
            self._armed.clear()
            try:
                busy = await self.fire_due()
            except DATABASE_TROUBLE as trouble:
                log.warning("timers wait for the database", reason=str(trouble))
                busy = 0
                await asyncio.sleep(0.5)
            if busy < BATCH:
                await pause(self._armed, self._pause)

    async def fire_due(self) -> int:
        """Fire what is due now, a batch of it; how many fired."""
        now = self._clock.now()
        async with self._database.connection() as connection:
            rows = await connection.fetch(DUE, now + NET, list(self._kinds), BATCH)
        soon = [Due(row["key"], row["kind"], row["due_at"]) for row in rows]
        due = [timer for timer in soon if timer.due_at <= now]
        fired = await self._fire_ripe(due)
        self._pause = RIPENS.total_seconds() if fired < len(due) else _until(soon[len(due) :], now)
        return fired

    async def _fire_ripe(self, due: list[Due]) -> int:
        waiting = [timer for timer in due if self._kinds[timer.kind].waits]
        ripe = set(await self._ripe(waiting)) if waiting else set()
        fired = 0
        ready = sorted((t for t in due if t in ripe or not self._kinds[t.kind].waits), key=lambda t: (t.kind, t.key))
        for kind, timers in groupby(ready, key=lambda timer: timer.kind):
            fired += await self._fire_for_certain(kind, list(timers))
        return fired

    async def next_due(self) -> datetime | None:
        """The earliest instant any timer is set for."""
        async with self._database.connection() as connection:
            moment: datetime | None = await connection.fetchval(NEXT)
        return moment

    async def _fire_for_certain(self, kind: str, timers: list[Due]) -> int:
        """Fire a batch; if it fails, each timer alone; one that fails alone is parked, so that it harms no other."""
        if await attempt(lambda: self._fire(kind, timers)) is None:
            return len(timers)
        for timer in timers:
            fault = await attempt(partial(self._fire, kind, [timer]))
            if fault is not None:
                await self._park(timer, fault)
        return len(timers)

    async def _park(self, timer: Due, fault: str) -> None:
        async with self._transactions.begin() as transaction:
            transaction.disarm(timer.key, timer.kind)
            content = to_json({"kind": timer.kind, "due_at": timer.due_at})
            await park(transaction.connection, [Parked("timers", "", timer.key, None, timer.kind, fault, b"", content)])
        log.error("timer parked", kind=timer.kind, subject=timer.key, reason=fault)

    async def _fire(self, kind: str, timers: list[Due]) -> None:
        """Lock, take away those that are still due, decide: one transaction."""
        async with self._transactions.begin() as transaction:
            keys = sorted({timer.key for timer in timers})
            await self._kinds[kind].lock(keys, transaction)
            rows = await transaction.connection.fetch(
                FIRE, [t.key for t in timers], [t.kind for t in timers], transaction.now
            )
            fired = sorted((Due(r["key"], r["kind"], r["due_at"]) for r in rows), key=lambda due: (due.due_at, due.key))
            if fired:
                await self._kinds[kind].fire(fired, transaction)
        for due in fired:
            self._metrics.timers.lag.labels(kind).observe((transaction.now - due.due_at).total_seconds())


def _until(coming: Sequence[Due], now: datetime) -> float:
    return (coming[0].due_at - now if coming else NET).total_seconds()


LATE = timedelta(seconds=10)
"""A timer does not wait longer than this for what others said."""
LATE_WITH_GAP = timedelta(seconds=45)
"""A timer whose ticket has facts held behind a gap waits longer, because the answer may be among them."""
