"""What a bulk operation does to each of its tickets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Action:
    """One action for many tickets. change: fields as a PATCH has them; note: an internal note on each."""

    change: Mapping[str, Any] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    note: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Action":
        """From the JSON that `document` makes."""
        tags = {name: tuple(document[name]) for name in ("add_tags", "remove_tags")}
        return cls(document["change"], **tags, note=document["note"])

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "change": dict(self.change),
            "add_tags": list(self.add_tags),
            "remove_tags": list(self.remove_tags),
            "note": self.note,
        }


def wanted(action: Action, ticket: Ticket) -> dict[str, Any]:
    """The fields that the action asks for on this ticket; tags are added to and taken from those it has."""
    fields = dict(action.change)
    if action.add_tags or action.remove_tags:
        present = {*fields.get("tags", ticket.tags), *action.add_tags}
        fields["tags"] = tuple(sorted(present.difference(action.remove_tags)))
    elif "tags" in fields:
        fields["tags"] = tuple(fields["tags"])
    return fields
