"""Encoded words of RFC 2047 and extended values of RFC 2231."""

import binascii
import re
from urllib.parse import unquote_to_bytes

from services.intake.mail.charset import decode

# every class stops at "?", so that a scan of any input stays linear
WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")


def decode_words(value: str) -> str:
    """`value` with its encoded words decoded; white space between two encoded words disappears (RFC 2047, 6.2).

    Surrogate escapes of raw bytes become U+FFFD, except within an encoded word, whose charset says what they are.
    """
    if "=?" not in value:
        return without_escapes(value)
    out: list[str] = []
    run: list[tuple[str, bytes]] = []
    position = 0
    for match in WORD.finditer(value):
        gap = value[position : match.start()]
        if gap.strip() or not run:
            out.append(_decode_run(run))
            run = []
            out.append(without_escapes(gap))
        run.append((match[1].partition("*")[0], _word_bytes(match[2], match[3])))
        position = match.end()
    out.append(_decode_run(run))
    out.append(without_escapes(value[position:]))
    return "".join(out)


def without_escapes(value: str) -> str:
    """`value` with every raw byte that is no UTF-8 replaced by U+FFFD."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decode_run(run: list[tuple[str, bytes]]) -> str:
    """Adjacent words of one charset are decoded together: senders split inside a character."""
    text: list[str] = []
    pending, charset = b"", ""
    for label, content in run:
        if label.lower() != charset:
            text.append(decode(pending, charset))
            pending, charset = b"", label.lower()
        pending += content
    text.append(decode(pending, charset))
    return "".join(text)


def _word_bytes(encoding: str, payload: str) -> bytes:
    content = payload.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(content, header=True)
    try:
        return binascii.a2b_base64(content + b"=" * (-len(content) % 4))
    except binascii.Error:
        return content


def decode_extended(value: str) -> str:
    """The text of an RFC 2231 value such as `UTF-8'en'%E2%82%AC`."""
    charset, separator, rest = value.partition("'")
    _language, second, payload = rest.partition("'")
    if not (separator and second):
        return decode(unquote_to_bytes(value.encode("utf-8", "surrogateescape")))
    return decode(unquote_to_bytes(payload.encode("utf-8", "surrogateescape")), charset)
