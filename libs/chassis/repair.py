"""Repair by comparison: what the stream did not bring is fetched from its speaker (decisions 3).

A hearer walks the speaker's log of (subject, n) pairs with a cursor and asks for whatever it has not heard. It does so
at start, after every reconnect to the broker, every ten minutes, and for one subject when a gap does not close.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import structlog

from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.events import START
from libs.chassis.hearing import LOOK, Heard, Key
from libs.chassis.metrics import Metrics
from libs.chassis.parking import blocked
from libs.chassis.pause import pause
from libs.chassis.storing import Storing
from libs.chassis.wire import Frame
from libs.contracts.event import About, Speaker, about
from libs.contracts.partition import shard as shard_of

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0
AGAIN_SECONDS = 25.0
"""After a reconnect a second look: facts younger than the speaker serves may have been lost with the broker."""
TROUBLE_SECONDS = 2.0
PAGE = 500
REST_SECONDS = 0.1
"""Between two pages that were heard whole, where nobody waits for it: the speaker has customers to serve."""
TROUBLE: tuple[type[BaseException], ...] = (*DATABASE_TROUBLE, httpx.HTTPError)

CURSOR = "SELECT xid, id FROM repairs WHERE speaker = $1 AND shard = $2 AND shards = $3"
MOVE = """
INSERT INTO repairs (speaker, shard, shards, xid, id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (speaker, shard, shards) DO UPDATE SET xid = excluded.xid, id = excluded.id
"""

Asks = Mapping[Speaker, str]
"""Base URL of each speaker that is heard."""


class Repair:
    """The repair of one shard of a hearer."""

    def __init__(
        self,
        database: Database,
        storing: Storing[Heard],
        client: httpx.AsyncClient,
        asks: Asks,
        kinds: frozenset[tuple[Speaker, About]],
        shard: int,
        shards: int,
        metrics: Metrics,
    ) -> None:
        """kinds: whose facts about what are heard; others in the log are passed over."""
        self._database, self._storing, self._client, self._asks = database, storing, client, asks
        self._kinds, self._shard, self._shards, self._metrics = kinds, shard, shards, metrics
        self._now = asyncio.Event()
        self._over = asyncio.Event()

    def soon(self) -> None:
        """Called after a reconnect: compare now, and once more when the youngest facts are served."""
        self._now.set()

    async def run(self, over: asyncio.Event) -> None:
        """Compare at start, when called, and every ten minutes."""
        self._over, wait = over, AGAIN_SECONDS
        while not over.is_set():
            try:
                await self.compare()
            except TROUBLE as trouble:
                log.info("repair has to wait", reason=str(trouble) or type(trouble).__name__)
                wait = TROUBLE_SECONDS
            called = await self._called_within(wait, over)
            wait = AGAIN_SECONDS if called or wait == TROUBLE_SECONDS else EVERY_SECONDS

    async def compare(self, *, awaited: bool = False) -> int:
        """Walk every speaker's log from the cursor to its end; how many facts had been missed. awaited: by somebody, so
        without a rest.
        """
        return sum([await self._compare(speaker, 0 if awaited else REST_SECONDS) for speaker in self._asks])

    async def subjects(self, keys: Sequence[Key]) -> None:
        """Fetch what is missing of these subjects; a speaker that cannot be reached is asked again later."""
        for speaker, subject in keys:
            try:
                await self._fetch(Speaker(speaker), subject, await self._heard_of(speaker, subject))
            except httpx.HTTPError as away:
                log.info("repair has to wait", speaker=speaker, reason=str(away) or type(away).__name__)

    async def _compare(self, speaker: Speaker, rest: float) -> int:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(CURSOR, speaker, self._shard, self._shards)
        cursor = f"{row['xid']}.{row['id']}" if row else str(START)
        repaired = 0
        while True:
            page = await self._ask(speaker, {"after": cursor, "pairs": "true", "limit": PAGE})
            found = await self._repair_page(speaker, page["items"])
            repaired += found
            if page["next"] is None or page["next"] == cursor or self._over.is_set():
                return repaired
            cursor = page["next"]
            xid, _, number = cursor.partition(".")
            async with self._database.connection() as connection:
                await connection.execute(MOVE, speaker, self._shard, self._shards, xid, int(number))
            if not found:
                await pause(self._over, rest)

    async def _repair_page(self, speaker: Speaker, pairs: Sequence[Mapping[str, Any]]) -> int:
        said: dict[str, int] = defaultdict(int)
        for pair in pairs:
            subject = str(pair["subject"])
            if shard_of(subject, self._shards) == self._shard and (speaker, about(subject)) in self._kinds:
                said[subject] = max(said[subject], int(pair["n"]))
        missing = await self._missing(speaker, said)
        return sum([await self._fetch(speaker, subject, heard) for subject, heard in missing.items()])

    async def _missing(self, speaker: Speaker, said: Mapping[str, int]) -> dict[str, int]:
        """Subjects that were not heard to their end: the last number heard. Parked ones wait for a person."""
        if not said:
            return {}
        subjects = list(said)
        async with self._database.connection() as connection:
            rows = await connection.fetch(LOOK, [speaker.value] * len(subjects), subjects)
            heard = {row["subject"]: row["n"] for row in rows}
            behind = {subject: heard.get(subject, 0) for subject in subjects if heard.get(subject, 0) < said[subject]}
            parked = await blocked(connection, [(speaker.value, subject) for subject in behind])
        return {subject: n for subject, n in behind.items() if (speaker.value, subject) not in parked}

    async def _fetch(self, speaker: Speaker, subject: str, after_n: int) -> int:
        page = await self._ask(speaker, {"subject": subject, "after_n": after_n, "limit": PAGE})
        frames = [
            Frame(item["nats_subject"].encode(), b"", item["headers"].encode(), item["data"].encode())
            for item in page["items"]
        ]
        if frames:
            await self._storing.store(frames)
            self._metrics.consumer.repaired.labels(speaker.value).inc(len(frames))
            log.warning("facts were missing and have been fetched", speaker=speaker.value, facts=len(frames))
        return len(frames)

    async def _heard_of(self, speaker: str, subject: str) -> int:
        async with self._database.connection() as connection:
            rows = await connection.fetch(LOOK, [speaker], [subject])
        return rows[0]["n"] if rows else 0

    async def _ask(self, speaker: Speaker, parameters: Mapping[str, str | int]) -> Any:
        answer = await self._client.get(f"{self._asks[speaker]}/v1/events", params=dict(parameters))
        answer.raise_for_status()
        return answer.json()

    async def _called_within(self, seconds: float, over: asyncio.Event) -> bool:
        """Wait; True when `soon` was called meanwhile. Ends early when it is over."""
        waits = [asyncio.ensure_future(self._now.wait()), asyncio.ensure_future(over.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        called = self._now.is_set()
        self._now.clear()
        return called
