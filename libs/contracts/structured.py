"""CloudEvents as JSON (CloudEvents JSON format 1.0): one event, or an array of them."""

import base64
import binascii
from typing import Any

from pydantic_core import from_json, to_json

from libs.contracts.envelope_error import EnvelopeError

Parsed = tuple[dict[str, str], bytes]
"""Attributes by name in their canonical text, and the data."""


def parse_event(document: bytes | str) -> Parsed:
    """One event. EnvelopeError names the member at fault."""
    return _event(_json(document))


def parse_batch(document: bytes | str) -> list[Parsed]:
    """The events of a document that is one event or an array of events."""
    value = _json(document)
    if not isinstance(value, list):
        return [_event(value)]
    return [_event_at(index, item) for index, item in enumerate(value)]


def render_event(attributes: dict[str, str], data: bytes) -> bytes:
    """One event as JSON. JSON data stands as it is, text as a string, anything else in base64."""
    member: dict[str, Any] = {}
    if data:
        member = _member(data, attributes.get("datacontenttype"))
    return to_json({**attributes, **member})


def is_json(content_type: str | None) -> bool:
    """Whether a content type declares JSON; an absent one does."""
    if content_type is None:
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.endswith(("/json", "+json"))


def _member(data: bytes, content_type: str | None) -> dict[str, Any]:
    if is_json(content_type):
        return {"data": from_json(data, allow_inf_nan=False)}
    try:
        return {"data": data.decode()}
    except UnicodeDecodeError:
        return {"data_base64": base64.b64encode(data).decode("ascii")}


def _json(document: bytes | str) -> Any:
    try:
        return from_json(document, allow_inf_nan=False)
    except ValueError as error:
        raise EnvelopeError("document", f"is not JSON: {error}") from None


def _event_at(index: int, value: Any) -> Parsed:
    try:
        return _event(value)
    except EnvelopeError as error:
        raise error.at(index) from None


def _event(value: Any) -> Parsed:
    if not isinstance(value, dict):
        raise EnvelopeError("document", "is not a JSON object")
    attributes = {
        name: _text(name, member)
        for name, member in value.items()
        if name not in ("data", "data_base64") and member is not None
    }
    return attributes, _data(value, attributes)


def _text(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
    raise EnvelopeError(name[:60], "is not a string, an integer or a Boolean")


def _data(value: dict[str, Any], attributes: dict[str, str]) -> bytes:
    encoded = value.get("data_base64")
    if encoded is not None:
        return _bytes(value, encoded)
    if "data" not in value:
        return b""
    content_type = attributes.setdefault("datacontenttype", "application/json")
    if is_json(content_type):
        return to_json(value["data"])
    if not isinstance(value["data"], str):
        raise EnvelopeError("data", f"is not a string, although datacontenttype is {content_type}")
    return value["data"].encode()


def _bytes(value: dict[str, Any], encoded: Any) -> bytes:
    if "data" in value:
        raise EnvelopeError("data_base64", "stands beside data; only one may be present")
    try:
        return base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise EnvelopeError("data_base64", "is not base64") from None
