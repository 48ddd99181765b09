"""Every event there is, by its type; which stream carries it; what a hearer has to bind."""

from dataclasses import dataclass

from libs.contracts import agents, conversation, notice, routing, sla, suspicion, ticket
from libs.contracts.binding import Binding
from libs.contracts.event import SUBJECT_PREFIX, Event, Speaker
from libs.contracts.partition import PARTITIONS

FACTS, CONVERSATIONS = "FACTS", "CONVERSATIONS"

SAID_BY_SOURCES: tuple[type[Event], ...] = (
    conversation.ConversationStarted,
    conversation.ContactIdentified,
    conversation.ConversationMessageAdded,
    conversation.ConversationMessageEdited,
    conversation.HandedOff,
    conversation.TicketRequested,
    conversation.ConversationResolved,
    conversation.ConversationRated,
    agents.AgentPresenceReported,
    agents.AgentRosterReported,
)
SAID_BY_SERVICES: tuple[type[Event], ...] = (
    ticket.TicketOpened,
    ticket.TicketChanged,
    ticket.TicketMessageAdded,
    ticket.TicketNoteAdded,
    ticket.TicketMessageHeld,
    ticket.TicketMerged,
    ticket.TicketUnmerged,
    ticket.TicketAbsorbed,
    ticket.TicketSeparated,
    ticket.TicketRemoved,
    ticket.TicketRestored,
    ticket.TicketReminderDue,
    ticket.TicketDeliveryFailed,
    ticket.TicketRated,
    suspicion.TicketDuplicateSuspected,
    routing.TicketRouted,
    routing.AgentChanged,
    routing.QueueChanged,
    sla.TargetsSet,
    sla.SlaWarned,
    sla.SlaDecided,
    sla.SlaCorrected,
    notice.NoticeSent,
    notice.NoticeFailed,
)
CATALOGUE: dict[str, type[Event]] = {event.TYPE: event for event in (*SAID_BY_SOURCES, *SAID_BY_SERVICES)}
"""By CloudEvents type."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A JetStream stream: its name, the subjects it captures, how long it keeps them in seconds."""

    name: str
    subjects: tuple[str, ...]
    max_age: float
    duplicate_window: float


DAY = 86_400.0
STREAMS = (
    Stream(CONVERSATIONS, ("conversations.>", "agents.>"), max_age=30 * DAY, duplicate_window=0.1),
    Stream(FACTS, ("tickets.>", "routing.>", "sla.>", "notices.>"), max_age=30 * DAY, duplicate_window=120.0),
)


def said_by(speaker: Speaker) -> tuple[type[Event], ...]:
    """The events a speaker owns."""
    return tuple(event for event in CATALOGUE.values() if event.SPEAKER is speaker)


def numbered_with(event: type[Event]) -> tuple[type[Event], ...]:
    """The events that share one row of numbers with this one: same speaker, about the same kind of thing.

    A hearer binds all of them, or it would see gaps where there are none (decisions 2).
    """
    return tuple(other for other in SAID_BY_SERVICES if (other.SPEAKER, other.ABOUT) == (event.SPEAKER, event.ABOUT))


def filter_subjects(binding: Binding, shard: int, shards: int) -> list[str]:
    """The NATS subjects that one shard of a hearer binds, sorted, without repeats. One, where there is one shard."""
    prefix = SUBJECT_PREFIX[binding.speaker]
    names = ["*"]
    if binding.about is not None:
        names = [event.NAME for event in said_by(binding.speaker) if event.ABOUT is binding.about]
    elif shards == 1:
        return [f"{prefix}.>"]
    tokens = ["*"] if shards == 1 else [number for number in range(PARTITIONS) if number % shards == shard]
    return sorted(f"{prefix}.{token}.{name}" for token in tokens for name in names)
