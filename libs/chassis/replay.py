"""Brings parked messages back after the fault was mended, in order of n (decisions 6)."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from libs.chassis.database import Database
from libs.chassis.errors import Conflict, NotFound
from libs.chassis.feed import Feed
from libs.chassis.hearing import Hearing
from libs.chassis.storing import Reception, attempt
from libs.chassis.transaction import Transactions
from libs.chassis.wire import Frame
from libs.contracts.event import Speaker

COLUMNS = "id, door, speaker, subject, n, nats_subject, reason, parked_at, state, settled_at"
LIST = f"SELECT {COLUMNS} FROM parked WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3"
SHOW = f"SELECT {COLUMNS}, headers, payload FROM parked WHERE id = $1"
TOGETHER = """
SELECT id, nats_subject, headers, payload FROM parked
WHERE state = 'parked' AND door = $1 AND speaker = $2 AND subject = $3 ORDER BY n, id
"""
SETTLE = "UPDATE parked SET state = $2, settled_at = clock_timestamp() WHERE id = $1 AND state = 'parked'"
TIMERS = "timers"


class Replay:
    """The desk where parked messages are looked at, brought back or given up."""

    def __init__(self, database: Database, transactions: Transactions, hearing: Hearing, feeds: Sequence[Feed]) -> None:
        self._database, self._transactions = database, transactions
        self._receptions: dict[str, Reception[Any]] = {hearing.door: hearing, **{feed.door: feed for feed in feeds}}

    async def page(self, state: str, after: int, limit: int) -> list[asyncpg.Record]:
        """Messages in a state, oldest first."""
        async with self._database.connection() as connection:
            return await connection.fetch(LIST, state, after, limit)

    async def show(self, parked_id: int) -> asyncpg.Record:
        """One message with its bytes. NotFound."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(SHOW, parked_id)
        if row is None:
            raise NotFound(f"nothing is parked under {parked_id}")
        return row

    async def replay(self, parked_id: int) -> int:
        """Handle a parked message, and all that waits behind it, again; how many. Conflict names what still fails."""
        row = await self.show(parked_id)
        if row["state"] != "parked":
            raise Conflict(f"message {parked_id} was {row['state']} before")
        if row["door"] == TIMERS:
            raise Conflict("a parked timer is set again by the next fact of its ticket; discard it")
        done = 0
        while waiting := await self._together(row):
            for parked in waiting:
                await self._again(row["door"], parked)
            done += len(waiting)
            if row["speaker"] not in set(Speaker):
                break
        return done

    async def discard(self, parked_id: int) -> None:
        """Give a message up. For a numbered fact that means: it counts as heard, and what waits behind it can go on."""
        row = await self.show(parked_id)
        async with self._transactions.begin() as transaction:
            await transaction.connection.execute(SETTLE, parked_id, "discarded")
            if row["n"] is not None:
                await transaction.connection.execute(
                    "UPDATE heard SET n = $3, since = $3 WHERE speaker = $1 AND subject = $2 AND n = $3 - 1",
                    row["speaker"],
                    row["subject"],
                    row["n"],
                )

    async def _together(self, row: asyncpg.Record) -> list[asyncpg.Record]:
        if row["n"] is None:
            return [row] if (await self.show(row["id"]))["state"] == "parked" else []
        async with self._database.connection() as connection:
            return await connection.fetch(TOGETHER, row["door"], row["speaker"], row["subject"])

    async def _again(self, door: str, parked: asyncpg.Record) -> None:
        reception = self._receptions[door]

        async def receive() -> None:
            message = reception.read(Frame(parked["nats_subject"].encode(), b"", parked["headers"], parked["payload"]))
            async with self._transactions.begin() as transaction:
                await transaction.connection.execute(SETTLE, parked["id"], "replayed")
                await reception.receive([message], transaction)

        fault = await attempt(receive)
        if fault is not None:
            raise Conflict(f"message {parked['id']} still cannot be handled: {fault}")
