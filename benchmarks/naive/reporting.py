"""Reporting, one message at a time: what every ticket came to, and counters by day."""

from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.naive.role import Role, Work
from benchmarks.naive.rows import Rows
from libs.contracts.notice import NoticeSent
from libs.contracts.routing import TicketRouted
from libs.contracts.ticket import TicketChanged, TicketOpened


class TicketRow(Rows):
    """A ticket as it is counted."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    channel: Mapped[str]
    priority: Mapped[str | None]
    category: Mapped[str | None]
    queue: Mapped[str | None]
    assignee: Mapped[str | None]
    routed_at: Mapped[datetime | None]
    fallback: Mapped[bool | None]
    assigned_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]


class CounterRow(Rows):
    """How many of something happened on a day."""

    __tablename__ = "counters"

    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


COUNT = (
    insert(cast(Table, CounterRow.__table__))
    .values(day=bindparam("day"), name=bindparam("name"), count=1)
    .on_conflict_do_update(index_elements=["day", "name"], set_={"count": CounterRow.count + 1})
)

role = Role(None)


@role.hears(TicketOpened)
async def on_opened(opened: TicketOpened, work: Work) -> None:
    """A ticket more."""
    state = work.ticket
    work.session.add(TicketRow(id=state.id, created_at=state.created_at, channel=state.channel))
    await _count(work, "opened")


@role.hears(TicketRouted)
async def on_routed(routed: TicketRouted, work: Work) -> None:
    """When it was routed."""
    ticket = await work.the(TicketRow, work.subject)
    ticket.routed_at, ticket.fallback = work.said_at, routed.fallback
    await _count(work, "routed")


@role.hears(TicketChanged)
async def on_changed(changed: TicketChanged, work: Work) -> None:
    """What it is now."""
    ticket, state = await work.the(TicketRow, work.subject), work.ticket
    ticket.priority, ticket.category, ticket.queue = state.priority, state.category, state.queue
    if state.assignee is not None and ticket.assignee is None:
        ticket.assigned_at = work.said_at
        await _count(work, "assigned")
    ticket.assignee = state.assignee


@role.hears(NoticeSent)
async def on_notice_sent(sent: NoticeSent, work: Work) -> None:
    """When the customer was told."""
    ticket = await work.the(TicketRow, work.subject)
    ticket.acknowledged_at = work.said_at
    await _count(work, "acknowledged")


async def _count(work: Work, name: str) -> None:
    await work.session.execute(COUNT, {"day": work.said_at.date(), "name": name})
