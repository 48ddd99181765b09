"""Templates and macros: what is done to a ticket in one step (behaviour N-3, N-5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.contracts.ticket_state import Scalar
from services.intake.domain.tags import MOST
from services.intake.domain.ticket import Ticket

ME = "me"
"""The assignee that stands for whoever does it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a template or a macro does: an answer, a note, then all fields with the status as one change.

    version: changes with every word of it. fields: priority, category, queue, assignee, subject. response: key of a
    canned response, which a template proposes and a macro sends. note: whether it leaves a note. lead_only: for leads.
    """

    key: str
    version: str
    label: Mapping[str, str]
    queues: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    custom: Mapping[str, Scalar | None] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    status: str | None = None
    response: str | None = None
    note: bool = False
    lead_only: bool = False

    def opening(self, me: str | None) -> dict[str, str]:
        """The fields that hold one value each; `me` is whoever does it, nobody if a program does."""
        fields = {name: value for name, value in self.fields.items() if value != ME}
        return fields if me is None or self.fields.get("assignee") != ME else {**fields, "assignee": me}

    def wanted(self, ticket: Ticket, me: str | None) -> dict[str, Any]:
        """The fields as they should be, as far as the recipe says anything about them."""
        wanted: dict[str, Any] = {**self.opening(me)}
        if self.custom:
            wanted["custom"] = dict(self.custom)
        if self.add_tags or self.remove_tags:
            wanted["tags"] = tuple(sorted({*ticket.tags, *self.add_tags} - {*self.remove_tags})[:MOST])
        if self.status is not None and self.status != ticket.status:
            wanted["status"] = self.status
        return wanted
