"""examples/day.yaml: what happens when, and what has to have come of it."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from libs.conditions.problems import problems_of
from libs.contracts.conversation import Role
from libs.contracts.routing import Presence
from signalbox.failure import Failure

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Part(BaseModel):
    """A part of the day."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Chat(Part):
    """A file of chats/, published by a source."""

    source: str
    file: str


class Saying(Part):
    """One more message in a conversation."""

    source: str
    conversation: str
    role: Role
    text: str
    author: str | None = None


class Call(Part):
    """A ticket that an agent writes down."""

    name: str
    by: str
    customer: dict[str, str]
    subject: str
    text: str
    priority: str | None = None


class Reply(Part):
    """An agent's answer. by: None = the ticket's assignee."""

    to: str
    text: str
    submit_as: str | None = None
    by: str | None = None


class Note(Part):
    """An internal note."""

    to: str
    text: str
    by: str | None = None


class Change(Part):
    """Fields that an agent changes."""

    to: str
    set: dict[str, Any]
    by: str | None = None


class PresenceChange(Part):
    """Agents come and go."""

    agents: list[str]
    presence: Presence


class Step(Part):
    """One thing that somebody does: exactly one of these."""

    mail: str | None = None
    chat: Chat | None = None
    say: Saying | None = None
    call: Call | None = None
    reply: Reply | None = None
    note: Note | None = None
    change: Change | None = None
    presence: PresenceChange | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"a step is one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def deed(self) -> "str | Chat | Saying | Call | Reply | Note | Change | PresenceChange":
        """What is done; a mail is its file name."""
        found: str | Chat | Saying | Call | Reply | Note | Change | PresenceChange
        found = getattr(self, next(iter(self.model_fields_set)))
        return found


class Scene(Part):
    """What happens at one time, `Mon 09:05`."""

    at: str = Field(pattern=r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):[0-5]\d$")
    title: str
    steps: list[Step] = []


class Count(Part):
    """How many findings there have to be."""

    at_least: int = 1
    exactly: int | None = None

    def holds(self, found: int) -> bool:
        """Whether so many will do."""
        return found >= self.at_least if self.exactly is None else found == self.exactly


class Expectation(Part):
    """Something that has to have happened: so many entries of a list of the document that match `where`."""

    what: str
    list_name: str = Field(alias="in")
    where: dict[str, Any] = {}
    count: Count = Count()


def _as_text(value: Any) -> Any:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value


class Day(Part):
    """The whole day."""

    timezone: str
    start: Annotated[str, BeforeValidator(_as_text)]
    scenes: list[Scene]
    why: list[str] = []
    expect: list[Expectation] = []

    @property
    def zone(self) -> ZoneInfo:
        """Where the story is told."""
        return ZoneInfo(self.timezone)

    @property
    def begins(self) -> datetime:
        """Its first instant, UTC."""
        return datetime.fromisoformat(self.start).replace(tzinfo=self.zone).astimezone(UTC)

    def instant(self, at: str) -> datetime:
        """The first `Mon 09:05` that is not before the day begins, UTC."""
        name, _, clock = at.partition(" ")
        first = self.begins.astimezone(self.zone)
        days = (WEEKDAYS.index(name.lower()) - first.weekday()) % 7
        local = datetime.combine(first.date() + timedelta(days=days), time.fromisoformat(clock), self.zone)
        return local.astimezone(UTC)

    def moment(self, instant: datetime) -> str:
        """An instant as the story tells it, `Mon 09:05`."""
        return instant.astimezone(self.zone).strftime("%a %H:%M")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for earlier, later in zip(self.scenes, self.scenes[1:], strict=False):
            if self.instant(later.at) < self.instant(earlier.at):
                raise ValueError(f"scenes: {later.at} comes after {earlier.at}")
        return self


PLACES: dict[Literal["mail", "chat"], tuple[str, str]] = {"mail": ("mails", ".eml"), "chat": ("chats", ".jsonl")}


def file_of(examples: Path, kind: Literal["mail", "chat"], name: str) -> Path:
    """The file of an example; Failure if there is none."""
    folder, suffix = PLACES[kind]
    path = examples / folder / f"{name}{suffix}"
    if not path.is_file():
        raise Failure(f"{path}: there is no such example")
    return path


def read_day(examples: Path) -> Day:
    """day.yaml of a folder of examples; Failure names field and reason."""
    path = examples / "day.yaml"
    try:
        day = Day.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise Failure(f"{path}: {fault.strerror}") from None
    except yaml.YAMLError as fault:
        raise Failure(f"{path}: {' '.join(str(fault).split())}") from None
    except ValidationError as fault:
        raise Failure(f"{path}: {'; '.join(map(str, problems_of(fault)))}") from None
    for step in (step for scene in day.scenes for step in scene.steps):
        if step.mail is not None:
            file_of(examples, "mail", step.mail)
        if step.chat is not None:
            file_of(examples, "chat", step.chat.file)
    return day
