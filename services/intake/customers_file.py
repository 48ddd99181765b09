"""customers.yaml: organisations and their domains."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from libs.free_mail import free_mail
from services.intake.domain.organisations import Organisation, Organisations

CUSTOMERS_FILE = "customers.yaml"

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Domain = Annotated[
    str, StringConstraints(to_lower=True, strip_whitespace=True, pattern=r"^[^\s@.]+(\.[^\s@.]+)+$", max_length=253)
]


class Part(BaseModel):
    """A part of the file; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrganisationPart(Part):
    """One organisation as written."""

    name: str | None = Field(None, min_length=1, max_length=200)
    tier: Key | None = None
    domains: tuple[Domain, ...] = ()


class CustomersFile(Part):
    """The whole file."""

    organisations: dict[Key, OrganisationPart] = Field(default_factory=dict)
    by_domain: bool = Field(False, description="Whether every domain but those of free mail is an organisation.")
    free_mail: frozenset[Domain] = Field(frozenset(), description="Domains of free mail beside those known.")


def read_customers_file(document: Any) -> Organisations:
    """ValueError names file, field and reason."""
    try:
        written = CustomersFile.model_validate(document)
    except ValidationError as faults:
        first = faults.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{CUSTOMERS_FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    domains: dict[str, Organisation] = {}
    for key, part in written.organisations.items():
        for domain in part.domains:
            if domain in domains:
                raise ValueError(f"{CUSTOMERS_FILE}: organisations.{key}.domains: {domain} is {domains[domain].key}'s")
            domains[domain] = Organisation(key, part.name, part.tier)
    return Organisations(domains, written.by_domain, free_mail() | written.free_mail)
