"""The fields that a condition may name, and the operators that each kind of field understands."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

PRIORITIES = ("low", "medium", "high", "critical")
PRIORITY_ALIASES = {"urgent": "critical", "normal": "medium"}
STATUS_CATEGORIES = ("open", "pending", "on_hold", "resolved", "closed")

ME = "$me"
MY_QUEUES = "$my_queues"


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    KEY = "key"
    NAME = "name"
    PRIORITY = "priority"
    NUMBER = "whole number"
    FLAG = "true or false"
    TIME = "time"
    SET = "set"
    CUSTOM = "custom value"


EQUALITY = ("is", "is_not", "in", "not_in")
ORDER = ("less_than", "at_most", "greater_than", "at_least")
IN_TEXT = ("word", "contains", "matches")
PRESENCE = ("is_set", "is_unset")

OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: (*IN_TEXT, *PRESENCE),
    Kind.KEY: (*EQUALITY, *PRESENCE),
    Kind.NAME: (*EQUALITY, *IN_TEXT, *PRESENCE),
    Kind.PRIORITY: (*EQUALITY, *ORDER, *PRESENCE),
    Kind.NUMBER: (*EQUALITY, *ORDER, *PRESENCE),
    Kind.FLAG: ("is", "is_not", *PRESENCE),
    Kind.TIME: ("before", "after", "within", *PRESENCE),
    Kind.SET: ("has", "has_any", "has_none", *PRESENCE),
    Kind.CUSTOM: (*EQUALITY, *ORDER, *IN_TEXT, *PRESENCE),
}

NEGATED = {"is_not": "is", "not_in": "in", "has_none": "has_any", "is_unset": "is_set"}
"""Every operator that an unset value satisfies, with the positive one it denies (behaviour V-2)."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the grammar. `choices` limits its literals, `personal` names the `$` words it understands."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        return OPERATORS[self.kind]


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("subject", Kind.TEXT),
        Field("body", Kind.TEXT),
        Field("status", Kind.KEY),
        Field("status_category", Kind.KEY, choices=STATUS_CATEGORIES),
        Field("priority", Kind.PRIORITY, choices=(*PRIORITIES, *PRIORITY_ALIASES)),
        Field("assignee", Kind.KEY, personal=(ME,)),
        Field("queue", Kind.KEY, personal=(MY_QUEUES,)),
        Field("category", Kind.KEY),
        Field("tags", Kind.SET),
        Field("channel", Kind.KEY),
        Field("tier", Kind.KEY),
        Field("organisation", Kind.NAME),
        Field("language", Kind.KEY),
        Field("created_at", Kind.TIME),
        Field("updated_at", Kind.TIME),
        Field("resolved_at", Kind.TIME),
        Field("next_deadline", Kind.TIME),
        Field("human_replies", Kind.NUMBER),
        Field("customer_messages", Kind.NUMBER),
        Field("routed", Kind.FLAG),
        Field("spam", Kind.FLAG),
        Field("business_hours", Kind.FLAG),
        Field("hour", Kind.NUMBER),
        Field("weekday", Kind.NUMBER),
    )
}
"""Every declared field. `weekday` is Monday = 1 to Sunday = 7 and `hour` 0 to 23, both in the context's zone."""

CUSTOM_PREFIX = "custom."
_CUSTOM_NAME = re.compile(r"custom\.[a-z0-9][a-z0-9_]{0,63}")


@lru_cache(maxsize=4096)
def field_named(name: str) -> Field | None:
    """The field of that name; `custom.<key>` is a field for every key of a-z, 0-9 and _. None when there is none."""
    if _CUSTOM_NAME.fullmatch(name):
        return Field(name, Kind.CUSTOM)
    return FIELDS.get(name)
