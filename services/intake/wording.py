"""Texts that agents have at hand: Jinja2 in a sandbox, by language (behaviour N-3).

An unknown name refuses the configuration; a name without a value is empty when a text is used, and named in a preview.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.intake.domain.message import Customer
from services.intake.domain.ticket import Ticket

NAMES = frozenset(
    {"reference", "subject", "customer", "agent", "queue", "category", "priority", "status", "channel", "custom"}
)
"""What a text may say. `custom.<key>` is a custom field of the ticket."""
LONGEST = 20_000


def _shown(value: Any) -> Any:
    return "" if value is None else value


LENIENT = ImmutableSandboxedEnvironment(autoescape=False, finalize=_shown)
STRICT = ImmutableSandboxedEnvironment(autoescape=False, finalize=_shown, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class Wording:
    """A finished text. problems: what was empty, or went wrong."""

    language: str
    text: str
    problems: tuple[str, ...] = ()


class Texts:
    """One text in its languages; the first is spoken where there is no nearer one."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """sources: by language. ValueError for a text that cannot be used."""
        self.sources = {language.lower(): source for language, source in sources.items()}
        names: set[str] = set()
        for language, source in self.sources.items():
            names |= _names(language, source)
        self.names = tuple(sorted(names))

    def render(self, language: str | None, values: Mapping[str, Any]) -> Wording:
        """In the nearest language; what has no value is empty."""
        chosen = self._language(language)
        try:
            text = LENIENT.from_string(self.sources[chosen]).render(values)
        except TemplateError as fault:
            return Wording(chosen, "", (str(fault),))
        return Wording(chosen, text.strip()[:LONGEST])

    def preview(self, language: str | None, values: Mapping[str, Any]) -> Wording:
        """The same, with what has no value."""
        lenient = self.render(language, values)
        empty = [f"{name} has no value" for name in self.names if name != "custom" and values.get(name) is None]
        try:
            STRICT.from_string(self.sources[lenient.language]).render(values)
        except TemplateError as fault:
            empty.append(str(fault))
        return Wording(lenient.language, lenient.text, (*lenient.problems, *empty))

    def _language(self, wanted: str | None) -> str:
        language = (wanted or "").lower().replace("_", "-")
        while language and language not in self.sources:
            language = language.rpartition("-")[0]
        return language or next(iter(self.sources))


def values_of(ticket: Ticket, customer: Customer | None, agent: str | None) -> dict[str, Any]:
    """What texts say about a ticket."""
    return {
        "reference": ticket.origin.reference,
        "subject": ticket.subject,
        "customer": None if customer is None else customer.name,
        "agent": agent,
        "queue": ticket.queue,
        "category": ticket.category,
        "priority": ticket.priority,
        "status": ticket.status,
        "channel": ticket.origin.channel,
        "custom": ticket.custom,
    }


def _names(language: str, source: str) -> set[str]:
    try:
        names = meta.find_undeclared_variables(STRICT.parse(source))
    except TemplateError as fault:
        raise ValueError(f"{language}: {fault}") from None
    unknown = sorted(names - NAMES)
    if unknown:
        raise ValueError(f"{language}: {unknown[0]} is not one of {', '.join(sorted(NAMES))}")
    return names
