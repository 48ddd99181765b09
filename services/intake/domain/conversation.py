"""Conversations of other systems, and the tickets that come from them (behaviour C-1 to C-5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from libs.contracts.conversation import Escalation, HandedOff, TicketRequested
from libs.contracts.ticket import ConversationLink, MessageKind
from libs.contracts.ticket_state import Scalar
from services.intake.domain.fields import Fields, WrongField
from services.intake.domain.message import Customer, Message
from services.intake.domain.opening import Opening, subject_from
from services.intake.domain.tags import kept

DEFAULT_CHANNEL = "chat"
CHOICES = ("priority", "assignee", "queue", "category")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation. `ticket_id` is the ticket that takes what is written now."""

    source: str
    conversation_id: str
    ticket_id: str | None = None
    channel: str | None = None
    url: str | None = None
    language: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    tier: str | None = None
    organisation: str | None = None

    @property
    def link(self) -> ConversationLink:
        """As facts carry it."""
        return ConversationLink(source=self.source, conversation_id=self.conversation_id, url=self.url)


@dataclass(frozen=True, slots=True)
class Roster:
    """Agents and queues that may be given work, as the router last said them."""

    agents: Collection[str] = ()
    queues: Collection[str] = ()


def opening_from(
    conversation: Conversation,
    request: Escalation,
    transcript: Sequence[Message],
    new: Sequence[Message],
    customer: Customer | None,
    roster: Roster,
    fields: Fields,
    *,
    id: str,
    reference: str,
) -> Opening:
    """The ticket a hand-off or a request asks for, with the whole conversation so far.

    transcript: every message so far, in order of seq; new: those of them that are not stored yet. An assignee or queue
    that is not known is left to routing; a category or field that is not sound is kept with the reason in `handoff`.
    """
    written = [message for message in transcript if message.kind is MessageKind.CUSTOMER]
    first = written[0] if written else None
    chosen, refused = _chosen(request, roster, fields)
    custom, wrong = _custom(request, fields, chosen.get("queue"))
    return Opening(
        id=id,
        reference=reference,
        channel=conversation.channel or _asked_channel(request) or DEFAULT_CHANNEL,
        subject=_subject(request, first),
        customer=customer,
        first=first,
        messages=tuple(new),
        customer_messages=len(written),
        tags=kept(request.tags) if isinstance(request, TicketRequested) else (),
        custom=custom,
        language=conversation.language,
        chosen=frozenset(chosen) | {f"custom.{key}" for key in custom},
        conversation=conversation.link,
        intent=request.intent_id,
        handoff=_handoff(request, refused | wrong),
        **chosen,
    )


def _subject(request: Escalation, first: Message | None) -> str:
    given = request.subject if isinstance(request, TicketRequested) else None
    return given or request.topic or subject_from(first.text if first else request.summary or "") or "Conversation"


def _asked_channel(request: Escalation) -> str | None:
    return request.channel if isinstance(request, TicketRequested) else None


def _chosen(request: Escalation, roster: Roster, fields: Fields) -> tuple[dict[str, Any], dict[str, str]]:
    """What the person who asks chose, routing leaves it alone; and why something of it is not taken."""
    if not isinstance(request, TicketRequested):
        return {}, {}
    refused = {}
    chosen = {name: getattr(request, name) for name in CHOICES}
    if chosen["assignee"] not in roster.agents:
        chosen["assignee"] = None
    if chosen["queue"] not in roster.queues:
        chosen["queue"] = None
    try:
        fields.category(chosen["category"])
    except WrongField as wrong:
        chosen["category"], refused["category"] = None, wrong.reason
    return {name: value for name, value in chosen.items() if value is not None}, refused


def _custom(request: Escalation, fields: Fields, queue: str | None) -> tuple[dict[str, Scalar], dict[str, str]]:
    """The topic is a field, so that rules and reports can ask for it. With what is not sound, by path (N-4)."""
    given = request.custom if isinstance(request, TicketRequested) else {}
    sound, refused = fields.accepted(given, queue)
    if request.topic is not None:
        sound = {"topic": request.topic, **sound}
    return sound, {f"custom.{key}": reason for key, reason in refused.items()}


def _handoff(request: Escalation, refused: Mapping[str, str]) -> str | None:
    """What agents should know before they read on (behaviour C-4)."""
    known = {
        "by": "ai" if isinstance(request, HandedOff) else "request",
        "topic": request.topic,
        "reason": request.reason,
        "summary": request.summary,
        "confidence": request.confidence if isinstance(request, HandedOff) else None,
        "refused": refused,
        "kb_ids": list(request.kb_ids) if isinstance(request, HandedOff) else None,
    }
    told = {name: value for name, value in known.items() if value}
    return to_json(told).decode() if len(told) > 1 else None
