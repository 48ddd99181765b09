"""What could not be handled waits in the table `parked`, with its reason, for a person (decisions 6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from libs.chassis.transaction import Connection

REASON_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Parked:
    """A message to park. door: the consumer it came by, `facts` or a feed. n: None where it has no number."""

    door: str
    speaker: str
    subject: str
    n: int | None
    nats_subject: str
    reason: str
    headers: bytes
    payload: bytes


PARK = """
INSERT INTO parked (door, speaker, subject, n, nats_subject, reason, headers, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (door, speaker, subject, n) WHERE state = 'parked' DO NOTHING
"""
FOLLOWERS = """
WITH gone AS (DELETE FROM held WHERE speaker = $1 AND subject = $2 RETURNING n, nats_subject, headers, payload)
INSERT INTO parked (door, speaker, subject, n, nats_subject, reason, headers, payload)
SELECT $3, $1, $2, n, nats_subject, $4, headers, payload FROM gone
ON CONFLICT (door, speaker, subject, n) WHERE state = 'parked' DO NOTHING
"""
BLOCKED = """
SELECT DISTINCT speaker, subject FROM parked
JOIN unnest($1::text[], $2::text[]) AS x(speaker, subject) USING (speaker, subject)
WHERE state = 'parked'
"""


async def park(connection: Connection, messages: Iterable[Parked]) -> None:
    """Park messages; one that is parked already stays as it is."""
    rows = [
        (m.door, m.speaker, m.subject, m.n, m.nats_subject, m.reason[:REASON_CHARACTERS], m.headers, m.payload)
        for m in messages
    ]
    if rows:
        await connection.executemany(PARK, rows)


async def park_followers(connection: Connection, door: str, speaker: str, subject: str, behind: int) -> None:
    """Facts that were held for this subject now wait behind the parked one."""
    await connection.execute(FOLLOWERS, speaker, subject, door, f"follows {behind}, which is parked")


async def blocked(connection: Connection, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (speaker, subject) have something parked."""
    pairs = list(keys)
    if not pairs:
        return set()
    rows = await connection.fetch(BLOCKED, [speaker for speaker, _ in pairs], [subject for _, subject in pairs])
    return {(row["speaker"], row["subject"]) for row in rows}
