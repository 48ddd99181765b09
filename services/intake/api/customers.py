"""Customers: look before creating, show with their tickets, change, link, merge."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from libs.chassis.errors import Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import DEFAULT_LIMIT, Limit, Page
from services.intake.api.answers import CustomerAnswer, customer_answer
from services.intake.api.asking import AgentOrAbove, AskedOnce, LeadOrAbove, Parts, by
from services.intake.api.bodies import Body, Email, Key, Name, Plain
from services.intake.directory import Directory
from services.intake.domain.phone import phone_key
from services.intake.domain.status import Statuses
from services.intake.people import People
from services.intake.store import Store

router = APIRouter(prefix="/v1", tags=["customers"])

SHOWN = 50
Phone = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True), Plain]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64), Plain]
Kind = Literal["email", "phone", "chat"]
Value = Annotated[str, StringConstraints(min_length=3, max_length=300, strip_whitespace=True), Plain]


class KnownBy(Body):
    """An address, a number, or a chat as `<source>/<conversation id>`."""

    kind: Kind
    value: Value


class IdentityAnswer(BaseModel):
    """What a customer is known by: email, phone, or chat as `<source>/<conversation id>`."""

    kind: str
    value: str


class CustomerTicket(BaseModel):
    """One of a customer's tickets."""

    id: str
    reference: str
    subject: str
    channel: str
    status: str
    status_category: str
    priority: str | None
    created_at: datetime
    updated_at: datetime
    merged_into: str | None


class PersonAnswer(CustomerAnswer):
    """A customer with everything they are known by, and their newest tickets; `GET /v1/tickets?customer=` has all."""

    created_at: datetime
    merged_into: str | None = Field(description="The record that has everything now, where two were one person")
    legal_hold: str | None = Field(description="Why nothing of them may be erased")
    erased_at: datetime | None
    identities: list[IdentityAnswer]
    tickets: list[CustomerTicket] = Field(description="The newest 50")


class CustomerPatch(Body):
    """Fields to change; null unsets."""

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    tier: Key | None = None
    organisation: Key | None = None


class CustomerMerge(Body):
    """Records that are the same person as this one."""

    sources: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=64), Plain], ...], Field(min_length=1, max_length=20)
    ]


class OrganisationAnswer(BaseModel):
    """An organisation of customers.yaml."""

    key: str
    name: str | None
    tier: str | None
    domains: list[str]


@router.get("/customers")
async def list_customers(
    caller: AgentOrAbove,
    parts: Parts,
    q: Annotated[
        str | None,
        Query(min_length=2, max_length=200, description="Start of an email or a name, a phone number, a chat's id"),
    ] = None,
    organisation: Annotated[str | None, Query(max_length=64, description="Only its people")] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[CustomerAnswer]:
    """People by what they are called or known by, to look before creating a ticket; or those of an organisation."""
    if q is None and organisation is None:
        raise Invalid("query.q", "is needed, or an organisation")
    async with parts.database.connection() as connection:
        directory = Directory(connection)
        if q is not None:
            found = await directory.search(q, limit, organisation)
        else:
            found = await directory.of_organisation(organisation or "", limit)
    return Page(items=[customer_answer(customer) for customer in found])


@router.get("/organisations")
async def list_organisations(caller: AgentOrAbove, parts: Parts) -> Page[OrganisationAnswer]:
    """The organisations of customers.yaml, with their domains."""
    async with parts.transactions.begin() as transaction:
        domains = transaction.config.parsed.organisations.domains
    found: dict[str, OrganisationAnswer] = {}
    for domain, each in sorted(domains.items()):
        shown = OrganisationAnswer(key=each.key, name=each.name, tier=each.tier, domains=[])
        found.setdefault(each.key, shown).domains.append(domain)
    return Page(items=list(found.values()))


@router.get("/customers/{customer}")
async def read_customer(customer: str, caller: AgentOrAbove, parts: Parts) -> PersonAnswer:
    """One customer with their tickets. A record that was merged says into which."""
    async with parts.database.connection() as connection:
        return await _shown(Directory(connection), customer, parts.configuration.current.parsed.statuses)


@router.patch("/customers/{customer}")
async def change_customer(customer: str, body: CustomerPatch, caller: AgentOrAbove, parts: Parts) -> PersonAnswer:
    """Change fields; tickets that are worked on follow in tier and organisation. 409 for an address of another."""
    wanted: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "phone" in wanted:
        wanted["phone"] = phone_key(wanted["phone"])
    async with parts.transactions.begin() as transaction:
        people = People(Store(transaction), by(caller))
        await people.change((await people.locked([customer]))[customer], wanted)
        return await _shown(Directory(transaction.connection), customer, transaction.config.parsed.statuses)


@router.post("/customers/{customer}/identities", status_code=201, response_model=PersonAnswer)
async def link(customer: str, body: KnownBy, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Know a customer by one more address, number or chat. 409 names who is known by it already: merge the two."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            people = People(Store(transaction), by(caller))
            await people.link((await people.locked([customer]))[customer], body.kind, _as_stored(body))
            statuses = transaction.config.parsed.statuses
            once.answer = Answer.of(201, await _shown(Directory(transaction.connection), customer, statuses))
    return once.response()


@router.post("/customers/{customer}/identities/unlink", response_model=PersonAnswer)
async def unlink(customer: str, body: KnownBy, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Forget that a customer is known by this; whoever writes under it next is somebody else."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            people = People(Store(transaction), by(caller))
            await people.unlink((await people.locked([customer]))[customer], body.kind, _as_stored(body))
            statuses = transaction.config.parsed.statuses
            once.answer = Answer.of(200, await _shown(Directory(transaction.connection), customer, statuses))
    return once.response()


@router.post("/customers/{customer}/merge", response_model=PersonAnswer)
async def merge(customer: str, body: CustomerMerge, caller: LeadOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Other records are this person: their addresses, numbers, chats and tickets become this one's. Not undone by a
    command, so a lead does it.
    """
    if customer in body.sources:
        raise Invalid("body.sources", "a customer cannot be merged into themselves")
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            people = People(Store(transaction), by(caller))
            found = await people.locked([customer, *body.sources])
            await people.merge(found[customer], [found[id] for id in dict.fromkeys(body.sources)])
            statuses = transaction.config.parsed.statuses
            once.answer = Answer.of(200, await _shown(Directory(transaction.connection), customer, statuses))
    return once.response()


def _as_stored(known: KnownBy) -> str:
    """Invalid (422) for what is no address or no chat."""
    if known.kind == "email":
        if known.value.count("@") != 1 or any(sign.isspace() for sign in known.value):
            raise Invalid("body.value", "is no address")
        return known.value.lower()
    if known.kind == "phone":
        return phone_key(known.value) or ""
    if "/" not in known.value:
        raise Invalid("body.value", "must be <source>/<conversation id>")
    return known.value


async def _shown(directory: Directory, id: str, statuses: Statuses) -> PersonAnswer:
    person = await directory.person(id)
    if person is None:
        raise NotFound(f"there is no customer {id}")
    return PersonAnswer(
        **customer_answer(person.customer).model_dump(),
        created_at=person.created_at,
        merged_into=person.merged_into,
        legal_hold=person.legal_hold,
        erased_at=person.erased_at,
        identities=[IdentityAnswer(kind=kind, value=value) for kind, value in person.identities],
        tickets=[_ticket(row, statuses) for row in await directory.tickets(id, SHOWN)],
    )


def _ticket(row: Mapping[str, Any], statuses: Statuses) -> CustomerTicket:
    return CustomerTicket(**{**row, "status": statuses.present(row["status"], row["status_category"]).key})
