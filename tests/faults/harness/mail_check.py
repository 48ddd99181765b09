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
STOPPED, UNANSWERED = "the sender stopped while it was sending", "the mail server did not say"


async def check_mails(rig: Rig, kills: Sequence[Kill], findings: Findings) -> int:
    """How many mails left twice. The ledger must say why each was sent again: the mail server never answered, or the
    sender stopped, which takes a kill of its own within the window after the first copy."""
    notices = await rig.rows("SELECT id, message_id, state, attempts, reason FROM notifier.notices WHERE way = 'mail'")
    known = {row["id"]: row for row in notices} | {row["message_id"]: row for row in notices}
    copies: dict[str, list[datetime]] = defaultdict(list)
    for mail in await asyncio.to_thread(lambda: list(read_spool(rig.stack.spool.folder))):
        copies[mail.message_id].append(mail.stored_at)
    findings.add("mail of no notice", [id for id in copies if not known.keys() & {id, _notice(id)}])
    sent = [row["message_id"] for row in notices if row["state"] == "sent"]
    findings.add("lost: notice said to be sent", [id for id in sent if id not in copies])
    again = sorted((first, id) for id, times in copies.items() for first in times[:-1])
    open_windows = [kill.at for kill in kills if kill.victim.startswith("notifier") or kill.victim == DATABASE]
    unexplained = []
    for first, id in again:
        row = known.get(id) or known.get(_notice(id))
        reason = row["reason"] or "" if row else ""
        kill = next((at for at in open_windows if first - WINDOW / 5 <= at <= first + WINDOW), None)
        if reason == STOPPED and kill is not None:
            open_windows.remove(kill)
        elif not reason.startswith(UNANSWERED):
            unexplained.append(f"{id} at {copies[id]}: {reason!r}; kills at {[kill.at for kill in kills]}")
    findings.add("duplicate: mail outside of the window that SMTP leaves open", unexplained)
    findings.looked_at |= {"mails out": sum(map(len, copies.values())), "mails out twice, in SMTP's window": len(again)}
    return len(again)


def _notice(message_id: str) -> str:
    """The notice in a Message-ID of ours (t.TICKET.NOTICE.CODE@domain): of one that was never settled nothing else is
    written down."""
    return [*message_id.split("."), "", ""][2]
