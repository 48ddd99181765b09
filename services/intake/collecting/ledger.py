"""Which mails of a mailbox were found, stored and finished: one row each, so that none is lost or taken twice."""

from collections.abc import Iterable, Mapping, Sequence

from libs.chassis.transaction import Connection
from services.intake.collecting.box import Found

FRONTIER = "SELECT max(place) FROM collected_mail WHERE source = $1 AND generation = $2"
FIND = """
INSERT INTO collected_mail (source, generation, key, place)
SELECT $1, $2, key, place FROM unnest($3::text[], $4::bigint[]) AS x(key, place) ON CONFLICT DO NOTHING
"""
BEGIN = """
INSERT INTO collected_mail (source, generation, key, place, reason, finished)
VALUES ($1, $2, '', $3, 'what came before is old', true) ON CONFLICT DO NOTHING
"""
OPEN = "source = $1 AND generation = $2 AND NOT finished"
WAITING = f"""
SELECT key FROM collected_mail WHERE {OPEN} AND receipt IS NULL ORDER BY place, key LIMIT $3
"""
LOCK = f"""
SELECT key FROM collected_mail WHERE {OPEN} AND receipt IS NULL AND key = ANY($3::text[]) ORDER BY key FOR UPDATE
"""
STORED = f"""
UPDATE collected_mail c SET receipt = x.receipt FROM unnest($3::text[], $4::bigint[]) AS x(key, receipt)
WHERE {OPEN} AND c.key = x.key
"""
LEFT_OUT = f"""
UPDATE collected_mail c SET reason = x.reason, finished = true FROM unnest($3::text[], $4::text[]) AS x(key, reason)
WHERE {OPEN} AND c.key = x.key
"""
UNFINISHED = f"SELECT key FROM collected_mail WHERE {OPEN} AND receipt IS NOT NULL ORDER BY place, key LIMIT $3"
FINISHED = "UPDATE collected_mail SET finished = true WHERE source = $1 AND generation = $2 AND key = ANY($3::text[])"
FORGET = "DELETE FROM collected_mail WHERE source = $1 AND generation = $2 AND key = ANY($3::text[])"


class CollectingLedger:
    """The rows of one mailbox in one generation of its keys, as one transaction sees them."""

    def __init__(self, connection: Connection, source: str, generation: int) -> None:
        self._connection, self._names = connection, (source, generation)

    async def frontier(self) -> int | None:
        """The highest place that was found; None at first contact."""
        place: int | None = await self._connection.fetchval(FRONTIER, *self._names)
        return place

    async def begin(self, old: int) -> None:
        """Whatever is not found by now up to this place never will be."""
        await self._connection.execute(BEGIN, *self._names, old)

    async def find(self, found: Sequence[Found]) -> None:
        """Note what lies there; what was noted before is left alone."""
        if found:
            keys, places = [each.key for each in found], [each.place for each in found]
            await self._connection.execute(FIND, *self._names, keys, places)

    async def waiting(self, most: int) -> list[str]:
        """Mails to be fetched."""
        return [row["key"] for row in await self._connection.fetch(WAITING, *self._names, most)]

    async def lock(self, keys: Iterable[str]) -> set[str]:
        """Those that nobody has stored meanwhile, kept for this transaction."""
        return {row["key"] for row in await self._connection.fetch(LOCK, *self._names, sorted(keys))}

    async def stored(self, receipts: Mapping[str, int]) -> None:
        """These have receipts."""
        if receipts:
            await self._connection.execute(STORED, *self._names, list(receipts), list(receipts.values()))

    async def left_out(self, reasons: Mapping[str, str]) -> None:
        """These are not taken."""
        if reasons:
            await self._connection.execute(LEFT_OUT, *self._names, list(reasons), list(reasons.values()))

    async def unfinished(self, most: int) -> list[str]:
        """Stored mails whose mailbox does not know it yet."""
        return [row["key"] for row in await self._connection.fetch(UNFINISHED, *self._names, most)]

    async def finished(self, keys: Sequence[str], *, forget: bool) -> None:
        """The mailbox knows. forget: it will never show them again."""
        await self._connection.execute(FORGET if forget else FINISHED, *self._names, list(keys))
