"""Text of CloudEvents attributes as NATS header values (CloudEvents NATS binding 3.1.3.2)."""

import re
from re import Match

_PLAIN = re.compile(r"[!#$&-~]*")
_TO_ENCODE = re.compile(r"[^!#$&-~]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BACKSLASH_PAIR = re.compile(r"\\(.)", re.DOTALL)
_PERCENT_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode_header(text: str) -> str:
    """Percent-encode space, quote, percent and everything outside U+0021 to U+007E, as upper-case UTF-8 bytes.

    ValueError for a lone surrogate: it has no UTF-8 form.
    """
    if _PLAIN.fullmatch(text):
        return text
    return _TO_ENCODE.sub(_percent, text)


def decode_header(value: str) -> str:
    """The text of a header value: unquoted if it is a quoted string, then one round of percent-decoding.

    Needless encoding and lower-case digits are accepted. ValueError for bytes that are no UTF-8 (overlong forms
    included) and for a percent sign that two hexadecimal digits do not follow.
    """
    if _PLAIN.fullmatch(value):
        return value
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = _BACKSLASH_PAIR.sub(r"\1", quoted[1])
    if "%" not in value:
        return value
    if _STRAY_PERCENT.search(value):
        raise ValueError("a percent sign is not followed by two hexadecimal digits")
    return _PERCENT_RUN.sub(_bytes, value)


def _percent(match: Match[str]) -> str:
    try:
        return "".join(f"%{byte:02X}" for byte in match[0].encode())
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate cannot be encoded") from None


def _bytes(match: Match[str]) -> str:
    try:
        return bytes.fromhex(match[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{match[0]} is not UTF-8") from None
