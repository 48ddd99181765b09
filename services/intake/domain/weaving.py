"""The messages of a ticket and of those merged into it, as one conversation (behaviour M-2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.message import Message, Visibility


@dataclass(frozen=True, slots=True)
class Woven:
    """A message in its place. ticket: the one it was written to; also_in: further ones that have the same message."""

    message: Message
    ticket: str
    also_in: tuple[str, ...] = ()


def woven(parts: Mapping[str, Sequence[Message]]) -> list[Woven]:
    """By when they were written; what one ticket has stays in its order. Of a message that several have one is shown.

    parts: the messages of each ticket in order, the target first.
    """
    placed: list[tuple[datetime, int, int, Message, str]] = []
    for place, (ticket, messages) in enumerate(parts.items()):
        latest: datetime | None = None
        for number, message in enumerate(messages):
            # a clock that runs ahead of ours proves nothing
            written = message.at if message.sent_at is None else min(message.sent_at, message.at)
            latest = written if latest is None else max(latest, written)
            placed.append((latest, place, number, message, ticket))
    placed.sort(key=lambda each: each[:3])
    return _each_once([Woven(message, ticket) for *_, message, ticket in placed])


def _each_once(found: Sequence[Woven]) -> list[Woven]:
    """Two tickets that have the same words twice each show them twice."""
    times: dict[tuple[object, ...], dict[str, int]] = {}
    shown: list[Woven] = []
    places: dict[tuple[object, ...], int] = {}
    for each in found:
        content = _content(each.message)
        mine = times.setdefault(content, {})
        mine[each.ticket] = mine.get(each.ticket, 0) + 1
        key = (*content, mine[each.ticket])
        if key not in places:
            places[key] = len(shown)
            shown.append(each)
        else:
            first = shown[places[key]]
            shown[places[key]] = Woven(first.message, first.ticket, (*first.also_in, each.ticket))
    return shown


def _content(message: Message) -> tuple[object, ...]:
    """What makes two messages the same; notes are never."""
    if message.visibility is Visibility.INTERNAL:
        return (message.id,)
    files = tuple(attachment.sha256 for attachment in message.attachments)
    return message.kind, message.visibility, " ".join(message.text.split()), files
