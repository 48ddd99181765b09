"""Tickets as a team has them after a year: most are closed, three in a hundred are worked on, mostly new ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from math import exp
from random import Random
from typing import Any

from libs.contracts.identifiers import uuid7
from services.intake.domain.reference import reference

AGENTS = tuple(f"agent-{number}" for number in range(100))
QUEUES = ("billing", "technical", "orders", "returns", "accounts", "sales", "partners", "other")
PRIORITIES = (("low", 30), ("medium", 50), ("high", 15), ("critical", 5))
LANGUAGES = (("en", 70), ("de", 15), ("fr", 10), ("ja", 5))
YEAR = timedelta(days=365)
WORKED_ON_DAYS, RESOLVED_DAYS = 11.0, 8.0
"""How long tickets take: of those opened 11 days ago a third is still worked on."""
VOCABULARY, SUBJECT_WORDS, MESSAGE_WORDS = 20_000, 5, 30
ALWAYS: dict[str, Any] = {
    "channel": "email",
    "suppress_reply": False,
    "epoch": 1,
    "custom": "{}",
    "routed": True,
    "spam": False,
    "customer_messages": 1,
    "human_replies": 1,
    "set_by_person": [],
    "version": 4,
}


@dataclass(frozen=True, slots=True)
class Customer:
    """A row of `customers`."""

    id: str
    name: str
    email: str
    created_at: datetime


class Tickets:
    """So many tickets of the year before `now`; the same for the same number."""

    def __init__(self, many: int, now: datetime) -> None:
        self.many, self.now = many, now
        self._random = Random(many)
        self._words = [word(number) for number in range(VOCABULARY)]
        # the n-th most frequent word occurs once for n times the first, as in any language
        self._frequency = list(accumulate(1 / (place + 3) for place in range(VOCABULARY)))

    def customers(self) -> Iterator[Customer]:
        """One for three tickets."""
        for number in range(self.many // 3 + 1):
            name = f"{word(number).title()} {word(number * 7 + 3).title()}"
            email = f"{word(number)}.{number}@example{number % 97}.org"
            yield Customer(self._id(self.now - YEAR, number), name, email, self.now - YEAR)

    def rows(self, customers: list[str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each ticket with its first message, oldest first."""
        for number in range(self.many):
            created = self.now - YEAR * (1 - number / self.many)
            ticket = self._ticket(number, created) | {"customer_id": self._random.choice(customers)}
            message = {
                "id": self._id(created, number),
                "ticket_id": ticket["id"],
                "n": 1,
                "kind": "customer",
                "visibility": "public",
                "channel": "email",
                "at": created,
                "text": self._text(MESSAGE_WORDS),
            }
            yield ticket, message

    def _ticket(self, number: int, created: datetime) -> dict[str, Any]:
        age = (self.now - created) / timedelta(days=1)
        category, status = self._state(age)
        worked_on = category in ("open", "pending", "on_hold")
        updated = (
            created + (self.now - created) * self._random.random() if worked_on else self._settled(created, category)
        )
        assigned = not worked_on or self._random.random() < 0.97
        due = self.now + timedelta(hours=self._random.uniform(-24, 72))
        return ALWAYS | {
            "id": self._id(created, number),
            "reference": reference(1001 + number),
            "created_at": created,
            "updated_at": updated,
            "status": status,
            "status_category": category,
            "subject": self._text(SUBJECT_WORDS),
            "queue": self._random.choice(QUEUES),
            "assignee": self._random.choice(AGENTS) if assigned else None,
            "priority": self._of(PRIORITIES),
            "language": self._of(LANGUAGES),
            "tags": ["vip"] if self._random.random() < 0.02 else [],
            "next_deadline": due if category in ("open", "on_hold") else None,
        }

    def _state(self, age: float) -> tuple[str, str]:
        if self._random.random() < exp(-age / WORKED_ON_DAYS):
            choices = (("open", 60), ("in_progress", 10), ("pending", 20), ("waiting_on_internal", 10))
            status = self._of(choices)
            return {"in_progress": "open", "waiting_on_internal": "on_hold"}.get(status, status), status
        resolved = self._random.random() < exp(-age / RESOLVED_DAYS)
        return ("resolved", "resolved") if resolved else ("closed", "closed")

    def _settled(self, created: datetime, category: str) -> datetime:
        after = created + timedelta(days=self._random.expovariate(1 / 4) + (3 if category == "closed" else 0))
        return min(after, self.now - timedelta(seconds=self._random.uniform(0, 3 * 86_400)))

    def _text(self, words: int) -> str:
        return " ".join(self._random.choices(self._words, cum_weights=self._frequency, k=words))

    def _of(self, choices: tuple[tuple[str, int], ...]) -> str:
        return self._random.choices([name for name, _ in choices], [weight for _, weight in choices])[0]

    def _id(self, moment: datetime, number: int) -> str:
        return uuid7(moment, number % 4096, self._random.getrandbits(62))


def word(number: int) -> str:
    """A word of its own for each number below 20,000, pronounceable."""
    consonants, vowels = "bdfgklmnprst", "aeiou"
    syllables = []
    for _ in range(3):
        number, place = divmod(number, len(consonants) * len(vowels))
        syllables.append(consonants[place // len(vowels)] + vowels[place % len(vowels)])
    return "".join(syllables)
