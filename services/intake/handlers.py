"""What intake hears from the other services, and what it makes of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from libs.chassis.transaction import Transaction
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeFailed, NoticeSent
from libs.contracts.routing import AgentChanged, QueueChanged, TicketRouted
from libs.contracts.sla import SlaCorrected, SlaDecided, SlaWarned, TargetsSet
from services.intake.domain.changing import apply_routing
from services.intake.domain.deadline import next_deadline
from services.intake.domain.decision import By, Decision
from services.intake.domain.fields import Fields
from services.intake.domain.ticket import Ticket
from services.intake.projections import Projections
from services.intake.store import Store

ROUTER = "service:router"


async def handle(facts: Sequence[Fact[Event]], transaction: Transaction) -> None:
    """Lock the tickets once, apply decisions, keep what was said; rows are written once for the batch."""
    store, projections = Store(transaction), Projections(transaction)
    by_type: dict[type[Event], list[Fact[Event]]] = {}
    for fact in facts:
        by_type.setdefault(type(fact.data), []).append(fact)
    if TargetsSet in by_type:
        await store.lock({fact.subject for kind in WRITING_TICKETS for fact in by_type.get(kind, ())})
    for kind, mine in by_type.items():
        await HEARS.get(kind, keep_in_timeline)(mine, store, projections)
    projections.remember(fact for fact in facts if ":" not in fact.subject)


async def route(facts: Sequence[Fact[TicketRouted]], store: Store, projections: Projections) -> None:
    """Apply routing decisions; each is answered by `changed` (decisions 8)."""
    tickets = await store.tickets({fact.subject for fact in facts})
    decisions: list[Decision] = []
    for fact in facts:
        ticket = tickets.get(fact.subject)
        if ticket is not None:
            by = By(ROUTER, trace=fact.trace)
            routed = _sound(fact.data, ticket, store.configuration.fields)
            decision = apply_routing(ticket, routed, store.statuses, store.transaction.now, by)
            tickets[fact.subject] = decision.ticket
            decisions.append(decision)
    await store.save(decisions)


def _sound(routed: TicketRouted, ticket: Ticket, fields: Fields) -> TicketRouted:
    """The decision without values that a custom field cannot have (behaviour N-4)."""
    if not routed.fields.custom:
        return routed
    # what a rule sets is in its fact, which everybody sees
    open_to_all = {key: value for key, value in routed.fields.custom.items() if key not in fields.restricted}
    custom, _ = fields.accepted(open_to_all, routed.queue or ticket.queue)
    return routed.model_copy(update={"fields": routed.fields.model_copy(update={"custom": custom})})


async def project_deadline(facts: Sequence[Fact[TargetsSet]], store: Store, projections: Projections) -> None:
    """The deadline that comes next, for lists (decisions 23)."""
    projections.deadlines({fact.subject: next_deadline(fact.data.targets) for fact in facts})


async def keep_sent(facts: Sequence[Fact[NoticeSent]], store: Store, projections: Projections) -> None:
    """An agent's answer left."""
    answers = (fact.data.source_message for fact in facts)
    projections.deliveries({answer: "sent" for answer in answers if answer is not None})


async def keep_failed(facts: Sequence[Fact[NoticeFailed]], store: Store, projections: Projections) -> None:
    """An agent's answer did not leave, or nobody knows."""
    failed = ((fact.data.source_message, fact.data.state) for fact in facts)
    projections.deliveries({answer: state for answer, state in failed if answer is not None})


async def keep_in_timeline(facts: Sequence[Fact[Event]], store: Store, projections: Projections) -> None:
    """What the timeline shows and nothing else depends on: every fact heard is kept there."""


async def keep_agents(facts: Sequence[Fact[AgentChanged]], store: Store, projections: Projections) -> None:
    """Who may be given work."""
    projections.agents({fact.data.key: fact.data for fact in facts}.values())


async def keep_queues(facts: Sequence[Fact[QueueChanged]], store: Store, projections: Projections) -> None:
    """Where work may be put."""
    projections.queues({fact.data.key: fact.data for fact in facts}.values())


Heard = Callable[[Sequence[Fact[Any]], Store, Projections], Awaitable[None]]

HEARS: Mapping[type[Event], Heard] = {
    TicketRouted: route,
    AgentChanged: keep_agents,
    QueueChanged: keep_queues,
    TargetsSet: project_deadline,
    SlaWarned: keep_in_timeline,
    SlaDecided: keep_in_timeline,
    SlaCorrected: keep_in_timeline,
    NoticeSent: keep_sent,
    NoticeFailed: keep_failed,
}

WRITING_TICKETS = (TicketRouted, TargetsSet)
"""What changes rows of `tickets`: they are locked together, sorted, before any of it is applied."""
