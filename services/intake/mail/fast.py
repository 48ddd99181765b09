"""The fast way to the tree of parts: the Rust parser, where it neither refuses nor damages the mail."""

import re

from fast_mail_parser import ParseError, PyMimePart, parse_email_tree

from services.intake.mail.headers import MAX_FIELDS, Headers
from services.intake.mail.parts import MAX_DEPTH, MAX_PARTS, Part, declared_type, leaf

MAX_WORDS = 500
MAX_NESTED = 1_000
# it drops bytes above 127 from the headers of parts; those of the mail itself are read by our own code
RAW_PART_HEADER = re.compile(rb"^(?:content-[a-z-]{1,40}:|[ \t]+(?:file)?name)[^\n]*?[\x80-\xff]", re.I | re.M)
# a delimiter, headers, and then a line that is neither header nor blank: it loses that line. What a pattern begins with
# is looked for many times faster than a line's begin, so the line's end before stands in front
HEADED = rb"--[^\n]*\n(?:[!-9;-~]{1,100}[ \t]*:[^\n]*\n|[ \t]+[^\s][^\n]*\n)++(?!\r?\n|--|\Z)"
UNSEPARATED, UNSEPARATED_AT_ONCE = re.compile(rb"\n" + HEADED), re.compile(HEADED)
# it knows neither uuencode nor what some programs call base64, and reads these as they are
DECODED = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


def fast_parts(raw: bytes) -> Part | None:
    """The tree, or None when only the careful way will do."""
    lowered = raw.lower()
    if overwhelms(raw, lowered) or damages(raw, lowered):
        return None
    try:
        tree = parse_email_tree(raw)
    except ParseError:
        return None
    seen: list[int] = []
    part = _converted(tree, MAX_DEPTH, seen)
    return part if len(seen) <= MAX_PARTS else None


def overwhelms(raw: bytes, lowered: bytes) -> bool:
    """Whether the Rust parser may need minutes: its time grows with the square of encoded words and parts. Mails within
    mails within mails it reads each by itself. lowered: `raw` in lower case.
    """
    if raw.count(b"=?") > MAX_WORDS or raw.count(b"\n--") > MAX_PARTS:
        return True
    return lowered.count(b"message/") > MAX_NESTED


def damages(raw: bytes, lowered: bytes) -> bool:
    """Whether the Rust parser would lose something of the mail that the careful way keeps. lowered: `raw` in lower
    case.
    """
    if not raw.isascii() and (b"quoted-printable" in lowered or RAW_PART_HEADER.search(raw)):
        # it drops raw bytes above 127 from quoted-printable text
        return True
    if b"multipart/" not in lowered:
        return False
    return UNSEPARATED_AT_ONCE.match(raw) is not None or UNSEPARATED.search(raw) is not None


def _converted(node: PyMimePart, depth: int, seen: list[int]) -> Part | None:
    seen.append(1)
    if sum(map(len, node.headers.values())) > MAX_FIELDS:
        return None
    if any(len(values) > 1 for name, values in node.headers.items() if name.lower() == "content-type"):
        return None
    if node.content_type.startswith("multipart/"):
        children = [_converted(child, depth - 1, seen) for child in node.children] if depth else []
        if not children or None in children:
            return None
        return Part(node.content_type, children=tuple(child for child in children if child is not None))
    headers = Headers(tuple((name, value) for name, values in node.headers.items() for value in values))
    if headers.raw("content-transfer-encoding").strip().lower() not in DECODED:
        return None
    if node.content is None:
        return None
    content_type, parameters = declared_type(headers, node.content_type)
    return leaf(headers, node.content, content_type, parameters)
