"""The rebuild: everything is folded again from the speakers' logs into the spare copy, which then takes over.

Facts go on being folded into the live copy meanwhile. At the end `heard` is locked for a moment, so that nobody folds:
what the spare copy has not seen yet is fetched, `heard` follows where the logs were ahead of the stream, and the spare
copy is the live one (decisions 22, decision record 0010).
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import httpx
import structlog

from libs.chassis.resources import Resources
from libs.chassis.settings import Settings, variable
from libs.chassis.transaction import Connection
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact
from services.reporting.handlers import fold_into
from services.reporting.logs import Logs
from services.reporting.store import Store, live, statement
from services.reporting.tables import COPIES, FOLDED

log = structlog.get_logger(__name__)

NEXT = "SELECT id FROM rebuilds WHERE finished_at IS NULL ORDER BY id LIMIT 1"
COUNTED = "UPDATE rebuilds SET facts = facts + $3 WHERE id = $1 AND attempt = $2 RETURNING facts"
FINISH = "UPDATE rebuilds SET finished_at = clock_timestamp(), differences = $2, fault = $3 WHERE id = $1"
BEGIN = "UPDATE rebuilds SET facts = 0, attempt = attempt + 1 WHERE id = $1 RETURNING attempt"
PLACES = """
SELECT speaker, subject, n FROM positions_{copy}
JOIN unnest($1::text[], $2::text[]) AS x(speaker, subject) USING (speaker, subject)
"""
PLACE = """
INSERT INTO positions_{copy} (speaker, subject, n)
SELECT speaker, subject, n FROM unnest($1::text[], $2::text[], $3::bigint[]) AS x(speaker, subject, n)
ON CONFLICT (speaker, subject) DO UPDATE SET n = excluded.n
"""
NOBODY_FOLDS = "LOCK TABLE heard IN EXCLUSIVE MODE"
PATIENCE = "SET LOCAL statement_timeout TO '10min'"
BEHIND = """
SELECT h.speaker, h.subject, coalesce(p.n, 0) AS n
FROM heard h LEFT JOIN positions_{copy} p USING (speaker, subject) WHERE h.n > coalesce(p.n, 0)
"""
HEAR = """
INSERT INTO heard AS h (speaker, subject, n, since) SELECT speaker, subject, n, n FROM positions_{copy}
ON CONFLICT (speaker, subject) DO UPDATE SET n = excluded.n, since = excluded.since WHERE h.n < excluded.n
"""
DIFFERENCES = """
SELECT count(*) FROM (
    (SELECT * FROM tallies_a WHERE n <> 0 EXCEPT SELECT * FROM tallies_b WHERE n <> 0)
    UNION ALL
    (SELECT * FROM tallies_b WHERE n <> 0 EXCEPT SELECT * FROM tallies_a WHERE n <> 0)) AS differing
"""
SWAP = "UPDATE live_copy SET copy = $1"

SPEAKERS = tuple(speaker for speaker in Speaker if speaker is not Speaker.SOURCE)
Key = tuple[str, str]


class LogFault(Exception):
    """A speaker's log does not hold what it must; the text names speaker, subject and number."""


class Overtaken(Exception):
    """Another replica has begun this rebuild again: this one was away for too long."""


class Rebuilds:
    """Does the rebuilds that are asked for, one at a time."""

    def __init__(self, resources: Resources, over: asyncio.Event) -> None:
        self._resources, self._over = resources, over

    async def do_next(self) -> int | None:
        """Do one if one is asked for; how many tallies were different before, None if none was done."""
        async with self._resources.database.connection() as connection:
            asked = await connection.fetchval(NEXT)
        if asked is None:
            return None
        try:
            differences = await Rebuild(self._resources, self._over, asked).run()
        except Overtaken:
            return None
        except (httpx.HTTPError, LogFault) as fault:
            log.error("rebuild failed", id=asked, reason=str(fault))
            await self._finish(asked, None, f"{type(fault).__name__}: {fault}")
            return None
        if differences is not None:
            await self._finish(asked, differences, None)
        return differences

    async def _finish(self, asked: int, differences: int | None, fault: str | None) -> None:
        async with self._resources.database.connection() as connection:
            await connection.execute(FINISH, asked, differences, fault)


class Rebuild:
    """One rebuild."""

    def __init__(self, resources: Resources, over: asyncio.Event, asked: int) -> None:
        self._resources, self._over, self._asked = resources, over, asked
        self._logs = Logs(resources.peers, {speaker: _url(resources.settings, speaker) for speaker in SPEAKERS})
        self._early: defaultdict[Key, dict[int, Fact[Event]]] = defaultdict(dict)
        self._spare, self._attempt = "", 0

    async def run(self) -> int | None:
        """Differences to what was in force; None when it had to stop before the end."""
        await self._empty()
        for _ in range(2):  # the second walk is short: what was said during the first
            for speaker in SPEAKERS:
                async for page in self._logs.pages(speaker):
                    if self._over.is_set():
                        return None
                    await self._fold(page)
        return await self._take_over()

    async def _empty(self) -> None:
        async with self._resources.transactions.begin() as transaction:
            in_force = await live(transaction.connection)
            self._spare = next(copy for copy in COPIES if copy != in_force)
            await transaction.connection.execute(f"TRUNCATE {', '.join(f'{name}_{self._spare}' for name in FOLDED)}")
            self._attempt = await transaction.connection.fetchval(BEGIN, self._asked)

    async def _fold(self, page: Sequence[Fact[Event]]) -> None:
        async with self._resources.transactions.begin() as transaction:
            await self._fold_in(transaction.connection, page)

    async def _fold_in(self, connection: Connection, page: Sequence[Fact[Event]]) -> None:
        """Fold what follows in its subject; the log is in order of transactions, so a fact may come before its turn."""
        for fact in page:
            self._early[fact.speaker, fact.subject][fact.n] = fact
        keys = sorted({(fact.speaker.value, fact.subject) for fact in page})
        places = await self._places(connection, keys)
        following = [fact for key in keys for fact in self._in_turn(key, places)]
        await self._count(connection, len(following))
        if following:
            await fold_into(Store(connection, self._spare), following)
            reached = [places[key] for key in keys]
            await connection.execute(statement(PLACE, self._spare), *zip(*keys, strict=True), reached)

    def _in_turn(self, key: Key, places: dict[Key, int]) -> list[Fact[Event]]:
        """What follows the place of a subject without a gap, which becomes its new place; the rest waits."""
        waiting, place = self._early.pop(key), places.get(key, 0)
        following = []
        while place + 1 in waiting:
            place += 1
            following.append(waiting[place])
        places[key] = place
        if rest := {n: fact for n, fact in waiting.items() if n > place}:
            self._early[key] = rest
        return following

    async def _count(self, connection: Connection, facts: int) -> None:
        if await connection.fetchval(COUNTED, self._asked, self._attempt, facts) is None:
            raise Overtaken

    async def _places(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, int]:
        columns = ([key[0] for key in keys], [key[1] for key in keys])
        rows = await connection.fetch(statement(PLACES, self._spare), *columns)
        return {(row["speaker"], row["subject"]): row["n"] for row in rows}

    async def _take_over(self) -> int:
        """Catch up while nobody folds, compare, and put the spare copy in force."""
        async with self._resources.transactions.begin() as transaction:
            connection = transaction.connection
            await connection.execute(PATIENCE)
            await connection.execute(NOBODY_FOLDS)
            await self._count(connection, 0)
            await self._catch_up(connection)
            await connection.execute(statement(HEAR, self._spare))
            differences: int = await connection.fetchval(DIFFERENCES)
            await connection.execute(SWAP, self._spare)
            log.info("rebuilt", copy=self._spare, differences=differences)
            return differences

    async def _catch_up(self, connection: Connection) -> None:
        """Fetch, subject by subject, what was heard and is not in the spare copy, and what facts still wait for."""
        rows = await connection.fetch(statement(BEHIND, self._spare))
        behind = {(row["speaker"], row["subject"]): row["n"] for row in rows}
        waiting = sorted(self._early)
        behind |= dict.fromkeys(waiting, 0) | await self._places(connection, waiting)
        for (speaker, subject), n in behind.items():
            async for page in self._logs.of_subject(Speaker(speaker), subject, n):
                await self._fold_in(connection, page)
        if self._early:
            speaker, subject = min(self._early)
            raise LogFault(f"the log of {speaker} has a gap in {subject}")


def _url(settings: Settings, speaker: Speaker) -> str:
    url: str | None = getattr(settings, f"{speaker}_url")
    if url is None:
        raise LogFault(f"{variable(f'{speaker}_url')} is not set: everything is rebuilt from the logs of all speakers")
    return url
