"""Templates and macros, done: all that they say in one transaction, or nothing (behaviour N-3, N-5)."""

from dataclasses import replace

from fastapi import APIRouter, Response
from pydantic import BaseModel

from libs.chassis.errors import Forbidden
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.tokens import Caller, Role
from services.intake.api.answers import TicketAnswer
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
from services.intake.api.bodies import ApplyTemplate, RunMacro
from services.intake.api.tickets import described
from services.intake.desk import Desk
from services.intake.domain.decision import By
from services.intake.domain.recipe import Recipe
from services.intake.domain.via import Via, through
from services.intake.reading import ticket_id
from services.intake.speaking import Speaking
from services.intake.store import Store

router = APIRouter(prefix="/v1/tickets/{ticket}", tags=["templates"])


class Applied(BaseModel):
    """A ticket after a template. `draft`: the response it proposes, for the agent to send."""

    ticket: TicketAnswer
    draft: str | None
    message_ids: list[str]


class Performed(BaseModel):
    """A ticket after a macro, and the messages and notes that were stored."""

    ticket: TicketAnswer
    message_ids: list[str]


@router.post("/apply-template", response_model=Applied)
async def apply_template(
    ticket: str, body: ApplyTemplate, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, if_match: IfMatch = None
) -> Response:
    """Fill the fields, leave the note, propose the response: one step (behaviour N-3)."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            recipe = known(store.configuration.prepared.templates, "template", body.template)
            desk = Desk(store, parts.settings, _through(caller, Via.TEMPLATE, recipe))
            before = await locked(store, await ticket_id(transaction.connection, ticket))
            check_version(before, if_match)
            speaking = Speaking(store, desk, before, body.language, caller.agent)
            draft = await speaking.response(recipe)
            with answering_refusals():
                decision = await desk.perform(before, recipe, None, await speaking.note(recipe))
            await desk.store(decision)
            shown = await described(decision.ticket, store, desk)
            content = Applied(ticket=shown, draft=draft, message_ids=[each.id for each in decision.messages])
            once.answer = Answer.of(200, content, etag=etag(decision.ticket))
    return once.response()


@router.post("/macros/{macro}", response_model=Performed)
async def run_macro(
    ticket: str,
    macro: str,
    body: RunMacro,
    caller: AgentOrAbove,
    asked: AskedOnce,
    parts: Parts,
    if_match: IfMatch = None,
) -> Response:
    """Do all that the macro says, or nothing (behaviour N-5)."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            recipe = known(store.configuration.prepared.macros, "macro", macro)
            if recipe.lead_only and caller.role is Role.AGENT:
                raise Forbidden(f"the macro {macro} is for leads")
            desk = Desk(store, parts.settings, _through(caller, Via.MACRO, recipe))
            before = await locked(store, await ticket_id(transaction.connection, ticket))
            check_version(before, if_match)
            speaking = Speaking(store, desk, before, body.language, caller.agent)
            answer = await speaking.response(recipe)
            with answering_refusals():
                decision = await desk.perform(before, recipe, answer, await speaking.note(recipe))
            await desk.store(decision)
            shown = await described(decision.ticket, store, desk)
            content = Performed(ticket=shown, message_ids=[each.id for each in decision.messages])
            once.answer = Answer.of(200, content, etag=etag(decision.ticket))
    return once.response()


def _through(caller: Caller, via: Via, recipe: Recipe) -> By:
    """Who does it, through which recipe in which version, by which request."""
    request = f"/{caller.request_id}" if caller.request_id is not None else ""
    return replace(by(caller), cause=through(via, f"{recipe.key}@{recipe.version}{request}"))
