"""Open clocks under a changed configuration: each is computed anew once, and what moved is said (behaviour L-15)."""

import asyncio
from datetime import datetime

from libs.chassis.pause import pause
from libs.chassis.resources import Resources, Worker
from libs.chassis.simulation import Work
from libs.chassis.transaction import Transaction
from services.sla.domain.decide import recomputed
from services.sla.domain.due import next_due
from services.sla.domain.speak import after_fact
from services.sla.domain.state import State
from services.sla.handlers import rules_in_force, set_timer, speak
from services.sla.rules import Rules
from services.sla.store import Kept, Store

BATCH = 500
POLL_SECONDS = 1.0


async def run(resources: Resources, over: asyncio.Event) -> None:
    """Follow the configuration and the schedules of queues until `over`."""
    done: str | None = None
    while not over.is_set():
        if resources.configuration.ready:
            done = await follow(resources, done, over)
        await pause(over, POLL_SECONDS)


async def follow(resources: Resources, done: str | None, over: asyncio.Event) -> str | None:
    """Bring every open ticket under what is in force, if that is not `done`; gives what is done then."""
    after: str | None = ""
    postponed = False
    while after is not None and not over.is_set():
        async with resources.transactions.begin() as transaction:
            rules = await rules_in_force(Store(transaction), transaction)
            if rules.basis == done:
                return done
            after, left = await _batch(rules, transaction, after)
            postponed = postponed or left
    return done if postponed or over.is_set() else rules.basis


async def _batch(rules: Rules, transaction: Transaction, after: str) -> tuple[str | None, bool]:
    """One batch: the last id, None at the end, and whether tickets were left for the next round."""
    store = Store(transaction)
    ids = await store.outdated(rules.basis, after, BATCH)
    kept = await store.load(ids)
    ripe = {id: one for id, one in kept.items() if _can_be_moved(one, transaction.now)}
    for one in ripe.values():
        _recompute(one, rules, transaction)
    store.save(ripe)
    return (ids[-1] if len(ids) == BATCH else None), len(ripe) < len(kept)


def _can_be_moved(one: Kept, now: datetime) -> bool:
    """Not while its timer is due: what is overdue is judged by the rules it was promised under."""
    due = next_due(one.clocks)
    return due is None or due > now


def _recompute(one: Kept, rules: Rules, transaction: Transaction) -> None:
    was_due = next_due(one.clocks)
    after = recomputed(one.clocks, State(one.state), transaction.now, rules)
    one.clocks = speak(after_fact(one.clocks, after, False, transaction.now, rules), transaction, "configuration")
    one.basis = rules.basis
    set_timer(one.clocks, transaction, was_due)


async def left(resources: Resources, now: datetime) -> Work:
    """Simulated time waits while there are open tickets to bring under a new configuration."""
    async with resources.transactions.begin() as transaction:
        store = Store(transaction)
        rules = await rules_in_force(store, transaction)
        kept = await store.load(await store.outdated(rules.basis, "", BATCH))
    return Work(busy=any(_can_be_moved(one, now) for one in kept.values()))


RECOMPUTE = Worker("recompute", run, leased=True, left=left)
