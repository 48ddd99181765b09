"""Mails that left twice, and whether SMTP itself left that open (decisions 20)."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from signalbox.spool import read_spool
from tests.faults.harness.findings import Findings
from tests.faults.harness.killer import DATABASE, Kill
from tests.faults.harness.rig import Rig

WINDOW = timedelta(seconds=5)
"""Between the mail server's having a mail and our having written that down."""


async def check_mails(rig: Rig, kills: Sequence[Kill], findings: Findings) -> int:
    """How many mails left twice. Each must have a kill of its own, within the window after its first copy."""
    sent = await rig.rows(
        "SELECT message_id FROM notifier.notices WHERE way = 'mail' AND state IN ('sent', 'unknown') "
        "AND message_id IS NOT NULL"
    )
    noticed = {row["id"] for row in await rig.rows("SELECT id FROM notifier.notices WHERE way = 'mail'")}
    noticed |= {row["message_id"] for row in sent}
    copies: dict[str, list[datetime]] = defaultdict(list)
    for mail in await asyncio.to_thread(lambda: list(read_spool(rig.stack.spool.folder))):
        copies[mail.message_id].append(mail.stored_at)
    findings.add("mail of no notice", [id for id in copies if not noticed & {id, _notice(id)}])
    findings.add("lost: notice said to be sent", [row[0] for row in sent if row[0] not in copies])
    open_windows = [kill.at for kill in kills if kill.victim.startswith("notifier") or kill.victim == DATABASE]
    unexplained = []
    again = [(id, times[nth]) for id, times in copies.items() for nth in range(len(times) - 1)]
    for id, first in again:
        kill = next((at for at in open_windows if first - WINDOW / 5 <= at <= first + WINDOW), None)
        if kill is None:
            unexplained.append(f"{id} first at {first}")
        else:
            open_windows.remove(kill)
    findings.add("duplicate: mail outside of the window that SMTP leaves open", unexplained)
    findings.looked_at |= {"mails out": sum(map(len, copies.values())), "mails out twice, in SMTP's window": len(again)}
    return len(again)


def _notice(message_id: str) -> str:
    """The notice in a Message-ID of ours: of one whose outcome is unknown nothing else is written down."""
    return [*message_id.split("."), "", ""][2]
