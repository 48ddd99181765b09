"""Guarantee 1: what was accepted is never lost, and nothing is done twice, whatever is killed and whenever."""

import os

from tests.faults.harness.campaign import campaign
from tests.faults.harness.load import Rates
from tests.faults.harness.rig import running_rig

KILLS = int(os.environ.get("SIGNALBOX_FAULT_KILLS", "10"))


async def test_1_kill_9_of_every_part_loses_nothing_and_does_nothing_twice() -> None:
    async with running_rig() as rig:
        report = await campaign(rig, KILLS, Rates())
        report.publish()
    assert report.findings.bad == {}
    assert all(kill.back < 60 for kill in report.kills)
