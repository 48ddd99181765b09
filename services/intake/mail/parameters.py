"""A structured header value: a token and its parameters, such as Content-Type or Auto-Submitted."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from services.intake.mail.encoded_words import decode_extended, decode_words, without_escapes

MAX_REMEMBERED = 100
MAX_VALUE = 10_000
# an unclosed quote or comment runs to the end of the value, so that the scan is linear
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|\([^()]*\)?|;|[^";()]+|\)', re.DOTALL)
SECTION = re.compile(r"([^*]+)\*(?:(\d{1,3})(\*?))?$")
BARE_BOUNDARY = re.compile(r"\s+(?=[a-z]{1,20}\s*=\s*\")", re.IGNORECASE)


def parse_parameters(value: str) -> tuple[str, Mapping[str, str]]:
    """The leading token in lower case and the parameters by lower-case name, comments stripped (RFC 2045, 2231)."""
    return _remembered(value) if len(value) <= MAX_REMEMBERED else _parsed(value)


@lru_cache(maxsize=4096)
def _remembered(value: str) -> tuple[str, Mapping[str, str]]:
    # most parts of most mails have one of a few dozen values
    return _parsed(value)


def _parsed(value: str) -> tuple[str, Mapping[str, str]]:
    pieces = _pieces(value[:MAX_VALUE])
    token, *rest = pieces
    if "=" in token:
        # a forgotten semicolon: "multipart/mixed boundary=..."
        token, *missed = BARE_BOUNDARY.split(token, maxsplit=1)
        rest = missed + rest
    found: dict[str, str] = {}
    for piece in rest:
        name, separator, content = piece.partition("=")
        if separator and name.strip():
            found.setdefault(name.strip().lower(), _unquote(content.strip()))
    return without_escapes(token).strip().lower(), MappingProxyType(_joined(found))


def _pieces(value: str) -> list[str]:
    pieces = [""]
    for match in TOKEN.finditer(value):
        sign = match[0]
        if sign == ";":
            pieces.append("")
        elif not sign.startswith(("(", ")")):
            pieces[-1] += sign
    return pieces


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(.)", r"\1", value.strip('"')) if "\\" in value else value.strip('"')


def _joined(found: dict[str, str]) -> dict[str, str]:
    """Parameters with the numbered and extended sections of RFC 2231 put together, encoded words decoded."""
    plain = {name: decode_words(value) for name, value in found.items() if "*" not in name}
    sections: dict[str, list[tuple[int, bool, str]]] = {}
    for name, value in found.items():
        match = SECTION.match(name) if "*" in name else None
        if match:
            number = int(match[2]) if match[2] else 0
            sections.setdefault(match[1], []).append((number, not match[2] or bool(match[3]), value))
    for name, parts in sections.items():
        plain[name] = _sections_text(sorted(parts))
    return plain


def _sections_text(parts: list[tuple[int, bool, str]]) -> str:
    joined = "".join(value for _, _, value in parts)
    return decode_extended(joined) if any(extended for _, extended, _ in parts) else decode_words(joined)
