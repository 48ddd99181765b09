"""Waits until a system has nothing left to do."""

import asyncio
from time import monotonic

from libs.contracts.event import About
from signalbox.services import SERVICES, hears
from tests.faults.harness.rig import Rig

LIKE = {
    About.TICKET: "subject NOT LIKE '%:%'",
    About.AGENT: "subject LIKE 'agent:%'",
    About.QUEUE: "subject LIKE 'queue:%'",
}
PATIENCE_SECONDS = 150.0

UNHEARD = """
SELECT coalesce(sum(s.n - coalesce(h.n, 0)), 0)::bigint FROM
    (SELECT subject, max(n) AS n FROM {speaker}.events WHERE {about} AND {when} GROUP BY subject) s
    LEFT JOIN {hearer}.heard h ON h.speaker = '{speaker}' AND h.subject = s.subject
WHERE coalesce(h.n, 0) < s.n
"""

SOON = "SELECT count(*) FROM {service}.timers WHERE due_at < clock_timestamp() + interval '60 s'"


def hearings() -> list[tuple[str, str, About]]:
    """(hearer, speaker, about what) of all facts that are heard."""
    found = {(hearer, str(event.SPEAKER), event.ABOUT) for hearer in SERVICES for event in hears(hearer)}
    return sorted(found)


def said_until(hearer: str, speaker: str, about: About) -> str:
    """A query for how many facts said before the instant $1 the hearer has not applied."""
    return UNHEARD.format(speaker=speaker, hearer=hearer, about=LIKE[about], when="said_at < $1")


async def unheard(rig: Rig) -> dict[str, int]:
    """Facts that a hearer has not applied, by `hearer < speaker/about`."""
    found = {}
    for hearer, speaker, about in hearings():
        sql = UNHEARD.format(speaker=speaker, hearer=hearer, about=LIKE[about], when="true")
        found[f"{hearer} < {speaker}/{about}"] = int(await rig.value(sql))
    return found


async def left(rig: Rig) -> dict[str, int]:
    """What there is still to do; empty when the system is at rest. What is parked is not going to move by itself."""
    found = {}
    for service in SERVICES:
        found[f"{service} unpublished"] = int(await rig.value(f"SELECT count(*) FROM {service}.outbox"))
        found[f"{service} held"] = int(await rig.value(f"SELECT count(*) FROM {service}.held"))
    found["mails received"] = int(
        await rig.value("SELECT count(*) FROM intake.inbound_mail WHERE disposition = 'received'")
    )
    found["notices"] = int(
        await rig.value("SELECT count(*) FROM notifier.notices WHERE state IN ('queued', 'sending')")
    )
    found["reservations"] = int(await rig.value("SELECT count(*) FROM router.tickets WHERE reserved IS NOT NULL"))
    for service in ("intake", "router", "sla", "notifier"):
        found[f"{service} timers"] = int(await rig.value(SOON.format(service=service)))
    found |= await unheard(rig)
    return {name: count for name, count in found.items() if count}


async def rest(rig: Rig, seconds: float = PATIENCE_SECONDS) -> float:
    """Wait until nothing is left, twice in a row; how long that took. AssertionError says what is still left."""
    began = monotonic()
    quiet = 0
    while quiet < 2:
        waiting = await left(rig)
        quiet = 0 if waiting else quiet + 1
        assert monotonic() - began < seconds, f"after {seconds:g} s there is still left: {waiting}"
        await asyncio.sleep(0.5)
    return monotonic() - began
