"""What is said, or done, about a new ticket that may be there already (behaviour M-5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.contracts.suspicion import DuplicateEvidence, DuplicateSuspect, TicketDuplicateSuspected
from services.intake.domain.altered import altered
from services.intake.domain.decision import SYSTEM, Decision, Say
from services.intake.domain.duplicates import Kind, Matter, Suspicion
from services.intake.domain.ticket import Ticket

MOST = 5


@dataclass(frozen=True, slots=True)
class DuplicateRules:
    """suspect: whether new tickets are compared. merge_on: custom fields that two tickets of one person have the same
    value in only if they are one matter.
    """

    suspect: bool = False
    merge_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspected:
    """A ticket that may be the same, and why. worked_on: nobody has resolved it."""

    matter: Matter
    suspicion: Suspicion
    worked_on: bool = True


def worth_saying(new: Matter, found: Sequence[Suspected]) -> list[Suspicion]:
    """The tickets about the same that were there before it, created within 72 hours of it; the likeliest first."""
    earlier = [each.suspicion for each in found if is_earlier(each.matter, new)]
    near = [each for each in earlier if any(one.kind is Kind.NEAR_IN_TIME for one in each.evidence)]
    return [each for each in near if each.is_about_the_same][:MOST]


def same_by_key(new: Matter, found: Sequence[Suspected], rules: DuplicateRules) -> str | None:
    """The oldest ticket of the same person that is worked on and has exactly the value of the new one in one of the
    fields that say so; None if there is none.
    """
    if new.customer_id is None:
        return None
    theirs = [each.matter for each in found if each.worked_on and each.matter.customer_id == new.customer_id]
    same = [one.id for one in theirs if is_earlier(one, new) and _has_the_same(one, new, rules.merge_on)]
    return min(filter(None, same), default=None)


def _has_the_same(one: Matter, other: Matter, keys: Sequence[str]) -> bool:
    return any(one.custom.get(key, "") != "" and one.custom[key] == other.custom.get(key) for key in keys)


def is_earlier(one: Matter, other: Matter) -> bool:
    """Ids begin with the instant they were made at."""
    return one.id is not None and other.id is not None and one.id < other.id


def suspect(ticket: Ticket, suspicions: Sequence[Suspicion], now: datetime) -> Decision:
    """Say what is suspected of a ticket; nothing where there is nothing, or nobody works on the ticket any more."""
    if not suspicions or ticket.is_closed or ticket.merged_into is not None or ticket.removed is not None:
        return Decision(ticket)
    told = altered(ticket, version=ticket.version + 1, updated_at=now)
    return Decision(told, (Say(TicketDuplicateSuspected(suspects=tuple(map(_said, suspicions))), told, SYSTEM),))


def _said(suspicion: Suspicion) -> DuplicateSuspect:
    evidence = tuple(DuplicateEvidence(kind=each.kind, weight=each.weight) for each in suspicion.evidence)
    return DuplicateSuspect(ticket=suspicion.ticket_id, score=suspicion.score, evidence=evidence)
