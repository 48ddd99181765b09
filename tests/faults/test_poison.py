"""Guarantee 6: one bad message never stops the others, and comes back when the fault is mended."""

import asyncio
import json
from statistics import median

from libs.chassis.clock import real_now
from tests.faults.harness.checker import check
from tests.faults.harness.load import Load, Rates, under_load
from tests.faults.harness.poison import Poison, latencies
from tests.faults.harness.report import Report
from tests.faults.harness.rest import rest
from tests.faults.harness.rig import Rig, running_rig
from tests.support.stack import until
from tests.support.system import System

SECOND = 1.0


async def test_6_a_poisoned_ticket_is_parked_with_its_followers_delays_nobody_and_comes_back() -> None:
    async with running_rig() as rig:
        async with under_load(rig, Rates(chats=5, mails=2)) as load:
            poison = await _poison(rig, load)
            usual = real_now()
            await asyncio.sleep(5)
            before = await latencies(rig, "sla", usual)
            since = real_now()
            await poison.begin(rig)
            for status in ("pending", "open", "pending"):
                await load.doors.change(poison.ticket, status=status)
            await until(lambda: _all_parked(rig, poison), 20)
            await asyncio.sleep(5)
            during = {speaker: await latencies(rig, speaker, since) for speaker in ("sla", "router")}
            parked = {service: await poison.parked(rig, service) for service in poison.tables}
        await poison.mend(rig)
        replayed = await asyncio.to_thread(_replay, rig)
        await rest(rig)
        findings = await check(rig, load.accepted)
        # the router hears the same tickets and has no fault: what the machine delays, it delays there as well
        usually = max(median(before), max(during["router"]))
        figures = {
            "facts parked": parked,
            "replayed": replayed,
            "other tickets heard meanwhile": len(during["sla"]),
            "slowest of them, seconds": round(max(during["sla"]), 3),
            "usual, seconds": round(median(before), 3),
        }
        Report("poison", (), findings, figures).publish()
    assert all(numbers == list(range(numbers[0], numbers[0] + len(numbers))) for numbers in parked.values())
    assert all(len(numbers) >= 3 for numbers in parked.values())
    assert len(during["sla"]) > 20
    assert max(during["sla"]) - usually < SECOND
    assert findings.bad == {}


async def _poison(rig: Rig, load: Load) -> Poison:
    """A ticket that was answered before, so that no clock of it runs out meanwhile."""
    await until(lambda: load.accepted.replies, 30)
    copy = await rig.value("SELECT copy FROM reporting.live_copy")
    return Poison(load.accepted.replies[0].ticket, {"sla": "tickets", "reporting": f"tickets_{copy}"})


async def _all_parked(rig: Rig, poison: Poison) -> bool:
    return all([len(await poison.parked(rig, service)) >= 3 for service in poison.tables])


def _replay(rig: Rig) -> int:
    """As a person does: look at the list, replay the first of each service."""
    system = System(rig.stack.folder.path)
    items = json.loads(system.signalbox("parked", "list", "--json"))["items"]
    first = {item["service"]: item["id"] for item in reversed(items)}
    said = [system.signalbox("parked", "replay", service, str(number)) for service, number in first.items()]
    return sum(int(line.rpartition(" ")[2]) for line in said)
