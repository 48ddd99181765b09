"""What the notifier hears, and what it does about it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from libs.chassis.transaction import Transaction
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeKind
from libs.contracts.routing import AgentChanged, QueueChanged
from libs.contracts.sla import Outcome, SlaDecided, SlaWarned, TargetsSet
from libs.contracts.ticket import (
    AnswerCopy,
    TicketChanged,
    TicketDeliveryFailed,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketReminderDue,
    TicketRemoved,
    TicketRestored,
    TicketUnmerged,
)
from services.notifier.domain.acknowledgment import acknowledge, recipient_of, way_of
from services.notifier.domain.customers import close_the_loop, remind, reply
from services.notifier.domain.desk import Agent, Desk, Queue
from services.notifier.domain.notice import Notice, State, Verdict, Way, said
from services.notifier.domain.people import tell_assignee, tell_breach, tell_delivery_failed, warn
from services.notifier.domain.ticket import ERASED, REMEMBERED, Data
from services.notifier.links import ReopenLinks
from services.notifier.sender.doorbell import Doorbell
from services.notifier.store import Store

Decide = Callable[[Fact[Any], Any, Desk], None]
"""What a fact leads to; its data as READS reads it."""

PEOPLE = frozenset(event.TYPE for event in (SlaWarned, SlaDecided, TicketDeliveryFailed, TicketChanged))
"""Facts for which somebody of ours may have to be told."""


def on_opened(fact: Fact[TicketOpened], said: Data, desk: Desk) -> None:
    """Remember what an acknowledgment needs."""
    ticket = desk.ticket(fact.subject)
    ticket.open(said, from_json(fact.state_json or b""))
    if ticket.promise is not None:
        desk.acknowledge[ticket.id] = fact.trace


def on_changed(fact: Fact[TicketChanged], changes: Mapping[str, Data], desk: Desk) -> None:
    """Follow owner and status; tell the customer what is resolved."""
    ticket = desk.ticket(fact.subject)
    if ticket.change(changes):
        close_the_loop(fact, ticket, desk)
    if desk.config.mail.tell_assignee and "assignee" in changes:
        tell_assignee(fact, ticket, desk)


def on_message_added(fact: Fact[TicketMessageAdded], said: TicketMessageAdded, desk: Desk) -> None:
    """Send what has to leave as mail."""
    reply(fact, desk)


def on_removed(fact: Fact[TicketRemoved], said: TicketRemoved, desk: Desk) -> None:
    """Nothing automatic for spam, or for what is gone."""
    if said.reason == ERASED:
        ticket = desk.ticket(fact.subject)
        desk.forgotten += [ticket.customer_email] if ticket.customer_email else []
        ticket.erase()
    _silence(desk, fact.subject, said.reason)


def on_merged(fact: Fact[TicketMerged], said: TicketMerged, desk: Desk) -> None:
    """The customer hears of the ticket it was merged into."""
    _silence(desk, fact.subject, "merged")


def on_restored(
    fact: Fact[TicketRestored] | Fact[TicketUnmerged], said: TicketRestored | TicketUnmerged, desk: Desk
) -> None:
    """It is worked on again; what is erased stays so."""
    ticket = desk.ticket(fact.subject)
    if ticket.silenced != ERASED:
        ticket.silenced = None
        desk.silenced.pop(fact.subject, None)


def on_reminder_due(fact: Fact[TicketReminderDue], said: TicketReminderDue, desk: Desk) -> None:
    """Remind the customer."""
    remind(fact, desk.ticket(fact.subject), desk)


def on_delivery_failed(fact: Fact[TicketDeliveryFailed], said: TicketDeliveryFailed, desk: Desk) -> None:
    """Tell who has the ticket."""
    tell_delivery_failed(fact, desk)


def on_targets_set(fact: Fact[TargetsSet], said: Data, desk: Desk) -> None:
    """Acknowledge when the promise is known (decisions 11)."""
    ticket = desk.ticket(fact.subject)
    ticket.promised(said, fact.id, fact.occurred_at)
    desk.acknowledge[ticket.id] = fact.trace


def on_warned(fact: Fact[SlaWarned], said: SlaWarned, desk: Desk) -> None:
    """Tell who can still keep the promise."""
    warn(fact, desk)


def on_breached(fact: Fact[SlaDecided], said: SlaDecided, desk: Desk) -> None:
    """Tell that it was not kept."""
    tell_breach(fact, desk)


def on_agent_changed(fact: Fact[AgentChanged], said: AgentChanged, desk: Desk) -> None:
    """Whom to tell."""
    agent = Agent.of(said)
    desk.agents[agent.key] = desk.changed_agents[agent.key] = agent


def on_queue_changed(fact: Fact[QueueChanged], said: QueueChanged, desk: Desk) -> None:
    """Who leads, and when somebody is there."""
    queue = Queue.of(said)
    desk.queues[queue.key] = desk.changed_queues[queue.key] = queue


HEARS: dict[type[Event], Decide] = {
    TicketOpened: on_opened,
    TicketChanged: on_changed,
    TicketMessageAdded: on_message_added,
    TicketRemoved: on_removed,
    TicketRestored: on_restored,
    TicketMerged: on_merged,
    TicketUnmerged: on_restored,
    TicketReminderDue: on_reminder_due,
    TicketDeliveryFailed: on_delivery_failed,
    TargetsSet: on_targets_set,
    SlaWarned: on_warned,
    SlaDecided: on_breached,
    AgentChanged: on_agent_changed,
    QueueChanged: on_queue_changed,
}
DECIDES = {event.TYPE: decide for event, decide in HEARS.items()}


def _whole(fact: Fact[Any]) -> Any:
    return fact.data


def _as_it_travels(fact: Fact[Any]) -> Data:
    said: Data = from_json(fact.payload)
    return said


def _changes(fact: Fact[Any]) -> Mapping[str, Data] | None:
    changes: Mapping[str, Data] = from_json(fact.payload)["changes"]
    return None if REMEMBERED.isdisjoint(changes) else changes


def _final(fact: Fact[Any]) -> Data | None:
    said = _as_it_travels(fact)
    return said if said["final"] else None


def _outbound(fact: Fact[Any]) -> TicketMessageAdded | None:
    return None if fact.data.outbound is None else fact.data


def _breach(fact: Fact[Any]) -> SlaDecided | None:
    return fact.data if fact.data.outcome is Outcome.BREACHED else None


READS: dict[str, Callable[[Fact[Any]], Any]] = {
    **dict.fromkeys(DECIDES, _whole),
    TicketOpened.TYPE: _as_it_travels,
    TicketChanged.TYPE: _changes,
    TargetsSet.TYPE: _final,
    TicketMessageAdded.TYPE: _outbound,
    SlaDecided.TYPE: _breach,
}
"""The data of a fact, None where there is nothing to decide: most facts of a ticket change nothing here. What every
ticket has is read as it travels, a model takes three times as long."""


async def handle(
    facts: Sequence[Fact[Event]], transaction: Transaction, doorbell: Doorbell, links: ReopenLinks
) -> None:
    """Load, decide fact by fact, decide the acknowledgments, store, say."""
    heard = [(fact, said) for fact in facts if fact.type in READS and (said := READS[fact.type](fact)) is not None]
    if not heard:
        return
    store = Store(transaction)
    desk = await _desk(heard, store, transaction)
    desk.reopen_link = links.to
    for fact, data in heard:
        DECIDES[fact.type](fact, data, desk)
    recipients = _to_acknowledge(desk)
    domains = {domain for recipient in recipients if (domain := desk.limited_domain(recipient))}
    desk.earlier, desk.to_domains, desk.dead = await store.earlier(recipients, domains, desk.most_to_a_domain)
    for ticket, trace in desk.acknowledge.items():
        acknowledge(desk.tickets[ticket], desk, trace)
    await _store(desk, store, transaction, doorbell)


async def _desk(heard: Sequence[tuple[Fact[Any], Any]], store: Store, transaction: Transaction) -> Desk:
    desk = Desk(transaction.config.parsed, transaction.now)
    concerned = {fact.subject for fact, _ in heard if ":" not in fact.subject}
    # locked as well: they are erased before a copy to who asked in them is written, or after, and never meanwhile
    concerned |= {copy.ticket for fact, said in heard if fact.type == TicketMessageAdded.TYPE for copy in _copies(said)}
    opened = {fact.subject for fact, said in heard if fact.type != TicketChanged.TYPE or "status_category" in said}
    desk.tickets = await store.tickets(concerned, opened & concerned)
    kinds = {fact.type for fact, _ in heard}
    if not kinds.isdisjoint(PEOPLE):
        desk.agents = await store.agents()
    if TargetsSet.TYPE in kinds or not kinds.isdisjoint(PEOPLE):
        desk.queues = await store.queues()
    return desk


def _copies(said: TicketMessageAdded) -> Sequence[AnswerCopy]:
    return said.outbound.copies if said.outbound is not None else ()


def _to_acknowledge(desk: Desk) -> set[str]:
    """The addresses whose earlier acknowledgments count now."""
    waiting = [desk.tickets[id] for id in desk.acknowledge]
    ready = [ticket for ticket in waiting if not ticket.acknowledged]
    return {recipient_of(ticket, Way.MAIL) for ticket in ready if way_of(ticket, desk) is Way.MAIL}


async def _store(desk: Desk, store: Store, transaction: Transaction, doorbell: Doorbell) -> None:
    await store.save_tickets(desk.tickets.values())
    store.failing(desk.failed, desk.forgotten)
    await store.save_people(desk.changed_agents.values(), desk.changed_queues.values())
    for notice in await store.save_notices(desk.notices):
        _say(notice, transaction)
        if notice.verdict is Verdict.UNDELIVERABLE:
            doorbell.undeliverable(notice.kind)
        if notice.state is State.QUEUED:
            doorbell.ring()
    await store.erase([ticket for ticket, reason in desk.silenced.items() if reason == ERASED])
    for row in await store.silence(desk.silenced):
        kind, reason = NoticeKind(row["kind"]), row["reason"]
        event = said(row["id"], kind, State.SUPPRESSED, Verdict.SUPPRESSED, reason, None, row["source_message"])
        if event is not None:
            transaction.say(event, row["ticket"], cause=row["cause"], trace=row["trace"])


def _say(notice: Notice, transaction: Transaction) -> None:
    event = said(
        notice.id,
        notice.kind,
        notice.state,
        notice.verdict,
        notice.reason,
        notice.message_id,
        notice.source_message,
    )
    if event is not None:
        transaction.say(event, notice.ticket, cause=notice.cause, trace=notice.trace)


def _silence(desk: Desk, ticket: str, reason: str) -> None:
    desk.ticket(ticket).silenced = desk.silenced[ticket] = reason
