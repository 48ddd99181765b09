"""Agents come, go and change: said by people over HTTP, or by other systems on `agents.>` (decisions 31)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from libs.chassis.feed import Said
from libs.chassis.transaction import Transaction
from libs.contracts.agents import AgentPresenceReported, AgentRosterReported
from services.router.assignment.floor import Agent, Floor
from services.router.desk import Case, Desk
from services.router.seeding import say_agent

LISTS = ("skills", "queues")
REPORTED: Mapping[str, type[AgentPresenceReported] | type[AgentRosterReported]] = {
    "presence-reported": AgentPresenceReported,
    "roster-reported": AgentRosterReported,
}
"""What is understood on the feed, by the last token of its subject."""


async def change_agent(desk: Desk, agent: Agent, changes: Mapping[str, Any], actor: str | None = None) -> bool:
    """Change or add an agent: stored, said, tickets of one who left given to others. False if nothing changed.

    Whoever begins to take work in a queue joins its turns at the median (behaviour R-2). The caller finishes the desk.
    """
    known = desk.floor.agents.get(agent.key)
    before = replace(agent)
    for name, value in changes.items():
        setattr(agent, name, frozenset(value) if name in LISTS else value)
    if known is not None and agent == before:
        return False
    desk.floor.enter(agent)
    desk.floor.join(agent, _joined(before if known is not None else None, agent))
    await desk.store.save_agent(agent)
    say_agent(desk.transaction, agent, actor)
    if before.active and not agent.active:
        await _return_tickets(desk, agent)
    return True


async def on_reports(reports: Sequence[Said], transaction: Transaction) -> None:
    """What other systems say about agents. Presence of somebody we do not know is no news to us."""
    desk = await Desk.open(transaction)
    changed: set[str] = set()
    for report in reports:
        key, changes = _changes(report, desk.floor)
        agent = desk.floor.agents.get(key)
        if agent is None and not isinstance(report.data, AgentRosterReported):
            continue
        if await change_agent(desk, agent or Agent(key), changes, f"source:{report.source}"):
            changed.add(key)
    await desk.finish(changed)


def _changes(report: Said, floor: Floor) -> tuple[str, dict[str, Any]]:
    if isinstance(report.data, AgentPresenceReported):
        return report.data.key, {"presence": report.data.presence}
    assert isinstance(report.data, AgentRosterReported)
    content = report.data.model_dump(exclude={"key"}, exclude_none=True)
    if "queues" in content:
        content["queues"] = [queue for queue in content["queues"] if queue in floor.queues]
    return report.data.key, content


def _joined(before: Agent | None, agent: Agent) -> frozenset[str]:
    """The queues in which an agent begins to take work."""
    if not agent.takes_work:
        return frozenset()
    return agent.queues - before.queues if before is not None and before.takes_work else agent.queues


async def _return_tickets(desk: Desk, agent: Agent) -> None:
    """Everything open goes back to its queue with its age (behaviour R-7)."""
    owned = await desk.store.owned(agent.key)
    for ticket in owned:
        ticket.waits(ticket.queued_at or desk.transaction.now)
    desk.adopt(owned, Case("agent_left"))
