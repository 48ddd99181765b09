"""Reads numbers for reports, all from one snapshot of the live copy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time

from libs.chassis.database import Database
from libs.chassis.transaction import Connection
from services.reporting.domain.cube import Cube
from services.reporting.domain.period import Period
from services.reporting.domain.tally import Tally
from services.reporting.parts import outlier_threshold
from services.reporting.review import Outlier
from services.reporting.store import live, statement
from services.reporting.writing import Numbers, trend_periods

MOST_OUTLIERS = 20

OF_PERIOD = """
SELECT measure, detail, priority, category, queue, agent, bucket, sum(n)::bigint AS n
FROM tallies_{copy} WHERE day >= $1 AND day < $2
GROUP BY measure, detail, priority, category, queue, agent, bucket HAVING sum(n) <> 0
"""
DAY_BY_DAY = """
SELECT measure, day, detail, priority, category, queue, agent, bucket, n
FROM tallies_{copy} WHERE measure = ANY($1::text[]) AND day >= $2 AND day < $3 AND n <> 0
"""
STANDING = """
SELECT measure, detail, priority, category, queue, agent, bucket, n
FROM tallies_{copy} WHERE measure = 'standing' AND n <> 0
"""
AGENTS = "SELECT key, name, active FROM agents_{copy}"
SLOWEST = """
SELECT id, history->5->-1->>2 AS priority,
       extract(epoch FROM resolved_at - created_at)::float AS seconds
FROM tickets_{copy}
WHERE resolved_at >= $1 AND resolved_at < $2 AND resolved_at IS NOT NULL AND gone IS NULL
  AND resolved_at - created_at > make_interval(secs => $3)
ORDER BY seconds DESC, id LIMIT $4
"""
OLDEST_UNASSIGNED = """
SELECT priority, count(*) AS n, min(created_at) AS created_at
FROM tickets_{copy} WHERE assignee = '' AND gone IS NULL AND status_category IN ('open', 'pending', 'on_hold')
GROUP BY priority
"""


class Queries:
    """Questions to one snapshot."""

    def __init__(self, connection: Connection, copy: str) -> None:
        self._connection, self._copy = connection, copy

    async def numbers(self, period: Period) -> Numbers:
        """All that a review of the period needs."""
        cube = await self.cube(period)
        return Numbers(
            period,
            cube,
            await self.standing(),
            await self.agents(),
            [(earlier, await self.cube(earlier)) for earlier in trend_periods(period)],
            await self._outliers(period, outlier_threshold(cube)),
        )

    async def cube(self, period: Period) -> Cube:
        """The numbers of a period; days are summed, cohorts are those that start with it."""
        rows = await self._connection.fetch(statement(OF_PERIOD, self._copy), period.start, period.end)
        day = period.start.isoformat()
        return Cube((Tally(row["measure"], day, *tuple(row)[1:7]), row["n"]) for row in rows)

    async def daily(self, measures: Sequence[str], start: date, end: date) -> Cube:
        """Some measures, day by day."""
        rows = await self._connection.fetch(statement(DAY_BY_DAY, self._copy), measures, start, end)
        return Cube((Tally(row["measure"], row["day"].isoformat(), *tuple(row)[2:8]), row["n"]) for row in rows)

    async def standing(self) -> Cube:
        """Where all tickets stand."""
        rows = await self._connection.fetch(statement(STANDING, self._copy))
        return Cube((Tally(row["measure"], "", *tuple(row)[1:7]), row["n"]) for row in rows)

    async def agents(self) -> dict[str, tuple[str | None, bool]]:
        """Name and whether active, by key."""
        rows = await self._connection.fetch(statement(AGENTS, self._copy))
        return {row["key"]: (row["name"], row["active"]) for row in rows}

    async def unassigned(self) -> dict[str, tuple[int, datetime | None]]:
        """How many tickets are worked on by nobody, and since when the oldest exists, by priority."""
        rows = await self._connection.fetch(statement(OLDEST_UNASSIGNED, self._copy))
        return {row["priority"]: (row["n"], row["created_at"]) for row in rows}

    async def _outliers(self, period: Period, threshold: float | None) -> list[Outlier]:
        if threshold is None:
            return []
        between = (datetime.combine(period.start, time(), UTC), period.ends_at)
        rows = await self._connection.fetch(statement(SLOWEST, self._copy), *between, threshold, MOST_OUTLIERS)
        return [Outlier(ticket=row["id"], priority=row["priority"] or None, seconds=row["seconds"]) for row in rows]


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Queries]:
    """Questions whose answers belong together."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Queries(connection, await live(connection))
