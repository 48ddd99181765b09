"""Promises, one message at a time: the same policies and the same business hours, two clocks a ticket."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.naive.role import Role, Work
from benchmarks.naive.rows import Rows
from libs.contracts.event import Speaker
from libs.contracts.sla import Metric, Target, TargetsSet, TargetState
from libs.contracts.ticket import TicketChanged, TicketOpened
from libs.contracts.ticket_state import TicketState
from services.sla.rules import Terms, parse

CLOCKS = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)


class TicketRow(Rows):
    """A ticket as its clocks need it."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    policy: Mapped[str | None]
    schedule: Mapped[str]
    final: Mapped[bool] = mapped_column(default=False)
    said: Mapped[int] = mapped_column(default=0)


class ClockRow(Rows):
    """One promise."""

    __tablename__ = "clocks"

    ticket: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[int]
    deadline: Mapped[datetime]
    warn_at: Mapped[datetime]


class TimerRow(Rows):
    """When to look at a clock again."""

    __tablename__ = "timers"

    ticket: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)


role = Role(Speaker.SLA)
rules = parse(role.files)


@role.hears(TicketOpened)
async def on_opened(opened: TicketOpened, work: Work) -> None:
    """The clocks start; they are told when the ticket is routed."""
    state = work.ticket
    terms = rules.terms(state)
    work.session.add(TicketRow(id=state.id, created_at=state.created_at, policy=terms.policy, schedule=terms.schedule))
    _set_clocks(work, state, terms, {}, {})


@role.hears(TicketChanged)
async def on_changed(changed: TicketChanged, work: Work) -> None:
    """Promises follow priority and queue; the first after routing are final."""
    ticket, state = await work.the(TicketRow, work.subject), work.ticket
    terms = rules.terms(state)
    ticket.policy, ticket.schedule = terms.policy, terms.schedule
    known = {row.metric: row for row in await work.session.scalars(select(ClockRow).filter_by(ticket=state.id))}
    timers = {row.kind: row for row in await work.session.scalars(select(TimerRow).filter_by(ticket=state.id))}
    clocks = _set_clocks(work, state, terms, known, timers)
    final, ticket.final = state.routed and not ticket.final, state.routed
    ticket.said += 1
    targets = tuple(map(_target, clocks))
    said = TargetsSet(targets=targets, policy=terms.policy, schedule=terms.schedule, final=final)
    work.say(said, ticket.said)


def _set_clocks(
    work: Work, state: TicketState, terms: Terms, clocks: Mapping[str, ClockRow], timers: Mapping[str, TimerRow]
) -> list[ClockRow]:
    """Both clocks and their timers, made or moved."""
    hours = rules.worktime(terms.schedule)
    found = []
    for metric in CLOCKS:
        target = terms.target(metric)
        if target is None:
            continue
        deadline = hours.add(state.created_at, target)
        warn_at = hours.add(state.created_at, target * rules.promises.warn_at)
        clock = clocks.get(metric) or ClockRow(ticket=state.id, metric=metric.value)
        clock.target, clock.deadline, clock.warn_at = target, deadline, warn_at
        work.session.add(clock)
        for kind, due_at in ((f"warn-{metric}", warn_at), (f"breach-{metric}", deadline)):
            timer = timers.get(kind) or TimerRow(ticket=state.id, kind=kind)
            timer.due_at = due_at
            work.session.add(timer)
        found.append(clock)
    return found


def _target(clock: ClockRow) -> Target:
    return Target(
        metric=Metric(clock.metric),
        instance=1,
        state=TargetState.RUNNING,
        deadline=clock.deadline,
        warn_at=clock.warn_at,
        target_seconds=clock.target,
    )
