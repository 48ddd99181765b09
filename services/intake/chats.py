"""A batch of what sources say, sorted by conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from libs.chassis.feed import Said
from libs.contracts.conversation import (
    ContactIdentified,
    ConversationEvent,
    ConversationMessageAdded,
    ConversationMessageEdited,
    ConversationRated,
    ConversationResolved,
    ConversationStarted,
    Escalation,
)
from libs.contracts.ticket import MessageKind
from services.intake.conversations import Edit, Key, Mark
from services.intake.domain.conversation import DEFAULT_CHANNEL, Conversation
from services.intake.domain.decision import By
from services.intake.domain.message import Message
from services.intake.domain.via import Via, through
from services.intake.identities import Identities

KINDS = {kind.value: kind for kind in MessageKind}
DESCRIBED = ("name", "email", "phone", "url", "channel", "language", "tier", "organisation")


@dataclass(slots=True)
class Written:
    """A message as it came."""

    message: Message
    by: By


@dataclass(slots=True)
class Asked:
    """A request for a ticket as it came."""

    request: Escalation
    by: By


@dataclass(slots=True)
class Chat:
    """What a batch says about one conversation; steps in the order in which they came."""

    known: Conversation
    steps: list[Written | Asked] = field(default_factory=list)
    requests: list[Escalation] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    mark: Mark | None = None

    def write(self, written: Written) -> None:
        """Note a message."""
        self.steps.append(written)
        self.messages.append(written.message)

    def ask(self, asked: Asked) -> None:
        """Note a request for a ticket."""
        self.steps.append(asked)
        self.requests.append(asked.request)


def sort_out(said: Iterable[Said], identities: Identities) -> dict[Key, Chat]:
    """The batch by conversation."""
    chats: dict[Key, Chat] = {}
    for each in said:
        event = each.data
        assert isinstance(event, ConversationEvent)
        key = (each.source, clean(event.conversation_id))
        chat = chats.get(key)
        if chat is None:
            chat = chats[key] = Chat(Conversation(*key))
        _note(chat, each, event, identities)
    return chats


def in_order(steps: Sequence[Written | Asked]) -> list[Written | Asked]:
    """Messages between two requests in order of seq, each seq once (behaviour C-2)."""
    if len(steps) == 1:
        return list(steps)
    ordered: list[Written | Asked] = []
    run: dict[int, Written] = {}
    for step in steps:
        if isinstance(step, Written):
            assert step.message.seq is not None
            run.setdefault(step.message.seq, step)
        else:
            ordered += [run[seq] for seq in sorted(run)]
            ordered.append(step)
            run = {}
    return ordered + [run[seq] for seq in sorted(run)]


def clean(text: str) -> str:
    """The text without NUL, which PostgreSQL does not store."""
    return text.replace("\x00", "") if "\x00" in text else text


def trace_of(headers: bytes) -> str | None:
    """The header `traceparent`, if there is a sound one."""
    _, found, rest = headers.partition(b"traceparent:")
    value = rest.partition(b"\r\n")[0].strip() if found else b""
    return value.decode("ascii", "replace") if len(value) == 55 else None


def _note(chat: Chat, said: Said, event: ConversationEvent, identities: Identities) -> None:
    match event:
        case ConversationMessageAdded():
            chat.write(_written(said, event, identities))
        case ConversationMessageEdited():
            # heard before the message it stands for it, else the message is there and this adds a revision only
            chat.write(_written(said, event, identities))
            place = (said.source, clean(event.conversation_id), event.seq)
            chat.edits.append(
                Edit(*place, said.event.id, said.event.time or identities.now, clean(event.text), event.deleted)
            )
        case Escalation():
            by = By(f"source:{said.source}", cause=through(Via.CHAT, said.event.id), trace=trace_of(said.frame.headers))
            chat.ask(Asked(event, by))
        case ConversationStarted() | ContactIdentified():
            chat.known = _described(chat.known, event)
        case ConversationResolved():
            chat.mark = replace(chat.mark or Mark(), resolved_at=event.resolved_at or said.event.time)
        case ConversationRated():
            comment = None if event.comment is None else clean(event.comment)
            cause = through(Via.CHAT, said.event.id)
            chat.mark = replace(chat.mark or Mark(), score=event.score, comment=comment, cause=cause)


def _written(
    said: Said, event: ConversationMessageAdded | ConversationMessageEdited, identities: Identities
) -> Written:
    kind = KINDS[event.role]
    author = None if event.author is None else clean(event.author)
    actor = f"agent:{author}" if kind is MessageKind.AGENT and author else str(kind)
    message = Message(
        id=identities.new(),
        kind=kind,
        text=clean(event.text),
        at=identities.now,
        channel=DEFAULT_CHANNEL,
        author=author,
        sent_at=said.event.time,
        source=said.source,
        conversation_id=clean(event.conversation_id),
        seq=event.seq,
    )
    return Written(message, By(actor, cause=through(Via.CHAT, said.event.id), trace=trace_of(said.frame.headers)))


def _described(known: Conversation, event: ConversationStarted | ContactIdentified) -> Conversation:
    told = {name: clean(value) for name in DESCRIBED if (value := getattr(event, name, None))}
    if "email" in told:
        told["email"] = told["email"].strip().lower()
    return replace(known, **told)
