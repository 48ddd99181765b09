"""Files of conversations: JSON lines, each an event or a whole chat."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from libs.contracts.catalogue import said_by
from libs.contracts.conversation import (
    MAX_MESSAGE_CHARACTERS,
    ConversationEvent,
    ConversationMessageAdded,
    ConversationStarted,
    Role,
    TicketRequested,
)
from libs.contracts.event import Event, Speaker
from libs.contracts.publisher import Outgoing
from signalbox.failure import Failure


class Turn(BaseModel):
    """One message of a whole chat."""

    model_config = ConfigDict(extra="ignore")

    role: Role
    text: str


class Chat(BaseModel):
    """A whole chat: `{"id", "messages": [{"role", "text"}], "label"?}`."""

    model_config = ConfigDict(extra="ignore")

    id: str
    messages: list[Turn]
    label: str | None = None


def read_conversations(file: Path) -> list[Outgoing]:
    """Every event of the file in order; Failure names the line and the reason."""
    return [said for number, line in _lines(file) for said in _events(file, number, line)]


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as fault:
                raise Failure(f"{file}:{number}: not JSON: {fault}") from None


def _events(file: Path, number: int, line: dict[str, Any]) -> list[Outgoing]:
    try:
        return _of_chat(Chat.model_validate(line)) if "messages" in line else [_event(line)]
    except (ValidationError, ValueError) as fault:
        raise Failure(f"{file}:{number}: {' '.join(str(fault).split())}") from None


def _of_chat(chat: Chat) -> list[Outgoing]:
    events: list[ConversationEvent] = [ConversationStarted(conversation_id=chat.id)]
    events += [
        ConversationMessageAdded(
            conversation_id=chat.id, seq=seq, role=turn.role, text=turn.text[:MAX_MESSAGE_CHARACTERS]
        )
        for seq, turn in enumerate(chat.messages)
    ]
    events.append(TicketRequested(conversation_id=chat.id, topic=chat.label))
    return [Outgoing(event, id=f"{chat.id}/{place}") for place, event in enumerate(events)]


def _event(line: dict[str, Any]) -> Outgoing:
    """One event: `{"event": name, "id"?, ...its fields}`."""
    named: dict[str, type[Event]] = {event.NAME: event for event in said_by(Speaker.SOURCE)}
    name = line.get("event")
    if name not in named:
        raise ValueError(f"event: {name!r} is none of {', '.join(sorted(named))}")
    fields = {key: value for key, value in line.items() if key not in ("event", "id")}
    return Outgoing(named[name].model_validate(fields), id=line.get("id"))
