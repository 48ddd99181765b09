"""Compares what was accepted with what the services' tables say, read as superuser, without any service's code."""

from collections import Counter

from signalbox.services import SERVICES
from tests.faults.harness.accepted import Accepted
from tests.faults.harness.doors import SOURCE
from tests.faults.harness.findings import Findings
from tests.faults.harness.moments import SAYING
from tests.faults.harness.rest import unheard
from tests.faults.harness.rig import Rig

HEARERS = ("router", "sla", "notifier")
"""Services with a table `tickets` that has a row for each of intake's."""

LATEST = """
SELECT DISTINCT ON (subject) subject, ticket FROM intake.events WHERE ticket IS NOT NULL ORDER BY subject, n DESC
"""
TRUE_LOADS = f"""
WITH latest AS ({LATEST})
SELECT ticket->>'assignee' AS agent, count(*)::int AS load FROM latest JOIN intake.tickets t ON t.id = latest.subject
WHERE ticket->>'assignee' IS NOT NULL AND coalesce((ticket->>'counts')::boolean, true)
      AND t.removed IS NULL AND t.merged_into IS NULL
GROUP BY 1
"""
ASSIGNED_TWICE = """
SELECT subject FROM intake.events
WHERE type = 'signalbox.ticket.changed.v1' AND data->'changes'->'assignee'->>'new' IS NOT NULL
GROUP BY subject HAVING count(*) > 1
"""
APPLIED = """
SELECT r.data->>'decision_id' AS decision, count(i.n) AS times
FROM router.events r LEFT JOIN intake.events i ON i.subject = r.subject AND i.cause = r.data->>'decision_id'
WHERE r.type = 'signalbox.routing.routed.v1' GROUP BY 1 HAVING count(i.n) <> 1
"""
NOT_CONSECUTIVE = """
SELECT subject FROM {speaker}.events GROUP BY subject HAVING min(n) <> 1 OR max(n) <> count(*)
"""
TIMELINE = """
SELECT e.subject || ' ' || e.n FROM {speaker}.events e
LEFT JOIN intake.timeline t ON t.ticket_id = e.subject AND t.speaker = '{speaker}' AND t.n = e.n
WHERE e.subject NOT LIKE '%:%' AND t.n IS NULL
"""
DECIDED_TWICE = """
SELECT subject || ' ' || (data->>'metric') || ' ' || coalesce(data->>'instance', '') FROM sla.events
WHERE type IN ('signalbox.sla.warned.v1', 'signalbox.sla.decided.v1')
GROUP BY subject, data->>'metric', data->>'instance', type HAVING count(*) > 1
"""
REPORTED = """
SELECT i.id FROM intake.tickets i FULL JOIN reporting.tickets_{copy} r ON r.id = i.id
WHERE i.id IS NULL OR r.id IS NULL OR r.status <> i.status OR r.status_category <> i.status_category
      OR r.assignee <> coalesce(i.assignee, '') OR r.queue <> coalesce(i.queue, '')
"""


async def check(rig: Rig, accepted: Accepted) -> Findings:
    """Everything that must hold of a system at rest."""
    findings = Findings({"accepted": accepted.facts, "resends": accepted.resends})
    await _chats(rig, accepted, findings)
    await _mails(rig, accepted, findings)
    await _replies(rig, accepted, findings)
    await _numbers(rig, findings)
    await _set_aside(rig, findings)
    await _assignment(rig, findings)
    await _projections(rig, findings)
    return findings


async def _chats(rig: Rig, accepted: Accepted, findings: Findings) -> None:
    tickets = Counter(
        row["conversation_id"]
        for row in await rig.rows("SELECT conversation_id FROM intake.tickets WHERE source = $1", SOURCE)
    )
    messages = Counter(
        (row["conversation_id"], row["seq"], row["text"])
        for row in await rig.rows("SELECT conversation_id, seq, text FROM intake.messages WHERE source = $1", SOURCE)
    )
    asked = [chat for chat in accepted.chats if chat.asked]
    findings.add("lost: conversation without its ticket", [chat.id for chat in asked if not tickets[chat.id]])
    findings.add("duplicate: second ticket of a conversation", [id for id, times in tickets.items() if times > 1])
    said = [(chat.id, seq, text) for chat in accepted.chats for seq, text in chat.messages.items()]
    findings.add("lost: message of a conversation", [str(key) for key in said if not messages[key]])
    findings.add("duplicate: message of a conversation", [str(key) for key, times in messages.items() if times > 1])
    findings.looked_at |= {"conversations": len(asked), "messages of conversations": len(said)}


async def _mails(rig: Rig, accepted: Accepted, findings: Findings) -> None:
    subjects = [row["subject"] for row in await rig.rows("SELECT subject FROM intake.tickets WHERE channel = 'email'")]
    tickets = Counter(subject.rpartition(" ")[2] for subject in subjects)
    findings.add("lost: mail without its ticket", [mail.mark for mail in accepted.mails if not tickets[mail.mark]])
    findings.add("duplicate: second ticket of a mail", [mark for mark, times in tickets.items() if times > 1])
    findings.looked_at["mails"] = len(accepted.mails)


async def _replies(rig: Rig, accepted: Accepted, findings: Findings) -> None:
    rows = await rig.rows("SELECT id, text, delivery FROM intake.messages WHERE kind = 'agent'")
    times = Counter(row["text"].rpartition(" ")[2] for row in rows)
    delivered = {row["id"]: row["delivery"] for row in rows}
    findings.add("lost: answer of an agent", [reply.mark for reply in accepted.replies if not times[reply.mark]])
    findings.add("duplicate: answer of an agent", [mark for mark, count in times.items() if count > 1])
    notices = {
        row["source_message"]: f"{row['state']}: {row['reason']}"
        for row in await rig.rows("SELECT source_message, state, reason FROM notifier.notices WHERE kind = 'reply'")
    }
    unsent = [
        f"{reply.mark} is {delivered.get(reply.message_id)}, its notice {notices.get(reply.message_id)}"
        for reply in accepted.replies
        if delivered.get(reply.message_id) != "sent"
    ]
    findings.add("lost: answer of an agent that nobody sent", unsent)
    findings.looked_at["answers of agents"] = len(accepted.replies)


async def _numbers(rig: Rig, findings: Findings) -> None:
    for speaker in SAYING:
        rows = await rig.rows(NOT_CONSECUTIVE.format(speaker=speaker))
        findings.add(f"numbers of {speaker} not consecutive", [row["subject"] for row in rows])
        findings.looked_at[f"facts of {speaker}"] = int(await rig.value(f"SELECT count(*) FROM {speaker}.events"))
    behind = await unheard(rig)
    findings.add("not heard to the end", [f"{name}: {count}" for name, count in behind.items() if count])
    for speaker in HEARERS:
        rows = await rig.rows(TIMELINE.format(speaker=speaker))
        findings.add(f"heard but not applied: {speaker} at intake", [row[0] for row in rows])


async def _set_aside(rig: Rig, findings: Findings) -> None:
    for service in SERVICES:
        parked = await rig.rows(f"SELECT speaker, subject, n, reason FROM {service}.parked WHERE state = 'parked'")
        findings.add("parked", [f"{service}: {row['speaker']} {row['subject']} {row['reason']}" for row in parked])
        held = await rig.rows(f"SELECT subject, n FROM {service}.held")
        findings.add("held", [f"{service}: {row['subject']} {row['n']}" for row in held])
        unpublished = await rig.rows(f"SELECT xid, facts FROM {service}.outbox")
        findings.add("outbox", [f"{service}: {row['facts']} of {row['xid']}" for row in unpublished])


async def _assignment(rig: Rig, findings: Findings) -> None:
    twice = [row["subject"] for row in await rig.rows(ASSIGNED_TWICE)]
    findings.add("duplicate: ticket assigned twice", twice)
    applied = [f"{row['decision']}: {row['times']} times" for row in await rig.rows(APPLIED)]
    findings.add("decision not applied exactly once", applied)
    reserved = await rig.rows("SELECT id FROM router.tickets WHERE reserved IS NOT NULL")
    findings.add("reservation not settled", [row["id"] for row in reserved])
    true = {row["agent"]: row["load"] for row in await rig.rows(TRUE_LOADS)}
    loads = {row["key"]: row["load"] for row in await rig.rows("SELECT key, load FROM router.agents")}
    wrong = [f"{agent}: {load}, is {true.get(agent, 0)}" for agent, load in loads.items() if load != true.get(agent, 0)]
    findings.add("load of an agent wrong", wrong)
    unassigned = await rig.rows("SELECT id FROM intake.tickets WHERE assignee IS NULL")
    findings.add("ticket without an assignee", [row["id"] for row in unassigned])


async def _projections(rig: Rig, findings: Findings) -> None:
    copy = await rig.value("SELECT copy FROM reporting.live_copy")
    reported = [str(row["id"]) for row in await rig.rows(REPORTED.format(copy=copy))]
    findings.add("reporting knows another state of a ticket", reported)
    for service in HEARERS:
        rows = await rig.rows(
            f"SELECT coalesce(i.id, h.id) AS id FROM intake.tickets i FULL JOIN {service}.tickets h ON h.id = i.id "
            "WHERE i.id IS NULL OR h.id IS NULL"
        )
        findings.add(f"{service} knows other tickets", [row["id"] for row in rows])
    twice = [row[0] for row in await rig.rows(DECIDED_TWICE)]
    findings.add("duplicate: clock warned or decided twice", twice)
    findings.looked_at["tickets"] = int(await rig.value("SELECT count(*) FROM intake.tickets"))
