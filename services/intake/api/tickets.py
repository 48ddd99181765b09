"""Tickets: open, read, list, change."""

from typing import Any

from fastapi import APIRouter, Response

from libs.chassis.errors import Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from services.intake.api.answers import TicketAnswer, ticket_answer
from services.intake.api.asking import (
    AgentOrAbove,
    AskedOnce,
    IfMatch,
    Parts,
    answering_refusals,
    by,
    check_version,
    etag,
    known,
    locked,
)
from services.intake.api.bodies import Fields, NewTicket, Patch, priority
from services.intake.customers import Contact
from services.intake.desk import Desk, Words
from services.intake.domain.opening import subject_from
from services.intake.domain.recipe import Recipe
from services.intake.domain.ticket import Ticket
from services.intake.reading import ticket_id
from services.intake.speaking import Speaking
from services.intake.store import Store

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])

ALSO = """
SELECT t.next_deadline, c.url,
    ARRAY(SELECT mailbox FROM watching_mailboxes w WHERE w.ticket_id = t.id ORDER BY mailbox) AS also
FROM tickets t
LEFT JOIN conversations c ON c.source = t.source AND c.conversation_id = t.conversation_id WHERE t.id = $1
"""


@router.post("", status_code=201, response_model=TicketAnswer)
async def open_by_hand(body: NewTicket, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """A ticket by hand or by another program (phone, in person, social, forms)."""
    contact = Contact(**body.customer.model_dump())
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            desk = Desk(store, parts.settings, by(caller))
            words = None if body.text is None else Words(body.text)
            remark = None if body.note is None else Words(body.note)
            recipe = None
            if body.template is not None:
                recipe = known(store.configuration.prepared.templates, "template", body.template)
            with answering_refusals():
                decision = await desk.open(
                    opening_fields(filled(body, recipe, caller.agent), body.text)
                    | {"channel": body.channel, "status": _status(body, recipe), "language": body.language},
                    contact,
                    words,
                    remark,
                    answers=body.written_by == "agent",
                )
                if recipe is not None and recipe.note:
                    speaking = Speaking(store, desk, decision.ticket, body.language, caller.agent)
                    decision = await desk.note(decision.ticket, Words(await speaking.note(recipe) or ""))
            once.answer = await answer(201, decision.ticket, store, desk)
    return once.response()


@router.get("/{ticket}")
async def read(ticket: str, response: Response, caller: AgentOrAbove, parts: Parts) -> TicketAnswer:
    """One ticket, by id or reference."""
    async with parts.transactions.begin() as transaction:
        store = Store(transaction)
        found = await store.glance(await ticket_id(transaction.connection, ticket))
        if found is None:
            raise NotFound(f"there is no ticket {ticket}")
        shown = await described(found, store, Desk(store, parts.settings, by(caller)))
    response.headers["ETag"] = etag(found)
    return shown


@router.patch("/{ticket}")
async def patch(
    ticket: str, body: Patch, response: Response, caller: AgentOrAbove, parts: Parts, if_match: IfMatch = None
) -> TicketAnswer:
    """Change fields: 409 with the allowed statuses (behaviour S-7), 412 if the version in If-Match is not present."""
    wanted = wanted_fields(body)
    remark = None if body.handoff is None else Words(body.handoff.written())
    async with parts.transactions.begin() as transaction:
        store = Store(transaction)
        desk = Desk(store, parts.settings, by(caller))
        before = await locked(store, await ticket_id(transaction.connection, ticket))
        check_version(before, if_match)
        with answering_refusals():
            after = (await desk.change(before, wanted, remark)).ticket
        shown = await described(after, store, desk)
    response.headers["ETag"] = etag(after)
    return shown


def wanted_fields(body: Patch) -> dict[str, Any]:
    """The fields that a change names. Invalid (422) for one that cannot be unset."""
    wanted: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - {"handoff"}}
    for name in ("subject", "status", "tags", "custom"):
        if name in wanted and wanted[name] is None:
            raise Invalid(f"body.{name}", "cannot be unset")
    if "priority" in wanted:
        wanted["priority"] = priority(body.priority)
    return wanted


def filled(body: NewTicket, recipe: Recipe | None, me: str | None) -> NewTicket:
    """What is asked for, and from the template what is left out."""
    if recipe is None:
        return body
    given = recipe.opening(me)
    update = {name: value for name, value in given.items() if getattr(body, name) is None}
    tags = tuple(sorted({*body.tags, *recipe.add_tags}))
    return body.model_copy(update={**update, "tags": tags, "custom": {**recipe.custom, **body.custom}})


def _status(body: NewTicket, recipe: Recipe | None) -> str | None:
    return body.status or (None if recipe is None else recipe.status)


def opening_fields(body: Fields, text: str | None) -> dict[str, Any]:
    """Fields that whoever opens a ticket chose; the subject is made from the text where none is given."""
    fields: dict[str, Any] = {
        "priority": priority(body.priority),
        "assignee": body.assignee,
        "queue": body.queue,
        "category": body.category,
    }
    custom = {key: value for key, value in body.custom.items() if value is not None}
    chosen = {name for name, value in fields.items() if value is not None} | {f"custom.{key}" for key in custom}
    return {
        **fields,
        "subject": body.subject or subject_from(text or ""),
        "tags": body.tags,
        "custom": custom,
        "chosen": frozenset(chosen),
    }


async def answer(status: int, ticket: Ticket, store: Store, desk: Desk) -> Answer:
    """A ticket as an answer that can be given again."""
    content = await described(ticket, store, desk)
    return Answer.of(status, content, etag=etag(ticket), location=f"/v1/tickets/{ticket.id}")


async def described(ticket: Ticket, store: Store, desk: Desk) -> TicketAnswer:
    """A ticket with what stands in other places: its customer, its conversation, its deadline."""
    customer = await desk.customer(ticket)
    row = await store.transaction.connection.fetchrow(ALSO, ticket.id)
    deadline, url, also = (row["next_deadline"], row["url"], row["also"]) if row is not None else (None, None, [])
    return ticket_answer(
        ticket, store.statuses, customer, next_deadline=deadline, url=url, watching=also, unseen=desk.unseen
    )
