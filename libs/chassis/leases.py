"""Leases: which replica does what only one may do at a time. On PostgreSQL's clock; a lock that nobody must release.

No fencing is needed: what a holder does is guarded by row locks, so a zombie is harmless (decisions 4).
"""

import asyncio
from collections.abc import Callable
from time import monotonic

import structlog

from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.metrics import TimerMetrics
from libs.chassis.parts import Part
from libs.chassis.pause import pause

log = structlog.get_logger(__name__)

LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.5
TRY_SECONDS = 0.1
"""How long after the end of somebody's lease others try for it."""

TAKE = """
WITH taken AS (
    INSERT INTO leases AS l (name, holder, until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
    RETURNING until)
SELECT EXISTS (SELECT FROM taken) AS mine,
       (SELECT extract(epoch FROM until - clock_timestamp())::float FROM leases WHERE name = $1) AS others
"""
RELEASE = "DELETE FROM leases WHERE name = $1 AND holder = $2"


class Lease:
    """One named lease as seen by one process."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self.name, self.holder = name, holder
        self.free_in = 0.0
        """Seconds from the last refusal until the lease of whoever holds it ends, if it is not renewed."""
        self._database = database
        self._held_until = 0.0

    @property
    def held(self) -> bool:
        """Whether this process may act. Turns false on its own when it could not be renewed in time."""
        return monotonic() < self._held_until

    async def take(self) -> bool:
        """Take or renew; the same statement does both."""
        asked = monotonic()
        async with self._database.connection() as connection:
            row = await connection.fetchrow(TAKE, self.name, self.holder, LEASE_SECONDS)
        assert row is not None
        self._held_until = asked + LEASE_SECONDS if row["mine"] else 0.0
        self.free_in = max(0.0, row["others"] or 0.0)
        return bool(row["mine"])

    async def release(self) -> None:
        """Hand over at once."""
        self._held_until = 0.0
        async with self._database.connection() as connection:
            await connection.execute(RELEASE, self.name, self.holder)


class Leased:
    """Runs a job while its lease is held, on whichever replica holds it, until stopped.

    job: starts when the lease is taken; gets an event that is set when it has to stop.
    burden: how many leases this process holds already; the more, the later it tries for a free one, so that
    replicas share.
    """

    def __init__(
        self,
        lease: Lease,
        job: Part,
        burden: Callable[[], int] = lambda: 0,
    ) -> None:
        self.lease = lease
        self._job, self._burden = job, burden

    async def run(self, stopping: asyncio.Event) -> None:
        """Hold, work, renew; try again when it is lost."""
        while not stopping.is_set():
            await pause(stopping, 0.25 * self._burden())
            if stopping.is_set() or not await self._take():
                await pause(stopping, min(RENEW_SECONDS, self.lease.free_in + TRY_SECONDS))
                continue
            await self._work(stopping)
        await self._release()

    async def _work(self, stopping: asyncio.Event) -> None:
        over = asyncio.Event()
        job = asyncio.ensure_future(self._job(over))
        stopped = asyncio.ensure_future(stopping.wait())
        try:
            while self.lease.held and not stopping.is_set() and not job.done():
                await asyncio.wait({job, stopped}, timeout=RENEW_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not stopping.is_set() and not job.done():
                    await self._take()
        finally:
            over.set()
            stopped.cancel()
            await job

    async def _take(self) -> bool:
        try:
            return await self.lease.take()
        except DATABASE_TROUBLE as trouble:
            log.warning("lease could not be asked for", lease=self.lease.name, reason=str(trouble))
            return self.lease.held

    async def _release(self) -> None:
        try:
            await asyncio.wait_for(self.lease.release(), 2)
        except DATABASE_TROUBLE as trouble:
            log.warning("lease runs out by itself", lease=self.lease.name, reason=str(trouble))


class Leases:
    """The leases that one process tries for. Whether it holds them is told to Prometheus."""

    def __init__(self, database: Database, holder: str, metrics: TimerMetrics) -> None:
        """holder: names this process among the replicas."""
        self._database, self._holder, self._metrics = database, holder, metrics
        self._shared: list[Lease] = []

    def leased(self, name: str, job: Part, *, shares: bool = False) -> Part:
        """The job, worked on while the lease `name` is held. shares: one of many that replicas share among them."""
        lease = Lease(self._database, name, self._holder)
        self._metrics.lease_held.labels(name).set_function(lambda: float(lease.held))
        if not shares:
            return Leased(lease, job).run
        self._shared.append(lease)
        so_far = tuple(self._shared)
        return Leased(lease, job, lambda: sum(each.held for each in so_far)).run
