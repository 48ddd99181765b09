"""A campaign: every part killed so many times under load, then a look at what became of everything."""

import random
import re
from time import monotonic

from tests.faults.harness.checker import check
from tests.faults.harness.killer import VICTIMS, Killer, moments_of
from tests.faults.harness.load import Rates, under_load
from tests.faults.harness.mail_check import check_mails
from tests.faults.harness.moments import Moment
from tests.faults.harness.report import Report
from tests.faults.harness.rest import rest
from tests.faults.harness.rig import Rig

NAMED = re.compile(r"[ |]*(\w+\.)*\w*(Error|Exception|Group|Refusal|NotReady)\b.*: ")


def plan(kills: int, seed: int) -> list[tuple[str, Moment]]:
    """Whom to kill in which moment: everybody `kills` times, moments in turn, in an order that mixes them."""
    strikes = [
        (victim, moments_of(victim)[number % len(moments_of(victim))]) for victim in VICTIMS for number in range(kills)
    ]
    random.Random(seed).shuffle(strikes)
    return strikes


async def campaign(rig: Rig, kills: int, rates: Rates, seed: int = 1) -> Report:
    """Kill everybody `kills` times, wait until the system is at rest, check."""
    began = monotonic()
    async with under_load(rig, rates) as load:
        killer = Killer(rig, load)
        for victim, moment in plan(kills, seed):
            await killer.kill(victim, moment)
    killed = monotonic()
    rested = await rest(rig)
    findings = await check(rig, load.accepted)
    await check_mails(rig, killer.kills, findings)
    findings.add("service died by itself", died_by_themselves(rig, killer))
    figures = {"seconds of killing": round(killed - began, 1), "seconds until at rest": round(rested, 1)}
    return Report("kills", killer.kills, findings, figures)


def died_by_themselves(rig: Rig, killer: Killer) -> list[str]:
    """Services that were started more often than they were killed."""
    found = []
    for label, pids in rig.starts.items():
        killed = sum(kill.victim == label for kill in killer.kills)
        if len(pids) - 1 > killed:
            found.append(f"{label}: {len(pids) - 1 - killed} times; {_faults(rig, label)}")
    return found


def _faults(rig: Rig, label: str) -> list[str]:
    """What its log names as errors, in tracebacks that are not of the log itself."""
    lines = rig.stack.child(label).last_words(100_000).splitlines()
    return [line.strip(" |") for line in lines if NAMED.match(line)]
