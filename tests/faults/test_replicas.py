"""Guarantees 3 and 4 with two replicas and two shards: the dead and the undead are replaced, and do no harm."""

import asyncio
from dataclasses import asdict

from signalbox.services import SERVICES
from tests.faults.harness.checker import check
from tests.faults.harness.killer import Kill, Killer
from tests.faults.harness.load import Rates, under_load
from tests.faults.harness.mail_check import check_mails
from tests.faults.harness.moments import Moment
from tests.faults.harness.report import Report
from tests.faults.harness.rest import rest
from tests.faults.harness.rig import Rig, running_rig
from tests.faults.harness.takeover import Takeover, die, sleep, taken_over, wake

TAKEOVER_SECONDS = 15.0
ROUNDS = 2
AWAKE_SECONDS = 3.0


async def test_4_another_replica_takes_over_within_15_seconds_and_zombies_do_no_harm() -> None:
    takeovers: list[Takeover] = []
    async with running_rig(shards=2, replicas=2, keep=False) as rig:
        async with under_load(rig, Rates(chats=3, mails=1.5)) as load:
            killer = Killer(rig, load)
            await asyncio.sleep(3)
            for number in range(ROUNDS):
                takeovers += await asyncio.gather(*(_killed(rig, killer, service) for service in SERVICES))
                await rig.all_ready()
                takeovers += await asyncio.gather(*(_undead(rig, killer, service, number) for service in SERVICES))
                await asyncio.sleep(AWAKE_SECONDS)
        await rest(rig)
        findings = await check(rig, load.accepted)
        await check_mails(rig, killer.kills, findings)
        figures = {f"{one.service} {one.how} {index}": _words(one) for index, one in enumerate(takeovers)}
        Report("replicas", killer.kills, findings, figures).publish()
    slow = [asdict(one) for one in takeovers if max(one.leases, one.heard) > TAKEOVER_SECONDS]
    assert slow == []
    assert findings.bad == {}


async def _killed(rig: Rig, killer: Killer, service: str) -> Takeover:
    """The holder dies; it is started again when others do its work."""
    child, takeover = await taken_over(rig, killer, service, "killed", Moment.TRANSACTION, die)
    killer.kills.append(Kill(child.label, Moment.TRANSACTION, takeover.at, takeover.heard))
    child.start()
    return takeover


async def _undead(rig: Rig, killer: Killer, service: str, number: int) -> Takeover:
    """The holder sleeps until others do its work, and then goes on where it was."""
    moments = [Moment.TRANSACTION] if service == "reporting" else [Moment.TRANSACTION, Moment.PUBLISH]
    child, takeover = await taken_over(rig, killer, service, "zombie", moments[number % len(moments)], sleep)
    wake(child)
    await rig.ready(child)
    return takeover


def _words(one: Takeover) -> str:
    return (
        f"in {one.moment}: leases after {one.leases:.1f} s, all heard after {one.heard:.1f} s ({', '.join(one.names)})"
    )
