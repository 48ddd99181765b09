"""What the routes have in common: who asks, with what, and how refusals of the domain are answered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Protocol, TypeVar

from fastapi import Header

from libs.chassis.asking import Admin as Admin
from libs.chassis.asking import AgentOrAbove as AgentOrAbove
from libs.chassis.asking import AskedOnce as AskedOnce
from libs.chassis.asking import LeadOrAbove as LeadOrAbove
from libs.chassis.asking import Parts as Parts
from libs.chassis.asking import System as System
from libs.chassis.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from libs.chassis.tokens import Caller, Role
from services.intake.chains import Chains
from services.intake.domain.decision import By, Refused
from services.intake.domain.erasing import ERASED
from services.intake.domain.fields import WrongField
from services.intake.domain.rights import NotYours
from services.intake.domain.status import UnknownStatus
from services.intake.domain.ticket import Ticket
from services.intake.domain.via import Via, through
from services.intake.store import Store

T = TypeVar("T")


IfMatch = Annotated[str | None, Header(alias="If-Match", description='The ETag that was read, e.g. `"3"`')]


def reads_inside(caller: Caller) -> bool:
    """Whether a caller may read what is for agents only: people do, programs do not, for what they read they may show
    to customers (behaviour N-1, H-2).
    """
    return caller.role is not Role.SYSTEM


def by(caller: Caller) -> By:
    """Who a caller is to the domain, and by which request: a person, unless the token is a system's."""
    cause = None if caller.request_id is None else through(Via.API, caller.request_id)
    if caller.agent is not None:
        return By(
            f"agent:{caller.agent}",
            agent=caller.agent,
            person=True,
            cause=cause,
            trace=caller.trace,
            role=caller.role.value,
        )
    person = caller.role is not Role.SYSTEM
    return By(caller.subject, person=person, cause=cause, trace=caller.trace, role=caller.role.value)


class Versioned(Protocol):
    """What is changed on the condition that nobody has changed it: a ticket, a view."""

    @property
    def version(self) -> int: ...


def etag(found: Versioned) -> str:
    """Its version, quoted."""
    return f'"{found.version}"'


def check_version(found: Versioned, if_match: str | None) -> None:
    """PreconditionFailed (412) if the caller has read another version."""
    if if_match is None or if_match.strip() == "*":
        return
    given = [value.strip().removeprefix("W/") for value in if_match.split(",")]
    if etag(found) not in given:
        raise PreconditionFailed(current=etag(found))


async def locked(store: Store, ticket_id: str, *, removed: bool = False) -> Ticket:
    """The ticket, locked. NotFound if there is none; Conflict if it was removed, unless that is what is asked for."""
    ticket = (await store.tickets([ticket_id])).get(ticket_id)
    if ticket is None:
        raise NotFound(f"there is no ticket {ticket_id}")
    if ticket.removed == ERASED:
        raise Conflict("the contents of this ticket were erased; nothing is done with it any more", removed=ERASED)
    if ticket.removed is not None and not removed:
        raise Conflict(f"the ticket is {ticket.removed}; restore it first", removed=ticket.removed)
    return ticket


async def living(store: Store, ticket_id: str) -> Ticket:
    """The ticket that takes what is written to this one, locked: of a merged one where it went (behaviour H-5)."""
    ticket = await locked(store, ticket_id)
    if ticket.merged_into is None:
        return ticket
    end = (await Chains(store.transaction.connection).living([ticket_id]))[ticket_id]
    found = await locked(store, end)
    if found.merged_into is not None:
        raise Conflict("the ticket is merged, and where it went could not be found out; ask again", merged_into=end)
    return found


@contextmanager
def answering_refusals() -> Iterator[None]:
    """What the domain refuses, as the API says it: 409 with the allowed statuses, 422 with the field that is wrong, 403
    for a field that is not the caller's to change.
    """
    try:
        yield
    except Refused as refused:
        raise Conflict(str(refused), allowed=refused.allowed) from None
    except NotYours as refused:
        raise Forbidden(str(refused)) from None
    except WrongField as wrong:
        raise Invalid(f"body.{wrong.field}", wrong.reason) from None
    except UnknownStatus as unknown:
        raise Invalid("body.status", f"{unknown.key!r} is not one of {', '.join(unknown.known)}") from None


def known(prepared: Mapping[str, T], what: str, key: str) -> T:
    """What is prepared under a key. NotFound."""
    found = prepared.get(key)
    if found is None:
        raise NotFound(f"there is no {what} {key!r}")
    return found
