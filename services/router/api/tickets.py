"""Why a ticket is where it is, and assigning it by hand."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

from libs.chassis.asking import AgentOrAbove, AskedOnce, Parts
from libs.chassis.errors import Conflict, Invalid, NotFound, NotReady, PreconditionFailed
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.resources import Resources
from services.router.assignment.explanation import readable
from services.router.assignment.floor import Floor
from services.router.rules import Key
from services.router.store import Store

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])

MOST_DECISIONS = 100


class Why(BaseModel):
    """Every decision about a ticket, the newest first, and where it stands."""

    ticket: str
    assignee: str | None
    queue: str | None
    waiting: bool
    deferred: bool
    reserved_for: str | None = Field(description="Agent of a decision that intake has not confirmed yet")
    decisions: list[dict[str, Any]]


class Assignment(BaseModel):
    """Who is to have the ticket; null takes it away from whoever has it. `queue` moves it as well."""

    model_config = ConfigDict(extra="forbid")

    assignee: Key | None
    queue: Key | None = None


class Accepted(BaseModel):
    """Intake has written it. `warnings`: over_capacity, not_in_queue, not_online (behaviour R-12: never blocked)."""

    ticket: str
    assignee: str | None
    warnings: list[str]


@router.get("/{ticket_id}/why")
async def why(ticket_id: str, caller: AgentOrAbove, parts: Parts) -> Why:
    """The rules that fired, what they set, every candidate with a reason code (behaviour R-11)."""
    async with parts.transactions.begin() as transaction:
        store = Store(transaction)
        ticket = (await store.tickets([ticket_id])).get(ticket_id)
        decisions = await store.decisions(ticket_id, MOST_DECISIONS)
    if ticket is None:
        raise NotFound(f"the router has not heard of a ticket {ticket_id!r}")
    return Why(
        ticket=ticket_id,
        assignee=ticket.assignee,
        queue=ticket.queue,
        waiting=ticket.waiting,
        deferred=ticket.deferred,
        reserved_for=ticket.reservation.agent if ticket.reservation is not None else None,
        decisions=[_shown(row) for row in decisions],
    )


@router.post("/{ticket_id}/assignment", status_code=202)
async def assign(
    ticket_id: str, wanted: Assignment, request: Request, caller: AgentOrAbove, asked: AskedOnce, parts: Parts
) -> Response:
    """Assign by hand. Intake's change of the ticket is what counts (decisions 8): it is made in the caller's name."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            known = (await store.tickets([ticket_id])).get(ticket_id)
            warnings = _warnings(await store.glance(), wanted, known.queue if known is not None else None)
            await _tell_intake(parts, request, ticket_id, wanted)
            once.answer = Answer.of(202, Accepted(ticket=ticket_id, assignee=wanted.assignee, warnings=warnings))
    return once.response()


def _shown(row: Any) -> dict[str, Any]:
    explained = readable(from_json(row["explanation"]), row["assignee"], row["reason"])
    columns = ("id", "at", "epoch", "queue", "assignee", "fallback", "config_version")
    return {"decision_id" if name == "id" else name: row[name] for name in columns} | explained


def _warnings(floor: Floor, wanted: Assignment, queue: str | None) -> list[str]:
    if wanted.queue is not None and wanted.queue not in floor.queues:
        raise Invalid("body.queue", f"queue {wanted.queue!r} does not exist")
    if wanted.assignee is None:
        return []
    agent = floor.agents.get(wanted.assignee)
    if agent is None or not agent.active:
        raise Invalid("body.assignee", f"{wanted.assignee!r} is no active agent")
    found = {"over_capacity": not agent.has_room, "not_online": not agent.takes_work}
    place = wanted.queue or queue
    found["not_in_queue"] = place is not None and place not in agent.queues
    return [warning for warning, applies in found.items() if applies]


async def _tell_intake(parts: Resources, request: Request, ticket_id: str, wanted: Assignment) -> None:
    """The caller's own token goes along: intake checks it, and its audit trail names the person."""
    url = parts.settings.intake_url
    if url is None:
        raise NotReady("this router knows no intake: set SIGNALBOX_INTAKE_URL")
    headers = {"Authorization": request.headers["authorization"], "X-Request-ID": request.state.request_id}
    address = f"{url}/v1/tickets/{quote(ticket_id, safe='')}"
    version = request.headers.get("if-match")
    if version is None:
        found = await parts.peers.get(address, headers=headers)
        _refuse(found.status_code, found.headers.get("etag"), ticket_id)
        version = found.headers.get("etag")
    content = wanted.model_dump(exclude_none=True) | {"assignee": wanted.assignee}
    if version is not None:
        headers["If-Match"] = version
    done = await parts.peers.patch(address, json=content, headers=headers)
    _refuse(done.status_code, done.headers.get("etag"), ticket_id)


def _refuse(status: int, version: str | None, ticket_id: str) -> None:
    """Intake's refusal as ours."""
    if status == 404:
        raise NotFound(f"there is no ticket {ticket_id!r}")
    if status == 412:
        raise PreconditionFailed(current=version)
    if status >= 500:
        raise NotReady("intake does not answer at the moment")
    if status >= 400:
        raise Conflict(f"intake refused the assignment ({status})")
