"""What the router hears, and what it does about it. It decides for tickets that were opened, reopened, moved or left
without an owner by a person; never on its own facts (decisions 7 and 8)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libs.chassis.transaction import Transaction
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.sla import TargetsSet, TargetState
from libs.contracts.ticket import (
    TicketAbsorbed,
    TicketChanged,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketRemoved,
    TicketRestored,
    TicketSeparated,
    TicketUnmerged,
)
from services.router.assignment.settling import Heard, hear
from services.router.assignment.standing import Standing, State
from services.router.assignment.ticket import Ticket
from services.router.desk import Case, Desk, kept_fields
from services.router.store import Mark, Store


@dataclass(slots=True)
class Batch:
    """What a batch of facts comes to, beside what changes on the desk."""

    desk: Desk | None
    marks: dict[str, Mark] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)

    def ticket(self, fact: Fact[Any]) -> Ticket:
        """The ticket of a fact that needs the floor."""
        assert self.desk is not None
        return self.desk.tickets[fact.subject]

    def hear(self, fact: Fact[Any], trigger: str | None = None, **more: bool) -> Ticket:
        """Take over what intake says; with a trigger the rules are asked if the ticket wants an agent."""
        assert self.desk is not None
        ticket = self.ticket(fact)
        known = self.desk.cases.get(ticket.id)
        ruled = known is not None or trigger is not None
        hear(ticket, Heard(_state(fact, ruled), fact.occurred_at, fact.cause, **more), self.desk.floor)
        if known is not None:
            known.state = fact.ticket
        elif trigger is not None:
            self.desk.cases[ticket.id] = Case(trigger, fact.ticket, cause=fact.id, trace=fact.trace)
        return ticket


def _state(fact: Fact[Any], ruled: bool) -> State:
    """The ticket as it is now; all of it only where rules may look at it."""
    if ruled or fact.state_json is None:
        return fact.ticket
    return Standing.model_validate_json(fact.state_json)


def opened(fact: Fact[TicketOpened], batch: Batch) -> None:
    """The rules decide: fields, queue, agent."""
    assert batch.desk is not None
    ticket = batch.hear(fact, "opened", wants=True, fresh=True)
    case = batch.desk.cases[ticket.id]
    by_person = fact.data.created_by is not None
    case.opened, case.kept = True, kept_fields(fact.ticket, ticket, by_person)
    batch.texts[ticket.id] = {"subject": fact.data.subject, "body": fact.data.text}


def changed(fact: Fact[TicketChanged], batch: Batch) -> None:
    """Settle what was decided; decide again if it was reopened, moved or left without an owner by a person."""
    changes, by_person = fact.data.changes, fact.data.by_person
    owner, queue = changes.get("assignee"), changes.get("queue")
    cleared = by_person and owner is not None and owner.new is None
    moved = by_person and queue is not None and (owner is None or owner.new is None)
    if by_person and queue is not None and queue.new is None:
        batch.ticket(fact).queue = None
    trigger = "reopened" if fact.data.reopened else "moved" if moved else "owner_cleared" if cleared else None
    batch.hear(fact, trigger, wants=cleared or fact.data.reopened, moved=moved, fresh=fact.data.reopened)


def answered(fact: Fact[TicketMessageAdded], batch: Batch) -> None:
    """A person's public answer starts the work on a ticket (behaviour R-7)."""
    if fact.data.is_human_answer:
        mark = batch.marks.get(fact.subject) or Mark()
        batch.marks[fact.subject] = Mark(True, mark.dated, mark.deadline)


def left(fact: Fact[TicketMerged] | Fact[TicketRemoved], batch: Batch) -> None:
    """A ticket that was merged away or removed needs nobody."""
    batch.ticket(fact).gone = True
    batch.hear(fact)
    if isinstance(fact.data, TicketRemoved) and fact.data.reason == "erased":
        batch.erased.append(fact.subject)


def came_back(fact: Fact[TicketUnmerged] | Fact[TicketRestored], batch: Batch) -> None:
    """A ticket that is worked on again is routed again unless somebody owns it."""
    batch.ticket(fact).gone = False
    batch.hear(fact, fact.data.NAME, wants=True, fresh=True)


def joined(fact: Fact[TicketAbsorbed] | Fact[TicketSeparated], batch: Batch) -> None:
    """The target of a merge has another epoch: a decision under way may come to nothing."""
    batch.hear(fact)


def dated(fact: Fact[TargetsSet], batch: Batch) -> None:
    """The earliest deadline that runs says who is next among those that wait (behaviour R-4)."""
    running = [t.deadline for t in fact.data.targets if t.state is TargetState.RUNNING and t.deadline is not None]
    deadline = min(running, default=None)
    mark = batch.marks.get(fact.subject) or Mark()
    batch.marks[fact.subject] = Mark(mark.started, True, deadline)
    if batch.desk is not None:
        batch.desk.tickets[fact.subject].deadline = deadline


HEARS: Mapping[type[Event], Callable[[Any, Batch], None]] = {
    TicketOpened: opened,
    TicketChanged: changed,
    TicketMessageAdded: answered,
    TicketMerged: left,
    TicketUnmerged: came_back,
    TicketAbsorbed: joined,
    TicketSeparated: joined,
    TicketRemoved: left,
    TicketRestored: came_back,
    TargetsSet: dated,
}
WITHOUT_FLOOR = frozenset({TicketMessageAdded, TargetsSet})
"""What is only noted; everything else may move loads."""


async def handle(facts: Sequence[Fact[Event]], transaction: Transaction) -> None:
    """Hear a batch in order, then rule, plan, store and say once for all of it."""
    heard = [fact for fact in facts if type(fact.data) in HEARS]
    batch = Batch(await _desk(heard, transaction))
    for fact in heard:
        HEARS[type(fact.data)](fact, batch)
    store = Store(transaction)
    if batch.desk is not None:
        await _rule(batch, batch.desk)
        await batch.desk.finish()
    await store.mark(batch.marks)
    if batch.erased:
        await store.forget_texts(batch.erased)


async def _desk(facts: Iterable[Fact[Event]], transaction: Transaction) -> Desk | None:
    """The floor with the tickets of these facts, if any fact needs it."""
    if all(type(fact.data) in WITHOUT_FLOOR for fact in facts):
        return None
    desk = await Desk.open(transaction)
    await desk.know({fact.subject: None for fact in facts}.keys())
    return desk


async def _rule(batch: Batch, desk: Desk) -> None:
    """Ask the rules about every ticket that was opened or wants an agent for a new reason."""
    again = [key for key, case in desk.cases.items() if not case.opened and desk.tickets[key].waiting]
    by_text = desk.configuration.routes_by_text
    stored = await desk.store.texts(again) if again and by_text else {}
    for key, case in desk.cases.items():
        ticket = desk.tickets[key]
        if case.opened:
            desk.rule(ticket, case, batch.texts[key])
        elif ticket.waiting and case.state is not None:
            case.kept = kept_fields(case.state, ticket, everything=True)
            desk.rule(ticket, case, stored.get(key, {}))
    if by_text:
        desk.store.keep_texts([(key, text["subject"], text["body"]) for key, text in batch.texts.items()])
