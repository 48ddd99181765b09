"""Facts as a person tells them, one line each. What is not worth a line is left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatchmethod

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeFailed, NoticeKind, NoticeSent
from libs.contracts.routing import TicketRouted
from libs.contracts.sla import Outcome, SlaDecided, SlaWarned
from libs.contracts.ticket import (
    Change,
    MessageKind,
    TicketChanged,
    TicketDeliveryFailed,
    TicketMessageAdded,
    TicketNoteAdded,
    TicketOpened,
)
from signalbox.demo.outbox import Outbox

WRITERS = {
    MessageKind.CUSTOMER: "the customer writes",
    MessageKind.AI: "the AI agent writes",
    MessageKind.AUTOMATIC: "a program answers; that changes nothing",
}
NEWS = ("status", "queue", "assignee", "priority", "category")
MAILS = {
    NoticeKind.ACKNOWLEDGMENT: "acknowledgment",
    NoticeKind.REPLY: "answer",
    NoticeKind.COPY: "copy of an answer",
    NoticeKind.RESOLVED: "told that it is done",
    NoticeKind.SLA_WARNING: "warning",
    NoticeKind.SLA_BREACH: "told of the breach",
    NoticeKind.ASSIGNED: "told of the assignment",
    NoticeKind.DELIVERY_FAILED: "told that a mail came back",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story. tone: a style of rich."""

    at: datetime
    ticket: str
    text: str
    tone: str = ""


class Teller:
    """Remembers what tickets are called."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.references: dict[str, str] = {}

    def tell(self, facts: Iterable[Fact[Event]]) -> Iterator[Line]:
        """The lines of some facts."""
        for fact in facts:
            if fact.state_json is not None:
                self.references[fact.subject] = fact.ticket.reference or "?"
            told = self._words(fact.data, fact)
            if told is not None:
                text, tone = told
                yield Line(fact.occurred_at, self.references.get(fact.subject, ""), text, tone)

    @singledispatchmethod
    def _words(self, data: Event, fact: Fact[Event]) -> tuple[str, str] | None:
        """What is said of it; None for nothing."""
        return None

    @_words.register
    def _opened(self, data: TicketOpened, fact: Fact[Event]) -> tuple[str, str] | None:
        who = "somebody" if data.customer is None else data.customer.name or data.customer.email or "somebody"
        tier = f", {fact.ticket.tier}" if fact.ticket.tier else ""
        return f"new by {data.channel}: “{data.subject}” ({who}{tier})", "bold"

    @_words.register
    def _routed(self, data: TicketRouted, fact: Fact[Event]) -> tuple[str, str] | None:
        where = f"queue {data.queue}" if data.queue else "its queue"
        stays = f"stays with who has it in {where}" if data.reason == "kept" else f"waits in {where}"
        to = f"to {data.assignee} in {where}" if data.assignee else stays
        fallback = ", by the fallback: no rule names a queue" if data.fallback else ""
        rules = ", ".join(filter(None, (data.fields.category, data.fields.priority, *data.fields.add_tags)))
        return f"{to} ({data.reason}{fallback})" + (f"; {rules}" if rules else ""), "cyan"

    @_words.register
    def _changed(self, data: TicketChanged, fact: Fact[Event]) -> tuple[str, str] | None:
        # what routing changed is told where it was decided
        found = [name for name in NEWS if name in data.changes and (data.by_person or name == "status")]
        if not found:
            return None
        return ("opened again: " if data.reopened else "") + ", ".join(
            _change(name, data.changes[name]) for name in found
        ), "green"

    @_words.register
    def _message(self, data: TicketMessageAdded, fact: Fact[Event]) -> tuple[str, str] | None:
        words = WRITERS.get(data.kind) or f"{data.author or 'an agent'} answers by {data.channel}"
        return f"{words}: “{_start(data.text)}”", ""

    @_words.register
    def _note(self, data: TicketNoteAdded, fact: Fact[Event]) -> tuple[str, str] | None:
        return f"{data.author or 'somebody'} notes something for colleagues", "dim"

    @_words.register
    def _delivery_failed(self, data: TicketDeliveryFailed, fact: Fact[Event]) -> tuple[str, str] | None:
        return f"our mail came back ({data.status or 'no code'}); the answer does not count", "yellow"

    @_words.register
    def _warned(self, data: SlaWarned, fact: Fact[Event]) -> tuple[str, str] | None:
        share = round(data.threshold * 100)
        return f"{share} % of the time for the {_metric(data.metric)} is over", "bold yellow"

    @_words.register
    def _decided(self, data: SlaDecided, fact: Fact[Event]) -> tuple[str, str] | None:
        if data.outcome is Outcome.BREACHED:
            return f"BREACH: the {_metric(data.metric)} did not come in time", "bold red"
        return f"{_metric(data.metric)} in time, after {_duration(data.running_seconds)} of the clock", "dim"

    @_words.register
    def _sent(self, data: NoticeSent, fact: Fact[Event]) -> tuple[str, str] | None:
        mail = self._outbox.by_message_id(data.message_id) if data.message_id else None
        to = f"mail to {mail.to}: {mail.subject}" if mail is not None else "by chat"
        return f"{MAILS[data.kind]}, {to}", "dim"

    @_words.register
    def _failed(self, data: NoticeFailed, fact: Fact[Event]) -> tuple[str, str] | None:
        return f"{MAILS[data.kind]} not sent: {data.reason}", "dim"


def _metric(metric: str) -> str:
    return metric.replace("_", " ")


def _change(name: str, change: Change) -> str:
    return f"{name} {change.old or 'none'} → {change.new or 'none'}"


def _start(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
