"""A field of a JSON Schema in words, as a cell of a Markdown table."""

from collections.abc import Iterable, Mapping
from typing import Any

from libs.contracts.schema_files import Schema

Definitions = Mapping[str, Schema]
"""The parts that references lead to, by name."""


def type_words(field: Schema, definitions: Definitions) -> str:
    """What values it takes: `string, 1 to 200 characters`. Being unset is not a value."""
    if "anyOf" in field:
        shapes = [type_words(shape, definitions) for shape in field["anyOf"] if shape.get("type") != "null"]
        return " or ".join(dict.fromkeys(shapes))
    if "$ref" in field:
        name = field["$ref"].removeprefix("#/$defs/")
        part = definitions[name]
        return type_words(part, definitions) if "enum" in part else f"[{name}](#{anchor(name)})"
    return code(field["enum"]) if "enum" in field else _plain(field, definitions)


def absence_words(name: str, field: Schema, required: Iterable[str]) -> str:
    """What it means that the field is not there."""
    if name in required:
        return "required"
    match field.get("default"):
        case bool(value):
            return f"`{str(value).lower()}`"
        case str(value) | int(value) | float(value) if value != "":
            return f"`{value}`"
        case dict(value) if value:
            return "its own defaults"
        case None if "anyOf" in field or "type" not in field:
            return "unset"
    return "empty"


def code(values: Iterable[Any]) -> str:
    """Each value as code."""
    return " ".join(f"`{value}`" for value in values)


def anchor(heading: str) -> str:
    """The link target of a heading."""
    return heading.lower().replace(".", "")


def _plain(field: Schema, definitions: Definitions) -> str:
    match field.get("type"):
        case "array":
            return f"list of {type_words(field['items'], definitions)}{_span(field, 'Items', ' entries')}"
        case "object":
            return f"object of {type_words(field['additionalProperties'], definitions)} by key"
        case "string" if field.get("format") == "date-time":
            return "time, RFC 3339"
        case "string":
            return f"string{_span(field, 'Length', ' characters')}"
        case str(kind):
            return f"{kind}{_span(field, 'imum', '')}{_open_span(field)}"
    return "any value"


def _span(field: Schema, of: str, unit: str) -> str:
    match field.get(f"min{of}"), field.get(f"max{of}"):
        case None, None:
            return ""
        case None, high:
            return f", at most {high}{unit}"
        case low, None:
            return f", at least {low}{unit}"
        case low, high:
            return f", {low} to {high}{unit}"
    return ""


def _open_span(field: Schema) -> str:
    above, below = field.get("exclusiveMinimum"), field.get("exclusiveMaximum")
    return ("" if above is None else f", above {above}") + ("" if below is None else f", below {below}")
