"""Guarantee 7, from outside: a broker that loses everything, or its last minutes, costs a minute and no fact."""

import asyncio
from pathlib import Path

from tests.faults.harness.checker import check
from tests.faults.harness.findings import Findings
from tests.faults.harness.load import Load, Rates, under_load
from tests.faults.harness.loss import caught_up, deafen, go_back, missing, photograph, published, undeafen, wipe
from tests.faults.harness.mail_check import check_mails
from tests.faults.harness.report import Report
from tests.faults.harness.rest import rest
from tests.faults.harness.rig import Rig, running_rig

MINUTE = 60.0
UNDELIVERED_SECONDS = 10.0
"""Longer than a hearer's open request for messages lives: what is said last waits in the stream only."""
RATES = Rates(chats=4, mails=2)


async def test_3_hearers_of_a_wiped_broker_come_to_the_same_state_within_a_minute() -> None:
    async with running_rig() as rig:
        async with under_load(rig, RATES) as load:
            await asyncio.sleep(6)
            deafen(rig)
            await asyncio.sleep(UNDELIVERED_SECONDS)
        await _all_asked_have_tickets(rig, load)
        await published(rig, "intake")
        lost = await missing(rig)
        wipe(rig)
        undeafen(rig)
        took = await caught_up(rig, MINUTE)
        findings = await _at_rest(rig, load)
        Report(
            "wiped broker", (), findings, {"facts lost with it": lost, "seconds until all was heard": took}
        ).publish()
    assert lost > 0
    assert findings.bad == {}


async def test_3_hearers_of_a_broker_that_lost_its_tail_come_to_the_same_state_within_a_minute(tmp_path: Path) -> None:
    async with running_rig() as rig:
        async with under_load(rig, RATES) as load:
            await asyncio.sleep(4)
            photograph(rig, tmp_path / "store")
            await asyncio.sleep(6)
            deafen(rig)
            await asyncio.sleep(UNDELIVERED_SECONDS)
        await _all_asked_have_tickets(rig, load)
        await published(rig, "intake")
        lost = await missing(rig)
        go_back(rig, tmp_path / "store")
        undeafen(rig)
        took = await caught_up(rig, MINUTE)
        async with under_load(rig, RATES) as more:
            await asyncio.sleep(3)
        load.accepted.add(more.accepted)
        findings = await _at_rest(rig, load)
        Report("lost tail", (), findings, {"facts lost with it": lost, "seconds until all was heard": took}).publish()
    assert lost > 0
    assert findings.bad == {}


async def _all_asked_have_tickets(rig: Rig, load: Load) -> None:
    """What only CONVERSATIONS holds is lost with it; what intake has taken in is not."""
    asked = [chat.id for chat in load.accepted.chats]
    messages = sum(len(chat.messages) for chat in load.accepted.chats)
    async with asyncio.timeout(20):
        while (
            await rig.value("SELECT count(*) FROM intake.tickets WHERE conversation_id = ANY($1::text[])", asked)
            < len(asked)
            or await rig.value("SELECT count(*) FROM intake.messages WHERE conversation_id = ANY($1::text[])", asked)
            < messages
        ):
            await asyncio.sleep(0.1)


async def _at_rest(rig: Rig, load: Load) -> Findings:
    await rest(rig)
    findings = await check(rig, load.accepted)
    await check_mails(rig, (), findings)
    return findings
