"""Which tickets may be about the same matter, and what speaks for it (behaviour M-5).

Only tickets of the same person or organisation are ever compared: what others wrote is nobody's evidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from math import prod

from libs.contracts.ticket_state import Scalar
from services.intake.domain.similarity import Wording, alike, trigram_similarity
from services.intake.mail.subject import MAX_SUBJECT, normalised_subject

NEAR = timedelta(hours=72)
SIMILAR_SUBJECT, SIMILAR_TEXT = 0.45, 0.4


class Kind(StrEnum):
    """What speaks for it. The first four say whose and when, the others about what."""

    SAME_REQUESTER = "same_requester"
    SAME_NAME = "same_name"
    SAME_ORGANISATION = "same_organisation"
    NEAR_IN_TIME = "near_in_time"
    SAME_SUBJECT = "same_subject"
    SIMILAR_SUBJECT = "similar_subject"
    SIMILAR_TEXT = "similar_text"
    SHARED_NUMBER = "shared_number"
    SAME_FIELD = "same_field"


ABOUT = frozenset(Kind) - {Kind.SAME_REQUESTER, Kind.SAME_NAME, Kind.SAME_ORGANISATION, Kind.NEAR_IN_TIME}
WEIGHTS: Mapping[Kind, float] = {
    Kind.SAME_REQUESTER: 0.3,
    Kind.SAME_NAME: 0.1,
    Kind.SAME_ORGANISATION: 0.1,
    Kind.NEAR_IN_TIME: 0.15,
    Kind.SAME_SUBJECT: 0.5,
    Kind.SIMILAR_SUBJECT: 0.4,
    Kind.SIMILAR_TEXT: 0.5,
    Kind.SHARED_NUMBER: 0.6,
    Kind.SAME_FIELD: 0.6,
}
"""How much each says when it is certain; independent, so the score is 1 - the product of the rests."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is compared: a ticket there is, or one that somebody is about to create."""

    subject: str = ""
    text: str = ""
    custom: Mapping[str, Scalar] = field(default_factory=dict)
    customer_id: str | None = None
    organisation: str | None = None
    created_at: datetime | None = None
    id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for it. weight: 0 to 1. detail: what exactly, for people."""

    kind: Kind
    weight: float
    detail: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A ticket that may be the same matter. score: 0 to 1."""

    ticket_id: str
    score: float
    evidence: tuple[Evidence, ...]

    @property
    def is_about_the_same(self) -> bool:
        """Whether more than the people speak for it."""
        return any(each.kind in ABOUT for each in self.evidence)


class Comparison:
    """One matter against others, of which each may be looked at by itself. namesakes: customers who have the name that
    was asked for.
    """

    def __init__(self, matter: Matter, namesakes: frozenset[str] = frozenset()) -> None:
        self._mine, self._namesakes = _Read(matter), namesakes

    def suspicion(self, candidate: Matter) -> Suspicion | None:
        """None for the ticket itself, and those of others; a colleague's ticket is only one if it is about the same."""
        matter = self._mine.matter
        if candidate.id is None or candidate.id == matter.id:
            return None
        whose = _whose(matter, candidate, self._namesakes)
        if whose is None:
            return None
        evidence = (whose, *_when(matter, candidate), *_about(self._mine, _Read(candidate)))
        score = 1 - prod(1 - each.weight for each in evidence)
        suspicion = Suspicion(candidate.id, round(score, 3), evidence)
        return suspicion if whose.kind is not Kind.SAME_ORGANISATION or suspicion.is_about_the_same else None


def ranked(found: Iterable[Suspicion | None]) -> list[Suspicion]:
    """The likeliest first."""
    return sorted(filter(None, found), key=lambda each: (-each.score, each.ticket_id))


def suspicions(
    matter: Matter, candidates: Sequence[Matter], namesakes: frozenset[str] = frozenset()
) -> list[Suspicion]:
    """What is suspected of all of them, the likeliest first."""
    return ranked(map(Comparison(matter, namesakes).suspicion, candidates))


class _Read:
    """A matter, and what is compared of its words, each made once."""

    def __init__(self, matter: Matter) -> None:
        self.matter = matter

    @cached_property
    def subject(self) -> str:
        return normalised_subject(self.matter.subject)[:MAX_SUBJECT]

    @cached_property
    def subject_wording(self) -> Wording:
        return Wording(self.subject)

    @cached_property
    def wording(self) -> Wording:
        return Wording(self.matter.text)

    @cached_property
    def numbers(self) -> frozenset[str]:
        return Wording(self.matter.subject).numbers | self.wording.numbers


def _whose(matter: Matter, candidate: Matter, namesakes: frozenset[str]) -> Evidence | None:
    """None for a ticket of somebody else, which is none of our business."""
    if candidate.customer_id is not None and candidate.customer_id == matter.customer_id:
        return _certain(Kind.SAME_REQUESTER, "of the same person")
    if candidate.organisation is not None and candidate.organisation == matter.organisation:
        return _certain(Kind.SAME_ORGANISATION, f"of a colleague at {candidate.organisation}")
    if candidate.customer_id in namesakes:
        return _certain(Kind.SAME_NAME, "of somebody with that name")
    return None


def _when(matter: Matter, candidate: Matter) -> list[Evidence]:
    if matter.created_at is None or candidate.created_at is None:
        return []
    apart = abs(matter.created_at - candidate.created_at)
    if apart > NEAR:
        return []
    return [_certain(Kind.NEAR_IN_TIME, f"{apart.total_seconds() / 3600:.1f} h apart")]


def _about(mine: _Read, theirs: _Read) -> list[Evidence]:
    matter, candidate = mine.matter, theirs.matter
    found = _subjects(mine, theirs)
    if matter.text.strip() and candidate.text.strip():
        similarity = alike(mine.wording, theirs.wording)
        if similarity >= SIMILAR_TEXT:
            found.append(_graded(Kind.SIMILAR_TEXT, similarity, "of the words are the same"))
    if shared := sorted(mine.numbers & (theirs.numbers | {candidate.reference or ""})):
        found.append(_certain(Kind.SHARED_NUMBER, ", ".join(shared[:5])))
    both = matter.custom.keys() & candidate.custom.keys()
    same = sorted(key for key in both if matter.custom[key] == candidate.custom[key] and _tells(matter.custom[key]))
    if same:
        found.append(_certain(Kind.SAME_FIELD, ", ".join(f"{key} {matter.custom[key]}" for key in same[:5])))
    return found


def _subjects(mine: _Read, theirs: _Read) -> list[Evidence]:
    if not mine.subject or not theirs.subject:
        return []
    if mine.subject == theirs.subject:
        return [_certain(Kind.SAME_SUBJECT, f"“{mine.subject}”")]
    similarity = trigram_similarity(mine.subject_wording, theirs.subject_wording)
    if similarity < SIMILAR_SUBJECT:
        return []
    return [_graded(Kind.SIMILAR_SUBJECT, similarity, f"like “{theirs.subject}”")]


def _tells(value: Scalar) -> bool:
    """Whether two tickets that have this value have something in common: an order number, but no flag or count."""
    return isinstance(value, str) and any(sign.isdigit() for sign in value) and len(value) >= 4


def _certain(kind: Kind, detail: str) -> Evidence:
    return Evidence(kind, WEIGHTS[kind], detail)


def _graded(kind: Kind, similarity: float, detail: str) -> Evidence:
    return Evidence(kind, round(WEIGHTS[kind] * similarity, 3), f"{similarity:.0%} {detail}")
