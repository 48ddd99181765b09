"""Stories of tickets, made up from a seed: what every speaker says about them, each in its own order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeFailed, NoticeKind, NoticeSent
from libs.contracts.routing import TicketRouted
from libs.contracts.sla import Metric, Outcome, SlaCorrected, SlaDecided, SlaWarned, TargetsSet
from libs.contracts.ticket import (
    MessageKind,
    TicketChanged,
    TicketDeliveryFailed,
    TicketMerged,
    TicketMessageAdded,
    TicketNoteAdded,
    TicketOpened,
    TicketRated,
    TicketRemoved,
    TicketRestored,
    TicketUnmerged,
)
from libs.contracts.ticket_state import TicketState

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)
PRIORITIES = ("low", "medium", "high", "critical", None)
STATUSES = {"open": "open", "in_progress": "open", "pending": "pending", "resolved": "resolved", "closed": "closed"}


@dataclass
class Story:
    """One ticket and all that is said about it. `said` is in order of time; a speaker's facts are numbered."""

    ticket: str
    at: datetime = MONDAY
    fields: dict[str, Any] = field(default_factory=dict)
    said: list[Fact[Event]] = field(default_factory=list)

    @property
    def state(self) -> TicketState:
        status = self.fields.get("status", "open")
        given = {name: value for name, value in self.fields.items() if name not in ("status", "created_at")}
        return TicketState.model_validate(
            {
                "id": self.ticket,
                "status": status,
                "status_category": STATUSES[status],
                "channel": "email",
                "created_at": self.fields["created_at"],
                "updated_at": self.at,
                **given,
            }
        )

    def later(self, **span: float) -> "Story":
        self.at += timedelta(**span)
        return self

    def say(self, event: Event, *, actor: str | None = None) -> "Story":
        n = 1 + sum(fact.speaker is event.SPEAKER for fact in self.said)
        state = self.state.model_dump_json(exclude_defaults=True).encode() if event.SPEAKER == "intake" else None
        self.said.append(
            Fact(
                event.SPEAKER,
                self.ticket,
                n,
                event.TYPE,
                self.at,
                event,
                actor=actor,
                state_json=state,
                payload=event.wire_json(),
            )
        )
        return self

    def open(self, *, by_customer: bool = True, **fields: Any) -> "Story":
        self.fields.update(created_at=self.at, **fields)
        first = f"{self.ticket}-first"
        return self.say(TicketOpened(channel="email", message_id=first, opened_by_customer=by_customer))

    def change(self, actor: str | None = None, **fields: Any) -> "Story":
        self.fields.update(fields)
        return self.say(TicketChanged(changes={}), actor=actor)

    def message(self, kind: MessageKind, message_id: str, *, human: bool = True, author: str | None = None) -> "Story":
        said = TicketMessageAdded(message_id=message_id, kind=kind, human=human, author=author, channel="email")
        return self.say(said)

    def reply(self, message_id: str = "r1", author: str = "anna") -> "Story":
        return self.message(MessageKind.AGENT, message_id, author=author)

    def decide(self, outcome: Outcome, metric: Metric = Metric.FIRST_RESPONSE, instance: int = 1) -> "Story":
        return self.say(
            SlaDecided(
                metric=metric,
                instance=instance,
                outcome=outcome,
                at=self.at,
                deadline=self.at + timedelta(hours=1),
                cause="answered",
                priority=self.fields.get("priority"),
                running_seconds=1,
                calendar_seconds=1,
            )
        )

    def correct(self, new: Outcome, metric: Metric = Metric.FIRST_RESPONSE, instance: int = 1) -> "Story":
        old = Outcome.MET if new is Outcome.BREACHED else Outcome.BREACHED
        times = {"at": self.at, "deadline": self.at, "running_seconds": 1.0, "calendar_seconds": 1.0}
        return self.say(SlaCorrected(metric=metric, instance=instance, old=old, new=new, **times))


def random_story(ticket: str, random: Random, steps: int = 12) -> Story:
    """Anything may happen in any order, also what a careful service would never say."""
    story = Story(ticket, MONDAY + timedelta(seconds=random.randrange(14 * 86_400)))
    story.open(by_customer=random.random() < 0.8, tags=random.sample(["vip", "refund", "bug"], random.randrange(3)))
    for step in range(random.randrange(steps)):
        story.later(seconds=random.choice((0, 1, 40, 200, 900, 7200, 90_000, 700_000)) * random.random())
        random.choice(MOVES)(story, random, f"{ticket}-{step}")
    return story


def _change(story: Story, random: Random, message_id: str) -> None:
    fields: dict[str, Any] = {
        "priority": random.choice(PRIORITIES),
        "category": random.choice(("billing", "login", None)),
        "queue": random.choice(("general", "technical", None)),
        "assignee": random.choice(("anna", "ben", None)),
        "tags": random.sample(["vip", "refund", "bug"], random.randrange(3)),
        "status": random.choice(list(STATUSES)),
    }
    wanted = random.sample(list(fields), random.randrange(1, 4))
    actor = random.choice(("agent:anna", "agent:ben", "customer", "system", None))
    story.change(actor, **{name: fields[name] for name in wanted})


def _solve(story: Story, random: Random, message_id: str) -> None:
    story.change(random.choice(("agent:anna", "agent:ben")), status="resolved")
    if random.random() < 0.6:
        story.later(seconds=random.choice((60, 600, 86_400, 800_000)))
        story.change(random.choice(("agent:anna", "customer")), status="open")


def _write(story: Story, random: Random, message_id: str) -> None:
    kind = random.choice(list(MessageKind))
    story.message(kind, message_id, human=random.random() < 0.8, author="anna" if kind is MessageKind.AGENT else None)


def _verdict(story: Story, random: Random, message_id: str) -> None:
    metric, instance, outcome = random.choice(list(Metric)), random.randrange(1, 3), random.choice(list(Outcome))
    if random.random() < 0.8:
        story.decide(outcome, metric, instance)
    else:
        story.correct(outcome, metric, instance)


def _rest(story: Story, random: Random, message_id: str) -> None:
    bounced = f"{story.ticket}-{random.randrange(6)}"
    warning = {"threshold": 0.8, "scheduled_for": story.at, "deadline": story.at}
    story.say(
        random.choice(
            (
                TicketDeliveryFailed(message_id=bounced, permanent=random.random() < 0.7),
                TicketMerged(target="other"),
                TicketUnmerged(target="other"),
                TicketRemoved(reason="spam"),
                TicketRestored(reason="no spam"),
                TicketRated(score=random.randrange(1, 6)),
                TicketNoteAdded(message_id=message_id),
                TicketRouted(
                    decision_id="d", epoch=0, queue="general", fallback=random.random() < 0.5, reason="assigned"
                ),
                TargetsSet(targets=(), final=True),
                SlaWarned(metric=Metric.RESOLUTION, instance=1, **warning),
                NoticeSent(notice_id="n", kind=NoticeKind.REPLY),
                NoticeFailed(notice_id="n", kind=NoticeKind.REPLY, state="refused", reason="", permanent=True),
            )
        )
    )


MOVES = (_change, _change, _solve, _write, _write, _verdict, _rest)


def interleaved(stories: list[Story], random: Random) -> list[Fact[Event]]:
    """All facts in a random order that keeps each speaker's order about each ticket."""
    runs: dict[tuple[str, str], list[Fact[Event]]] = {}
    for story in stories:
        for fact in story.said:
            runs.setdefault((fact.speaker, fact.subject), []).append(fact)
    waiting = [each for run in runs.values() for each in [iter(run)] * len(run)]
    random.shuffle(waiting)
    return [next(run) for run in waiting]
