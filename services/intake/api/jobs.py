"""Bulk operations: one change for many tickets, done as a job."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from libs.chassis.errors import Conflict, Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from libs.chassis.tokens import Caller, Role
from libs.chassis.transaction import Transaction
from services.intake.api.asking import AgentOrAbove, AskedOnce, Parts, answering_refusals, by
from services.intake.api.bodies import Body, Patch, Plain, Tag, Text
from services.intake.api.selection import Selection, matching
from services.intake.api.tickets import wanted_fields
from services.intake.desk import Desk
from services.intake.domain.bulk import Action
from services.intake.domain.rights import check_change
from services.intake.domain.tags import MOST as MOST_TAGS
from services.intake.job_worker import JobWorker
from services.intake.jobs import Became, Jobs
from services.intake.reading import ticket_ids
from services.intake.store import Store

router = APIRouter(prefix="/v1", tags=["jobs"])

MOST = 10_000
SHOWN_FAILURES = 100
AFTER_ALL = "~"

TicketName = Annotated[str, StringConstraints(min_length=1, max_length=64), Plain]
Tags = Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)]
JobState = Literal["running", "done", "cancelled"]
EXAMPLE: JsonDict = {
    "filter": {"view": "unassigned", "tag": ["spam"]},
    "change": {"status": "resolved"},
    "note": "Cleared out",
}


class BulkBody(Body):
    """Which tickets, by id or reference or by what a list would show, and what is done to each.

    change: fields as a PATCH of one ticket has them. add_tags and remove_tags leave other tags alone. note: an internal
    note on each ticket, before the change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    tickets: Annotated[tuple[TicketName, ...], Field(min_length=1, max_length=MOST)] | None = None
    filter: Selection | None = None
    change: Patch = Patch()
    add_tags: Tags = ()
    remove_tags: Tags = ()
    note: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> "BulkBody":
        if (self.tickets is None) == (self.filter is None):
            raise ValueError("give either tickets or filter")
        if not (self.change.model_fields_set or self.add_tags or self.remove_tags or self.note):
            raise ValueError("nothing is to be done: give change, add_tags, remove_tags or note")
        return self


class Failure(BaseModel):
    """A ticket that was left as it was, and why."""

    ticket: str
    reason: str


class JobAnswer(BaseModel):
    """A bulk operation. `done + unchanged + failed` of `total` tickets are settled; the rest waits, or will not come
    if it was cancelled.
    """

    id: str
    state: JobState
    asked_by: str
    total: int
    done: int = Field(description="Tickets that were changed")
    unchanged: int = Field(description="Tickets that were so already")
    failed: int = Field(description="Tickets that refused it")
    created_at: datetime
    finished_at: datetime | None
    failures: list[Failure] = Field(description=f"The first {SHOWN_FAILURES}; the others by /v1/jobs/{{id}}/tickets")


class JobTicket(BaseModel):
    """One ticket of a job."""

    ticket: str
    state: Became | Literal["waiting"]
    reason: str | None


class JobPosition(Position):
    """Where a page of jobs, or of their tickets, ended."""

    id: str


def worker_of(request: Request) -> JobWorker:
    """Who does jobs in this process, or wakes who does."""
    return cast(JobWorker, request.app.state.jobs)


@router.post("/tickets/bulk", status_code=202, response_model=JobAnswer)
async def change_many(
    body: BulkBody,
    caller: AgentOrAbove,
    asked: AskedOnce,
    parts: Parts,
    worker: Annotated[JobWorker, Depends(worker_of)],
) -> Response:
    """Change up to 10,000 tickets. Which they are is settled now; 202 with the job that changes them one by one.

    422 for a field that no ticket could have, or a filter that more tickets fit; 404 for a reference nobody has. What a
    single ticket refuses is in the job.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            who, action = by(caller), _action(body)
            with answering_refusals():
                if "status" in action.change:
                    _ = store.statuses[action.change["status"]]
                # the worker that does it is nobody's
                check_change(who.role, store.configuration.fields, action.change.get("custom", ()))
            await Desk(store, parts.settings, who).check_roster(
                action.change.get("assignee"), action.change.get("queue")
            )
            tickets = await _tickets(body, caller, transaction)
            id = store.identities.new()
            jobs = Jobs(transaction.connection)
            await jobs.add(id, action, tickets, caller.subject, who, transaction.now)
            once.answer = Answer.of(202, await _shown(jobs, id, None), location=f"/v1/jobs/{id}")
    worker.asked.tell()
    return once.response()


@router.get("/jobs")
async def list_jobs(
    caller: AgentOrAbove, parts: Parts, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> Page[JobAnswer]:
    """Jobs of the last 30 days, the newest first, without their failures; agents see their own."""
    before = AFTER_ALL if cursor is None else decode(JobPosition, cursor).id
    async with parts.database.connection() as connection:
        rows = await Jobs(connection).latest(before, _only(caller), limit + 1)
    shown, following = page_of(rows, limit, lambda row: JobPosition(id=row["id"]))
    return Page(items=[_job(row, []) for row in shown], next=following)


@router.get("/jobs/{job}")
async def show_job(job: str, caller: AgentOrAbove, parts: Parts) -> JobAnswer:
    """How far a job is, and which tickets refused it. 404 also for another agent's job."""
    async with parts.database.connection() as connection:
        return await _shown(Jobs(connection), job, _only(caller))


@router.get("/jobs/{job}/tickets")
async def list_job_tickets(
    job: str,
    caller: AgentOrAbove,
    parts: Parts,
    state: Annotated[Became | Literal["waiting"] | None, Query(description="Only those")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> Page[JobTicket]:
    """What became of each ticket of a job."""
    after = "" if cursor is None else decode(JobPosition, cursor).id
    async with parts.database.connection() as connection:
        jobs = Jobs(connection)
        await _shown(jobs, job, _only(caller))
        rows = await jobs.tickets(job, after, state, limit + 1)
    shown, following = page_of(rows, limit, lambda row: JobPosition(id=row["ticket_id"]))
    items = [JobTicket(ticket=row["ticket_id"], state=row["state"], reason=row["reason"]) for row in shown]
    return Page(items=items, next=following)


@router.post("/jobs/{job}/cancel", response_model=JobAnswer)
async def cancel_job(job: str, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Stop a job; the batch under way is finished. 409 if it is over already. What was done stays done."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            jobs, only = Jobs(transaction.connection), _only(caller)
            stopped = await jobs.cancel(job, only, transaction.now)
            shown = await _shown(jobs, job, only)
            if not stopped:
                raise Conflict(f"this job is {shown.state}")
            once.answer = Answer.of(200, shown)
    return once.response()


def _only(caller: Caller) -> str | None:
    return caller.subject if caller.role is Role.AGENT else None


def _action(body: BulkBody) -> Action:
    if body.change.handoff is not None:
        raise Invalid("body.change.handoff", "is for one ticket; give a note instead")
    return Action(wanted_fields(body.change), body.add_tags, body.remove_tags, body.note)


async def _tickets(body: BulkBody, caller: Caller, transaction: Transaction) -> list[str]:
    if body.tickets is not None:
        return sorted(set(await ticket_ids(transaction.connection, body.tickets)))
    assert body.filter is not None
    found = await matching(body.filter, caller, transaction, MOST + 1)
    if len(found) > MOST:
        raise Invalid("body.filter", f"more than {MOST} tickets fit")
    return found


async def _shown(jobs: Jobs, id: str, only: str | None) -> JobAnswer:
    row = await jobs.one(id, only)
    if row is None:
        raise NotFound(f"there is no job {id}")
    failed = await jobs.tickets(id, "", Became.FAILED, SHOWN_FAILURES) if row["failed"] else []
    return _job(row, [Failure(ticket=each["ticket_id"], reason=each["reason"]) for each in failed])


def _job(row: Mapping[str, Any], failures: list[Failure]) -> JobAnswer:
    return JobAnswer(**{name: row[name] for name in JobAnswer.model_fields if name != "failures"}, failures=failures)
