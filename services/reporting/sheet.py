"""Documents as CSV: one number a line, with the path that leads to it in the JSON form."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from pydantic import BaseModel

NAMING = ("metric", "priority", "key", "agent", "status", "period", "ticket")
"""Fields that tell the items of a list apart."""


def as_csv(document: BaseModel) -> str:
    """Lines of path and value, with a header; RFC 4180. Values that begin like a formula get an apostrophe."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(("path", "value"))
    writer.writerows((path, _harmless(value)) for path, value in _lines("", document.model_dump(mode="json")))
    return text.getvalue()


def _lines(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _lines(f"{path}.{name}" if path else name, part)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _lines(f"{path}[{_name(part, number)}]", part)
    else:
        yield path, "" if value is None else value


def _name(item: Any, number: int) -> str:
    if not isinstance(item, dict):
        return str(number)
    return "/".join(str(item[field]) for field in NAMING if item.get(field) is not None) or "none"


def _harmless(value: Any) -> Any:
    """What people typed must not run in a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
