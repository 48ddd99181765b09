"""What time does: a queue opens, a wish ends, patience ends (behaviour R-4, R-5, T-4)."""

from collections.abc import Mapping, Sequence

from libs.chassis.timers import Due, TimerKind
from libs.chassis.transaction import Transaction
from services.router.desk import DRAIN, WAIT, Case, Desk
from services.router.store import Store


async def take_floor(keys: Sequence[str], transaction: Transaction) -> None:
    """Whoever arms one of these timers has the floor; so does whoever fires it."""
    await Store(transaction).lock()


async def drain(due: Sequence[Due], transaction: Transaction) -> None:
    """A queue opened, or had more to give out: its tickets go to whoever has room, in their order."""
    desk = await Desk.open(transaction)
    queues = {timer.key.removeprefix("queue:") for timer in due}
    await desk.finish(key for key, agent in desk.floor.agents.items() if agent.queues & queues)


async def wait_is_over(due: Sequence[Due], transaction: Transaction) -> None:
    """Tickets that still wait are planned again: a wish has dropped, or the overflow queue takes over."""
    desk = await Desk.open(transaction)
    found = await desk.store.tickets([timer.key for timer in due])
    waiting = [ticket for ticket in found.values() if ticket.waiting]
    for ticket in waiting:
        moved = desk.planner.overflows(ticket)
        desk.adopt([ticket], Case("overflowed" if moved else "waited", moved=moved))
    await desk.finish()


TIMERS: Mapping[str, TimerKind] = {DRAIN: TimerKind(take_floor, drain), WAIT: TimerKind(take_floor, wait_is_over)}
