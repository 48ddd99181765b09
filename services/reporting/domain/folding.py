"""How each fact changes what is remembered of its ticket. Facts of one speaker come in order, speakers in any order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.sla import Outcome, SlaCorrected, SlaDecided
from libs.contracts.ticket import (
    MessageKind,
    TicketAbsorbed,
    TicketChanged,
    TicketDeliveryFailed,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketRated,
    TicketRemoved,
    TicketRestored,
    TicketSeparated,
    TicketUnmerged,
)
from libs.contracts.ticket_state import StatusCategory
from services.reporting.domain.tally import Tally
from services.reporting.domain.ticket import Answer, Gone, Rating, Resolution, Ticket, Verdict

UNDONE_WITHIN = timedelta(minutes=5)
"""Resolved and opened again by the same agent within this: a slip of the hand, neither solved nor reopened (Q-5)."""

ERASED = "erased"
DONE = frozenset({StatusCategory.RESOLVED, StatusCategory.CLOSED})


@dataclass(slots=True)
class Folding:
    """A ticket while facts are folded into it. happened: tallies of what happened once and is never taken back."""

    ticket: Ticket
    changed: bool = False
    happened: list[Tally] = field(default_factory=list)

    def count(self, measure: str, at: datetime, detail: str = "", *, queue: str = "", agent: str = "") -> None:
        """Something happened."""
        day = at.astimezone(UTC).date().isoformat()
        self.happened.append(Tally(measure, day, detail, queue=queue, agent=agent))


Step = Callable[[Folding, Fact[Any]], None]
Data = Mapping[str, Any]
"""Data as they travel: what has its default may be missing."""


def fold(ticket: Ticket, facts: Sequence[Fact[Event]]) -> Folding:
    """Fold facts about this ticket, in the order given. The ticket is changed in place."""
    folding = Folding(ticket)
    for fact in facts:
        FOLDED[fact.type](folding, fact)
    return folding


def opened(folding: Folding, fact: Fact[TicketOpened]) -> None:
    """A ticket that begins with an agent's message waits for nobody before the customer wrote (behaviour L-5)."""
    ticket, state, said = folding.ticket, _state(fact), from_json(fact.payload)
    created_at = datetime.fromisoformat(state["created_at"])
    ticket.created_at, folding.changed = created_at, True
    ticket.history.channel = said["channel"]
    ticket.history.opening_message = said.get("message_id")
    ticket.history.waits_since = created_at if said.get("opened_by_customer", True) else None
    folding.count("opened", created_at, said["channel"])
    _follow(folding, fact, state)


def changed(folding: Folding, fact: Fact[TicketChanged] | Fact[TicketAbsorbed] | Fact[TicketSeparated]) -> None:
    """Fields are what the state says; what a status means for the numbers is seen by its category."""
    _follow(folding, fact, _state(fact))


def answered(folding: Folding, fact: Fact[TicketMessageAdded]) -> None:
    """The first public message of a human agent after the clock began is the answer; replies count for their author."""
    history, said = folding.ticket.history, fact.data
    if said.thanks:
        folding.count("thanks", fact.occurred_at)
    if said.kind is MessageKind.CUSTOMER and said.human and history.waits_since is None:
        history.waits_since, folding.changed = fact.occurred_at, True
    if not said.is_human_answer or said.message_id == history.opening_message:
        return
    folding.count("replied", fact.occurred_at, agent=said.author or "")
    if history.answer is None and history.waits_since is not None:
        history.answer = Answer(fact.occurred_at, said.message_id, folding.ticket.priority)
        folding.changed = True


def bounced(folding: Folding, fact: Fact[TicketDeliveryFailed]) -> None:
    """An answer that never arrived was none (behaviour L-5)."""
    history = folding.ticket.history
    if fact.data.permanent and history.answer is not None and history.answer.message_id == fact.data.message_id:
        history.answer, folding.changed = None, True


def merged(folding: Folding, fact: Fact[TicketMerged]) -> None:
    """Its work is the target's now (behaviour M-4)."""
    folding.count("merged", fact.occurred_at)
    _leave(folding, Gone.MERGED)


def removed(folding: Folding, fact: Fact[TicketRemoved]) -> None:
    """Spam and deleted tickets are no volume. What was done before its contents were erased stays counted."""
    if fact.data.reason == ERASED and folding.ticket.status_category in DONE:
        return
    _leave(folding, Gone.REMOVED)


def returned(folding: Folding, fact: Fact[TicketUnmerged] | Fact[TicketRestored]) -> None:
    """It is work again."""
    if isinstance(fact.data, TicketUnmerged):
        folding.count("unmerged", fact.occurred_at)
    _leave(folding, None)


def rated(folding: Folding, fact: Fact[TicketRated]) -> None:
    """The last word counts."""
    folding.ticket.history.rating = Rating(fact.occurred_at, fact.data.score)
    folding.changed = True


def decided(folding: Folding, fact: Fact[SlaDecided]) -> None:
    """One verdict a clock; a breach is never undone by a second verdict, only by a correction (behaviour L-10)."""
    said, verdicts = fact.data, folding.ticket.history.verdicts
    clock = f"{said.metric}/{said.instance}"
    before = verdicts.get(clock)
    if before is None or (before.outcome is Outcome.MET and said.outcome is Outcome.BREACHED):
        verdicts[clock] = Verdict(said.outcome, said.deadline, said.priority or "", said.breached_on_change)
        folding.changed = True


def corrected(folding: Folding, fact: Fact[SlaCorrected]) -> None:
    """A late fact changed the verdict; the priority stays that of the first one (decisions 13)."""
    said, verdicts = fact.data, folding.ticket.history.verdicts
    clock = f"{said.metric}/{said.instance}"
    before = verdicts.get(clock)
    verdicts[clock] = Verdict(said.new, said.deadline, before.priority if before else "")
    folding.changed = True


STEPS: Mapping[type[Event], Step] = {
    TicketOpened: opened,
    TicketChanged: changed,
    TicketMessageAdded: answered,
    TicketDeliveryFailed: bounced,
    TicketMerged: merged,
    TicketAbsorbed: changed,
    TicketSeparated: changed,
    TicketUnmerged: returned,
    TicketRemoved: removed,
    TicketRestored: returned,
    TicketRated: rated,
    SlaDecided: decided,
    SlaCorrected: corrected,
}
"""What each fact about a ticket does."""
FOLDED = {event.TYPE: step for event, step in STEPS.items()}


def _state(fact: Fact[Any]) -> Data:
    """The header `ticket`; of the few keys that are needed a model would take three times as long."""
    state: Data = from_json(fact.state_json or b"")
    return state


def _follow(folding: Folding, fact: Fact[Any], state: Data) -> None:
    """Take over the fields of the state, and what their change means; most changes of a state change none of them."""
    ticket, before, assignee = folding.ticket, folding.ticket.status_category, folding.ticket.assignee
    value, tags = state.get, state.get("tags", [])
    fields = (value("priority") or "", value("category") or "", value("queue") or "", value("assignee") or "")
    if ticket.gone is Gone.MERGED:
        # it is closed because it was merged: nobody has solved it, and an unmerge makes it what it was
        ticket.history.tags, folding.changed = tags, True
        return
    if ticket.has(state["status"], state["status_category"], *fields) and ticket.history.tags == tags:
        return
    ticket.status, ticket.status_category = state["status"], state["status_category"]
    ticket.priority, ticket.category, ticket.queue, ticket.assignee = fields
    ticket.history.tags, folding.changed = tags, True
    if ticket.assignee and ticket.assignee != assignee:
        folding.count("assigned", fact.occurred_at, agent=ticket.assignee)
    was_done, is_done = before in DONE, ticket.status_category in DONE
    if is_done and not was_done:
        _resolve(ticket, fact)
    elif was_done and not is_done:
        _reopen(folding, fact)


def _resolve(ticket: Ticket, fact: Fact[Any]) -> None:
    moment = fact.occurred_at
    fields = (ticket.priority, ticket.category, ticket.queue, ticket.assignee)
    ticket.history.resolutions.append(Resolution(moment, fact.actor, *fields))
    ticket.resolved_at = moment


def _reopen(folding: Folding, fact: Fact[Any]) -> None:
    ticket, moment = folding.ticket, fact.occurred_at
    last = ticket.history.resolutions[-1]
    ticket.resolved_at = None
    if _is_undone(last, fact):
        ticket.history.resolutions.pop()
        return
    last.reopened_at = moment
    folding.count("reopened", moment, queue=ticket.queue)


def _is_undone(resolution: Resolution, fact: Fact[Any]) -> bool:
    by_an_agent = fact.actor is not None and fact.actor.startswith("agent:")
    return by_an_agent and fact.actor == resolution.by and fact.occurred_at - resolution.at < UNDONE_WITHIN


def _leave(folding: Folding, gone: Gone | None) -> None:
    folding.ticket.gone, folding.changed = gone, True
