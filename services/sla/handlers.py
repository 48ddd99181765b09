"""What sla hears, and the way every batch takes: load, decide, say, save."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from libs.chassis.timers import Due, TimerKind
from libs.chassis.transaction import Transaction
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.routing import QueueChanged
from libs.contracts.ticket import (
    TicketAbsorbed,
    TicketChanged,
    TicketDeliveryFailed,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketRemoved,
    TicketRestored,
    TicketSeparated,
    TicketUnmerged,
)
from services.sla.domain import decide, leaving
from services.sla.domain.clock import TicketClocks
from services.sla.domain.due import after_time, next_due
from services.sla.domain.speak import Spoken, after_fact
from services.sla.domain.state import State
from services.sla.rules import Rules
from services.sla.store import Kept, Store

DECIDES: dict[type[Event], decide.Decide[Any]] = {
    TicketChanged: decide.changed,
    TicketMessageAdded: decide.message_added,
    TicketMerged: leaving.merged,
    TicketUnmerged: leaving.unmerged,
    TicketAbsorbed: leaving.absorbed,
    TicketSeparated: leaving.separated,
    TicketRemoved: leaving.removed,
    TicketRestored: leaving.restored,
    TicketDeliveryFailed: decide.delivery_failed,
}
BY_TYPE = {event.TYPE: decide for event, decide in DECIDES.items()}
HEARS: tuple[type[Event], ...] = (TicketOpened, *DECIDES, QueueChanged)

CLOCK = "clock"
"""The one timer of a ticket, set to whatever is due next: a warning, a breach, or targets that become final."""


async def handle(facts: Sequence[Fact[Any]], transaction: Transaction) -> None:
    """The facts of a batch, in order. A fact about a ticket that was never opened here cannot come (decisions 2)."""
    store = Store(transaction)
    queues = [fact.data for fact in facts if fact.type == QueueChanged.TYPE]
    if queues:
        await store.save_queues(queues)
    about_tickets = [fact for fact in facts if fact.type in TYPES]
    if not about_tickets:
        return
    rules = await rules_in_force(store, transaction)
    kept = await store.load({fact.subject for fact in about_tickets} - _new(about_tickets))
    was_due = {id: next_due(one.clocks) for id, one in kept.items()}
    for fact in about_tickets:
        _apply(fact, kept, rules, transaction)
    for id, one in kept.items():
        set_timer(one.clocks, transaction, was_due.get(id))
    store.save(kept)


async def rules_in_force(store: Store, transaction: Transaction) -> Rules:
    """The configuration of this transaction, with the schedules of the queues as they are now."""
    parsed: Rules = transaction.config.parsed
    return parsed.with_queues(await store.queues(), transaction.config.version)


def speak(spoken: Spoken, transaction: Transaction, cause: str | None = None, trace: str | None = None) -> TicketClocks:
    """Say what is to be said; gives the ticket as it is then."""
    for event in spoken.events:
        transaction.say(event, spoken.ticket.id, cause=cause, trace=trace)
    return spoken.ticket


def _new(facts: Iterable[Fact[Event]]) -> set[str]:
    return {fact.subject for fact in facts if fact.n == 1}


def _apply(fact: Fact[Any], kept: dict[str, Kept], rules: Rules, transaction: Transaction) -> None:
    one = kept.get(fact.subject)
    before = None if one is None else one.clocks
    state = State(fact.state_json or b"")
    if fact.type == TicketOpened.TYPE:
        after = decide.opened(fact, state, rules)
    elif before is not None:
        after = BY_TYPE[fact.type](before, fact, state, rules)
    else:
        return
    spoken = after_fact(before, after, state.routed, transaction.now, rules)
    clocks = speak(spoken, transaction, fact.id, fact.trace)
    basis = rules.basis if one is None else one.basis
    kept[fact.subject] = Kept(clocks, state.json, basis)


def set_timer(ticket: TicketClocks, transaction: Transaction, set_for: datetime | None = None) -> None:
    """Set the ticket's timer to what is due next, or take it away; nothing to do where it is `set_for` that already."""
    due = next_due(ticket)
    if due is not None and due != set_for:
        transaction.arm(ticket.id, CLOCK, due)
    elif due is None and set_for is not None:
        transaction.disarm(ticket.id, CLOCK)


async def lock(keys: Sequence[str], transaction: Transaction) -> None:
    """Tickets before their timers (decisions 12)."""
    await Store(transaction).lock(keys)


async def fire(due: Sequence[Due], transaction: Transaction) -> None:
    """Judge each ticket as of the instant its timer was set for: up to there everything was heard (decisions 13)."""
    store = Store(transaction)
    rules = await rules_in_force(store, transaction)
    kept = await store.load({timer.key for timer in due})
    for timer in due:
        if timer.key in kept:
            one = kept[timer.key]
            one.clocks = speak(after_time(one.clocks, timer.due_at, transaction.now, rules), transaction)
            set_timer(one.clocks, transaction)
    store.save(kept)


TYPES = frozenset(event.TYPE for event in HEARS if event is not QueueChanged)
TIMERS = {CLOCK: TimerKind(lock, fire, waits=True)}
