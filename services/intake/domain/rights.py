"""Who may see and who may change which custom field (behaviour V-5).

A role is that of a token: agent, lead, admin, or system for programs, which may do everything with every field.
"""

from collections.abc import Collection, Mapping
from typing import Any

from services.intake.domain.fields import Fields, Rank, WrongField

EVERYBODY = Rank.AGENT
ORDER = tuple(Rank)
NAMES = frozenset({"conflicts", "taken"})
"""Where facts name custom fields."""


class NotYours(WrongField):
    """A field that this role may not change."""


def unseen_by(role: str, fields: Fields) -> frozenset[str]:
    """Keys of the fields that a role may not see."""
    return frozenset(key for key in fields.restricted if not _stands(role, fields.definitions[key].see))


def check_change(role: str, fields: Fields, keys: Collection[str]) -> None:
    """NotYours for the first of these fields that a role may not change, whatever its value."""
    for key in keys:
        definition = fields.definitions.get(key)
        if definition is not None and not _stands(role, definition.change):
            raise NotYours(f"custom.{key}", f"the role {role} may not change it")


def seen(custom: Mapping[str, Any], unseen: frozenset[str]) -> dict[str, Any]:
    """Custom fields as they are shown to somebody who may not see some of them."""
    return {key: value for key, value in custom.items() if key not in unseen}


def fact_as_seen(data: Mapping[str, Any], unseen: frozenset[str]) -> dict[str, Any]:
    """The data of a fact of any service, without what it says of these fields."""
    paths = {f"custom.{key}" for key in unseen}
    shown: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            inner = seen(value, unseen) if name == "custom" else value
            shown[name] = fact_as_seen({key: each for key, each in inner.items() if key not in paths}, unseen)
        elif name in NAMES and isinstance(value, list):
            shown[name] = [each for each in value if each not in unseen]
        else:
            shown[name] = value
    return shown


def _stands(role: str, least: Rank) -> bool:
    return role not in ORDER or ORDER.index(Rank(role)) >= ORDER.index(least)
