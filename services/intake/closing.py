"""What happens when time has passed: resolved tickets close, those that wait are remembered (behaviour K-1, K-2), old
conversations and uploads go.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.chassis.timers import Due, TimerKind
from libs.chassis.transaction import Transaction
from services.intake import uploads
from services.intake.domain.changing import auto_close
from services.intake.domain.ticket import Ticket
from services.intake.domain.waiting import next_step, take_step
from services.intake.feed import EXPIRE, expire, lock_nothing
from services.intake.store import AUTO_CLOSE, WAITING, Store

LOOK_AGAIN, PATIENCE = timedelta(seconds=1), timedelta(minutes=1)
UNREAD = "SELECT min(received_at) FROM inbound_mail WHERE disposition = 'received'"


async def lock(keys: Sequence[str], transaction: Transaction) -> None:
    """The tickets, before their timers."""
    await Store(transaction).lock(keys)


async def close(due: Sequence[Due], transaction: Transaction) -> None:
    """Close each ticket whose time has come; one that somebody wrote on meanwhile has another time by now.

    A mail that came before its time and is not read yet may be the customer's answer: closing waits for it, a minute at
    most (behaviour K-2).
    """
    store, now = Store(transaction), transaction.now
    tickets = await store.tickets({timer.key for timer in due})
    ripe = [ticket for ticket in tickets.values() if ticket.close_at is not None and ticket.close_at <= now]
    unread = await transaction.connection.fetchval(UNREAD) if ripe else None
    waiting = {ticket.id for ticket in ripe if unread is not None and _may_answer(unread, ticket, now)}
    for id in waiting:
        transaction.arm(id, AUTO_CLOSE, now + LOOK_AGAIN)
    await store.save([auto_close(ticket, store.statuses, now) for ticket in ripe if ticket.id not in waiting])


async def take_steps(due: Sequence[Due], transaction: Transaction) -> None:
    """Remind of tickets that wait, or move them on (behaviour K-2). With a new configuration it may not be time yet."""
    store, now = Store(transaction), transaction.now
    tickets = await store.tickets({timer.key for timer in due})
    decisions = [take_step(ticket, store.statuses, now) for ticket in tickets.values()]
    await store.save(decisions)
    for decision in decisions:
        step = next_step(decision.ticket, store.statuses)
        if step is not None:
            transaction.arm(decision.ticket.id, WAITING, step.due)


def _may_answer(received_at: datetime, ticket: Ticket, now: datetime) -> bool:
    assert ticket.close_at is not None
    return received_at <= ticket.close_at and now - ticket.close_at < PATIENCE


TIMERS = {
    AUTO_CLOSE: TimerKind(lock, close),
    WAITING: TimerKind(lock, take_steps),
    EXPIRE: TimerKind(lock_nothing, expire),
    uploads.EXPIRE: TimerKind(uploads.lock, uploads.expire),
}
"""Every kind of timer intake has."""
