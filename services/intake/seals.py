"""The audit chain in PostgreSQL: what is to be sealed, what was, and the digests of events.

The digest of an event is the sha256 of its columns as text, in UTF-8, with U+001F between: subject, n, type,
occurred_at and said_at in microseconds since 1970, actor, cause, config_version, trace, data, ticket; null is empty.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from libs.chassis.events import START, Cursor
from libs.chassis.transaction import Connection
from services.intake.domain.chain import GENESIS, Link, Seal

DIGEST = """
sha256(convert_to(concat_ws(chr(31), e.subject, e.n, e.type, (extract(epoch FROM e.occurred_at) * 1000000)::bigint,
    (extract(epoch FROM e.said_at) * 1000000)::bigint, coalesce(e.actor, ''), coalesce(e.cause, ''), e.config_version,
    coalesce(e.trace, ''), e.data, coalesce(e.ticket::text, '')), 'UTF8'))
"""
ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'seals'), 0))"
LAST_BLOCK = "SELECT id, xid, event_id, seals, hash, sealed_at FROM seal_blocks ORDER BY id DESC LIMIT 1"
# a limit that is a parameter is guessed as a tenth of all: then the log would be sorted instead of read along its index
COMMITTED = """
SELECT xid, id, subject FROM events
WHERE (xid, id) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id LIMIT {limit}
"""
LAST_SEALS = """
SELECT s.subject, l.n, l.hash FROM unnest($1::text[]) AS s(subject),
    LATERAL (SELECT n, hash FROM seals WHERE seals.subject = s.subject ORDER BY n DESC LIMIT 1) AS l
"""
LINKS = f"""
SELECT e.subject, e.n, {DIGEST} AS digest, (e.xid, e.id) > ($3::text::xid8, $4) AS is_young
FROM unnest($1::text[], $2::bigint[]) AS s(subject, n),
    LATERAL (SELECT * FROM events WHERE events.subject = s.subject AND events.n > s.n ORDER BY events.n OFFSET 0) AS e
ORDER BY e.subject, e.n
"""
ADD_SEALS = """
INSERT INTO seals (subject, n, hash, block) SELECT subject, n, hash, $4
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS x(subject, n, hash)
"""
ADD_BLOCK = "INSERT INTO seal_blocks (id, xid, event_id, seals, hash, sealed_at) VALUES ($1, $2, $3, $4, $5, $6)"
SUBJECTS = """
SELECT subject FROM (
    (SELECT DISTINCT subject FROM events WHERE subject > $1 ORDER BY subject LIMIT $2)
    UNION
    (SELECT DISTINCT subject FROM seals WHERE subject > $1 ORDER BY subject LIMIT $2)) AS known
ORDER BY subject LIMIT $2
"""
SEALS_OF = "SELECT subject, n, hash FROM seals WHERE subject = ANY($1::text[]) ORDER BY subject, n"
BLOCKS = "SELECT id, xid, event_id, seals, hash, sealed_at FROM seal_blocks WHERE id >= $1 ORDER BY id LIMIT $2"
SEALS_IN = "SELECT subject, n, hash, block FROM seals WHERE block BETWEEN $1 AND $2"
UNSEALED = """
SELECT count(*) AS events, min(said_at) AS oldest FROM (
    SELECT said_at FROM events WHERE (xid, id) > ($1::text::xid8, $2) ORDER BY xid, id LIMIT 100000) AS unsealed
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A block: where in the log it ends, and the chain over all blocks up to it."""

    id: int
    end: Cursor
    hash: bytes
    seals: int
    sealed_at: datetime


NOTHING_SEALED = Block(0, START, GENESIS, 0, datetime.fromtimestamp(0, UTC))


class Seals:
    """The chain within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def alone(self) -> bool:
        """Whether nobody else seals at present; true until the transaction ends."""
        return bool(await self._connection.fetchval(ALONE))

    async def last_block(self) -> Block:
        """The block that was sealed last."""
        row = await self._connection.fetchrow(LAST_BLOCK)
        return NOTHING_SEALED if row is None else _block(row)

    async def committed(self, after: Cursor, limit: int) -> tuple[set[str], Cursor | None]:
        """Subjects of the next events of the log that everybody can see, and where these end."""
        rows = await self._connection.fetch(COMMITTED.format(limit=limit), str(after.xid), after.id)
        return {row["subject"] for row in rows}, Cursor(rows[-1]["xid"], rows[-1]["id"]) if rows else None

    async def last_seals(self, subjects: Sequence[str]) -> dict[str, Seal]:
        """The last seal of each of these subjects that has one."""
        rows = await self._connection.fetch(LAST_SEALS, subjects)
        return {row["subject"]: Seal(row["subject"], row["n"], row["hash"]) for row in rows}

    async def links(self, after: Mapping[str, int], end: Cursor = START) -> dict[str, list[Link]]:
        """The events of subjects after a number each, by n. end: of the last block."""
        found: dict[str, list[Link]] = defaultdict(list)
        rows = await self._connection.fetch(LINKS, list(after), list(after.values()), str(end.xid), end.id)
        for row in rows:
            found[row["subject"]].append(Link(row["n"], row["digest"], row["is_young"]))
        return found

    async def add(self, block: Block, seals: Sequence[Seal]) -> None:
        """Append a block and its seals."""
        columns: list[list[Any]] = [[s.subject for s in seals], [s.n for s in seals], [s.hash for s in seals]]
        await self._connection.execute(ADD_SEALS, *columns, block.id)
        end = block.end
        await self._connection.execute(
            ADD_BLOCK, block.id, str(end.xid), end.id, block.seals, block.hash, block.sealed_at
        )

    async def subjects(self, after: str, limit: int) -> list[str]:
        """Everything that has events or seals, sorted."""
        return [row["subject"] for row in await self._connection.fetch(SUBJECTS, after, limit)]

    async def of(self, subjects: Sequence[str]) -> dict[str, list[Seal]]:
        """All seals of these subjects, by n."""
        found: dict[str, list[Seal]] = defaultdict(list)
        for row in await self._connection.fetch(SEALS_OF, subjects):
            found[row["subject"]].append(Seal(row["subject"], row["n"], row["hash"]))
        return found

    async def blocks(self, first: int, limit: int) -> list[Block]:
        """Blocks from a number on."""
        return [_block(row) for row in await self._connection.fetch(BLOCKS, first, limit)]

    async def sealed_in(self, first: int, last: int) -> dict[int, list[Seal]]:
        """The seals of a run of blocks, by block."""
        found: dict[int, list[Seal]] = defaultdict(list)
        for row in await self._connection.fetch(SEALS_IN, first, last):
            found[row["block"]].append(Seal(row["subject"], row["n"], row["hash"]))
        return found

    async def unsealed(self, end: Cursor) -> tuple[int, datetime | None]:
        """How many events, 100,000 at most, are younger than the last block, and when the first of them was said."""
        row = await self._connection.fetchrow(UNSEALED, str(end.xid), end.id)
        assert row is not None
        return row["events"], row["oldest"]


def _block(row: Mapping[str, Any] | Any) -> Block:
    end = Cursor(int(row["xid"]), row["event_id"])
    return Block(row["id"], end, row["hash"], row["seals"], row["sealed_at"])
