"""The router, one message at a time: the same rules, a rotation in PostgreSQL."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.naive.role import Role, Work
from benchmarks.naive.rows import Rows
from libs.contracts.event import Speaker
from libs.contracts.identifiers import uuid7
from libs.contracts.routing import TicketRouted
from libs.contracts.sla import TargetsSet, TargetState
from libs.contracts.ticket import TicketChanged, TicketOpened
from services.router.assignment.deciding import ask_rules
from services.router.assignment.explanation import ENGINE
from services.router.assignment.floor import Floor
from services.router.assignment.ruling import Ruling
from services.router.configuration import parse


class TicketRow(Rows):
    """A ticket as the router needs it."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    queue: Mapped[str | None]
    assignee: Mapped[str | None] = mapped_column(index=True)
    reserved: Mapped[str | None]
    deadline: Mapped[datetime | None]
    said: Mapped[int] = mapped_column(default=0)


class AgentRow(Rows):
    """Who works tickets."""

    __tablename__ = "agents"

    key: Mapped[str] = mapped_column(primary_key=True)
    skills: Mapped[list[str]]
    queues: Mapped[list[str]]
    capacity: Mapped[int | None]
    load: Mapped[int] = mapped_column(default=0)


class TurnRow(Rows):
    """How often an agent had a turn in a queue."""

    __tablename__ = "turns"

    queue: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class DecisionRow(Rows):
    """Why a ticket is where it is."""

    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    queue: Mapped[str]
    assignee: Mapped[str | None]
    explanation: Mapped[dict[str, Any]]


async def seed(session: AsyncSession) -> None:
    """Agents and queues of an empty router."""
    if await session.scalar(select(AgentRow).limit(1)) is not None:
        return
    for agent in configuration.roster.people():
        session.add(
            AgentRow(key=agent.key, skills=sorted(agent.skills), queues=sorted(agent.queues), capacity=agent.capacity)
        )
        session.add_all(TurnRow(queue=queue, agent=agent.key) for queue in agent.queues)


role = Role(Speaker.ROUTER, seed)
configuration = parse(role.files)
floor = Floor({queue.key: queue for queue in configuration.roster.places()}, {})


@role.hears(TicketOpened)
async def on_opened(opened: TicketOpened, work: Work) -> None:
    """The rules decide the queue, the rotation the agent."""
    state, texts = work.ticket, {"subject": opened.subject, "body": opened.text}
    ruling = ask_rules(configuration, floor, configuration.hours(work.now), state, texts=texts, kept=frozenset())
    agent = await _next_agent(work, ruling)
    decision = TicketRouted(
        decision_id=uuid7(work.now, 0, secrets.randbits(62)),
        epoch=state.epoch,
        fields=ruling.fields,
        queue=ruling.queue,
        assignee=agent,
        fallback=ruling.decision.fallback,
        reason="assigned" if agent else "no_agent_available",
    )
    work.session.add(_explained(work, decision, ruling))
    work.session.add(
        TicketRow(id=state.id, epoch=state.epoch, queue=ruling.queue, reserved=decision.decision_id, said=1)
    )
    work.say(decision, 1)


@role.hears(TicketChanged)
async def on_changed(changed: TicketChanged, work: Work) -> None:
    """A reservation becomes an assignment."""
    ticket, state = await work.the(TicketRow, work.subject), work.ticket
    if work.headers.get("ce-cause") == ticket.reserved:
        ticket.reserved = None
    ticket.epoch, ticket.queue, ticket.assignee = state.epoch, state.queue, state.assignee


@role.hears(TargetsSet)
async def on_targets_set(targets: TargetsSet, work: Work) -> None:
    """The earliest deadline says who is next."""
    ticket = await work.the(TicketRow, work.subject)
    running = [one.deadline for one in targets.targets if one.state is TargetState.RUNNING and one.deadline]
    ticket.deadline = min(running, default=None)


async def _next_agent(work: Work, ruling: Ruling) -> str | None:
    """The agent with the fewest turns who has the skills and room."""
    able = (
        select(AgentRow, TurnRow)
        .join(TurnRow, TurnRow.agent == AgentRow.key)
        .where(TurnRow.queue == ruling.queue, AgentRow.skills.contains(list(ruling.requirements.required)))
        .where((AgentRow.capacity.is_(None)) | (AgentRow.load < AgentRow.capacity))
        .order_by(TurnRow.count, AgentRow.key)
        .limit(1)
        .with_for_update()
    )
    found = (await work.session.execute(able)).first()
    if found is None:
        return None
    agent, turn = found
    agent.load += 1
    turn.count += 1
    return str(agent.key)


def _explained(work: Work, decision: TicketRouted, ruling: Ruling) -> DecisionRow:
    explanation = {"engine": ENGINE, "in_hours": ruling.in_hours, **ruling.decision.plain()}
    return DecisionRow(
        id=decision.decision_id,
        ticket=work.subject,
        at=work.now,
        queue=ruling.queue,
        assignee=decision.assignee,
        explanation=explanation,
    )
