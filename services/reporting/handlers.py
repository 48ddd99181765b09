"""What reporting hears, and how a batch of it becomes numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from libs.chassis.transaction import Transaction
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.routing import AgentChanged, QueueChanged
from services.reporting.added import Added
from services.reporting.domain.contribution import contribution
from services.reporting.domain.folding import FOLDED, STEPS, Folding, fold
from services.reporting.domain.happening import COUNTED, COUNTS, happened
from services.reporting.domain.tally import Tally, difference
from services.reporting.domain.ticket import Ticket
from services.reporting.store import Kept, Store, live

ROSTERS: Mapping[type[Event], str] = {AgentChanged: "agents", QueueChanged: "queues"}
HEARS: dict[type[Event], object] = {**STEPS, **COUNTS, **ROSTERS}
TYPES = frozenset(event.TYPE for event in HEARS)
"""Facts about tickets change what is remembered of them, some count by themselves, some name agents and queues."""


async def handle(facts: Sequence[Fact[Event]], transaction: Transaction) -> Added:
    """Fold a batch into the live copy; what it added."""
    facts = [fact for fact in facts if fact.type in TYPES]
    if not facts:
        return Added()
    return await fold_into(Store(transaction.connection, await live(transaction.connection)), facts)


async def fold_into(store: Store, facts: Sequence[Fact[Event]]) -> Added:
    """Fold facts into a copy: load once, fold each ticket, save once, add the differences once."""
    about: defaultdict[str, list[Fact[Event]]] = defaultdict(list)
    for fact in facts:
        if fact.type in FOLDED:
            about[fact.subject].append(fact)
    added = Added(happened([fact for fact in facts if fact.type in COUNTED]))
    while about:
        about = await _fold_tickets(store, about, added)
    await store.add(added.tallies)
    for event, roster in ROSTERS.items():
        named: dict[str, Any] = {fact.subject: fact.data for fact in facts if fact.type == event.TYPE}
        if named:
            await store.enter(roster, {said.key: (said.name, said.active) for said in named.values()})
    return added


async def _fold_tickets(
    store: Store, about: Mapping[str, Sequence[Fact[Event]]], added: Added
) -> defaultdict[str, list[Fact[Event]]]:
    """Fold and save; the facts of tickets that somebody else made meanwhile are left to be folded again."""
    known = await store.lock(about)
    folded = [_folded(known.get(ticket) or Kept(Ticket(ticket)), facts) for ticket, facts in about.items()]
    changed = [kept for kept, folding, _ in folded if folding.changed]
    saved = await store.save(changed) if changed else set()
    lost: defaultdict[str, list[Fact[Event]]] = defaultdict(list)
    for kept, folding, changes in folded:
        if folding.changed and kept.ticket.id not in saved:
            lost[kept.ticket.id] = list(about[kept.ticket.id])
        else:
            added.take(folding, changes, kept.contribution)
    return lost


def _folded(kept: Kept, facts: Sequence[Fact[Event]]) -> tuple[Kept, Folding, dict[Tally, int]]:
    """The ticket after these facts, how it came to that, and what it now adds beyond what it added before."""
    folding = fold(kept.ticket, facts)
    if not folding.changed:
        return kept, folding, {}
    new = contribution(kept.ticket)
    return Kept(kept.ticket, kept.version, new), folding, difference(kept.contribution, new)
