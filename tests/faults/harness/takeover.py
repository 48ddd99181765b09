"""Whoever held the leases of a service dies or sleeps; another replica takes over."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from libs.chassis.clock import real_now
from signalbox.stack.service_child import ServiceChild
from tests.faults.harness.killer import Killer
from tests.faults.harness.moments import Moment
from tests.faults.harness.rest import hearings, said_until
from tests.faults.harness.rig import Rig

PATIENCE_SECONDS = 90.0
HELD = "SELECT name FROM {service}.leases WHERE holder = $1 AND until > clock_timestamp()"
FREE_OF = (
    "SELECT count(*) FROM {service}.leases WHERE name = ANY($1::text[]) AND holder <> $2 AND until > clock_timestamp()"
)


@dataclass(frozen=True)
class Takeover:
    """What another replica had to take over. leases, heard: seconds from the strike until all leases were with others,
    and until everything said before the strike was heard."""

    service: str
    how: str
    moment: Moment
    names: tuple[str, ...]
    leases: float
    heard: float
    at: datetime


async def holder(rig: Rig, service: str) -> ServiceChild:
    """Who holds the first shard."""
    label = await rig.value(f"SELECT holder FROM {service}.leases WHERE name = 'shard-0' AND until > clock_timestamp()")
    return rig.stack.child(label)


async def taken_over(
    rig: Rig, killer: Killer, service: str, how: str, moment: Moment, strike: Callable[[ServiceChild], None]
) -> tuple[ServiceChild, Takeover]:
    """Strike the holder in the middle of `moment`; it is stopped already then. Measure until others do its work."""
    child = await holder(rig, service)
    await killer.freeze(child, moment)
    names = [row["name"] for row in await rig.rows(HELD.format(service=service), child.label)]
    strike(child)
    at, since = real_now(), monotonic()
    leases, heard = await asyncio.gather(
        _within(since, lambda: _moved(rig, service, names, child.label)),
        _within(since, lambda: _heard(rig, service, at)),
    )
    if PATIENCE_SECONDS in (leases, heard):
        raise AssertionError(f"{child.label} {how}: {leases=} {heard=} {names=}\n{await _standing(rig, service)}")
    return child, Takeover(service, how, moment, tuple(names), leases, heard, at)


def die(child: ServiceChild) -> None:
    """kill -9."""
    child.signal(signal.SIGKILL)


def sleep(child: ServiceChild) -> None:
    """Nothing more: it is stopped, with whatever it holds."""
    child.signal(signal.SIGSTOP)


def wake(child: ServiceChild) -> None:
    """A zombie: it goes on where it was, long after its leases have gone to others."""
    child.signal(signal.SIGCONT)


async def _moved(rig: Rig, service: str, names: list[str], label: str) -> bool:
    return int(await rig.value(FREE_OF.format(service=service), names, label)) == len(names)


async def _heard(rig: Rig, service: str, at: datetime) -> bool:
    """Everything said before `at` is heard by the service."""
    for hearer, speaker, about in hearings():
        if hearer == service and await rig.value(said_until(hearer, speaker, about), at):
            return False
    return True


async def _standing(rig: Rig, service: str) -> str:
    """Who holds what, and what the database is busy with, for whoever has to find out why nobody took over."""
    held = await rig.rows(f"SELECT name, holder, until - clock_timestamp() AS left FROM {service}.leases")
    busy = await rig.rows(
        "SELECT application_name, state, wait_event_type, wait_event, clock_timestamp() - state_change AS since, "
        "left(query, 120) AS query FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
    )
    return "\n".join(str(dict(row)) for row in (*held, *busy))


async def _within(since: float, reached: Callable[[], Awaitable[bool]]) -> float:
    while not await reached():
        if monotonic() - since > PATIENCE_SECONDS:
            return PATIENCE_SECONDS
        await asyncio.sleep(0.1)
    return monotonic() - since
