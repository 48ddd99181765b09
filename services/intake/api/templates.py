"""What agents have at hand: canned responses, templates and macros, and their previews (behaviour N-3, N-5)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.chassis.errors import NotFound
from libs.chassis.pagination import Page
from libs.chassis.tokens import Caller
from libs.contracts.ticket import Change, TicketChanged
from libs.contracts.ticket_state import Scalar
from services.intake.api.asking import AgentOrAbove, Parts, by, known
from services.intake.api.bodies import Language
from services.intake.configuration import IntakeConfiguration
from services.intake.desk import Desk
from services.intake.domain.decision import Decision
from services.intake.domain.recipe import Recipe
from services.intake.reading import ticket_id
from services.intake.speaking import Speaking
from services.intake.store import Store

router = APIRouter(prefix="/v1", tags=["templates"])

Tried = Annotated[str | None, Query(max_length=64, description="Id or reference of the ticket to try it on")]
Spoken = Annotated[Language | None, Query(description="Else the ticket's language")]


class ResponseAnswer(BaseModel):
    """A canned response. `variables`: what it says of the ticket."""

    key: str
    version: str
    label: dict[str, str]
    queues: list[str]
    languages: list[str]
    variables: list[str]


class RecipeAnswer(BaseModel):
    """A template or macro. `variables`: what its note and its response say of the ticket."""

    key: str
    version: str
    label: dict[str, str]
    queues: list[str]
    fields: dict[str, str]
    custom: dict[str, Scalar | None]
    add_tags: list[str]
    remove_tags: list[str]
    status: str | None
    response: str | None
    variables: list[str]
    lead_only: bool


class Preview(BaseModel):
    """What would be written and changed. `problems`: names without a value, and what would be refused."""

    language: str | None
    note: str | None = None
    response: str | None = None
    changes: dict[str, Change] = Field(default_factory=dict)
    problems: list[str]


@router.get("/responses")
async def list_responses(caller: AgentOrAbove, parts: Parts) -> Page[ResponseAnswer]:
    """The canned responses."""
    prepared = _configuration(parts).prepared
    return Page(
        items=[
            ResponseAnswer(
                key=each.key,
                version=each.version,
                label=dict(each.label),
                queues=sorted(each.queues),
                languages=list(each.text.sources),
                variables=list(each.text.names),
            )
            for each in prepared.responses.values()
        ]
    )


@router.get("/templates")
async def list_templates(caller: AgentOrAbove, parts: Parts) -> Page[RecipeAnswer]:
    """The templates for recurring issues."""
    configuration = _configuration(parts)
    return Page(items=[_described(each, configuration) for each in configuration.prepared.templates.values()])


@router.get("/macros")
async def list_macros(caller: AgentOrAbove, parts: Parts) -> Page[RecipeAnswer]:
    """The macros."""
    configuration = _configuration(parts)
    return Page(items=[_described(each, configuration) for each in configuration.prepared.macros.values()])


@router.get("/responses/{key}/preview")
async def preview_response(
    key: str, caller: AgentOrAbove, parts: Parts, ticket: Tried = None, language: Spoken = None
) -> Preview:
    """What it would say, on a ticket or on none."""
    async with parts.transactions.begin() as transaction:
        speaking = await _speaking(Store(transaction), parts, caller, ticket, language)
        shown = await speaking.shown(known(speaking.store.configuration.prepared.responses, "response", key).text)
    return Preview(language=shown.language, response=shown.text, problems=list(shown.problems))


@router.get("/templates/{key}/preview")
async def preview_template(
    key: str, caller: AgentOrAbove, parts: Parts, ticket: Tried = None, language: Spoken = None
) -> Preview:
    """What it would write and change, on a ticket or on none; nothing happens."""
    async with parts.transactions.begin() as transaction:
        speaking = await _speaking(Store(transaction), parts, caller, ticket, language)
        return await _previewed(known(speaking.store.configuration.prepared.templates, "template", key), speaking)


@router.get("/macros/{key}/preview")
async def preview_macro(
    key: str, caller: AgentOrAbove, parts: Parts, ticket: Tried = None, language: Spoken = None
) -> Preview:
    """What it would send, write and change, on a ticket or on none; nothing happens."""
    async with parts.transactions.begin() as transaction:
        speaking = await _speaking(Store(transaction), parts, caller, ticket, language)
        return await _previewed(known(speaking.store.configuration.prepared.macros, "macro", key), speaking)


async def _speaking(store: Store, parts: Parts, caller: Caller, ticket: str | None, language: str | None) -> Speaking:
    found = None
    if ticket is not None:
        found = await store.glance(await ticket_id(store.transaction.connection, ticket))
        if found is None:
            raise NotFound(f"there is no ticket {ticket}")
    return Speaking(store, Desk(store, parts.settings, by(caller)), found, language, caller.agent)


async def _previewed(recipe: Recipe, speaking: Speaking) -> Preview:
    prepared = speaking.store.configuration.prepared
    note = await speaking.shown(prepared.notes[recipe.version]) if recipe.note else None
    response = await speaking.shown(prepared.responses[recipe.response].text) if recipe.response else None
    problems = [problem for each in (note, response) if each is not None for problem in each.problems]
    decision = Decision(speaking.ticket) if speaking.ticket is not None else None
    if decision is not None:
        try:
            decision = await speaking.desk.perform(decision.ticket, recipe, None, note.text if note else None)
        except ValueError as refused:
            problems.append(str(refused))
    return Preview(
        language=(note or response).language if note or response else None,  # type: ignore[union-attr]
        note=None if note is None else note.text,
        response=None if response is None else response.text,
        changes=_changes(decision),
        problems=list(dict.fromkeys(problems)),
    )


def _changes(decision: Decision | None) -> dict[str, Change]:
    said = () if decision is None else decision.say
    changed = [each.event for each in said if isinstance(each.event, TicketChanged)]
    return {name: change for event in changed for name, change in event.changes.items()}


def _described(recipe: Recipe, configuration: IntakeConfiguration) -> RecipeAnswer:
    prepared = configuration.prepared
    texts = [prepared.notes[recipe.version]] if recipe.note else []
    if recipe.response is not None:
        texts.append(prepared.responses[recipe.response].text)
    return RecipeAnswer(
        key=recipe.key,
        version=recipe.version,
        label=dict(recipe.label),
        queues=sorted(recipe.queues),
        fields=dict(recipe.fields),
        custom=dict(recipe.custom),
        add_tags=list(recipe.add_tags),
        remove_tags=list(recipe.remove_tags),
        status=recipe.status,
        response=recipe.response,
        variables=sorted({name for each in texts for name in each.names}),
        lead_only=recipe.lead_only,
    )


def _configuration(parts: Parts) -> IntakeConfiguration:
    configuration: IntakeConfiguration = parts.configuration.current.parsed
    return configuration
