"""Moments at which a kill hurts: inside an open transaction, a publish, or the DATA of a mail."""

from enum import StrEnum

from tests.faults.harness.rig import Rig

SAYING = ("intake", "router", "sla", "notifier")

# 'active' alone may be a statement without a transaction; one that began before the statement is inside
IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE usename = ANY($1::text[]) AND (state = 'idle in transaction' OR (state = 'active' AND xact_start < query_start))
"""


class Moment(StrEnum):
    """What a kill falls into."""

    TRANSACTION = "open transaction"
    PUBLISH = "publish"
    DATA = "SMTP DATA"


async def is_in_transaction(rig: Rig, *services: str) -> bool:
    """Whether one of these services has a transaction open."""
    return bool(await rig.value(IN_TRANSACTION, list(services)))


async def is_publishing(rig: Rig, *services: str) -> bool:
    """Whether one of these services has committed facts that the broker has not confirmed to it."""
    saying = [f"EXISTS (SELECT FROM {service}.outbox)" for service in services if service in SAYING]
    return bool(saying) and bool(await rig.value(f"SELECT {' OR '.join(saying)}"))


async def is_now(rig: Rig, moment: Moment, *services: str) -> bool:
    """Whether this moment is now."""
    look = is_in_transaction if moment is Moment.TRANSACTION else is_publishing
    return await look(rig, *services)
