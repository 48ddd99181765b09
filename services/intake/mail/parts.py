"""The tree of parts of a mail, and the careful way to it: own splitting in linear time, every repair the sender needs.

The standard library's parser checks every line against every open boundary, so a megabyte of nested multiparts keeps it
busy for minutes; here each level scans its own text once and the depth is capped.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from services.intake.mail.headers import Headers, split_headers
from services.intake.mail.parameters import parse_parameters
from services.intake.mail.transfer import is_sound_quoted, undo

TYPE = re.compile(r"[^\s/]+/[^\s/]+")
TEXT = frozenset({"text/plain", "text/html"})
# transfer encodings that change nothing
AS_IT_IS = frozenset({"", "7bit", "8bit", "binary"})
MAX_DEPTH = 20
MAX_PARTS = 1000


class TooComplex(Exception):
    """The mail nests deeper, or has more parts, than any mail that a person or a shop sends."""


@dataclass(frozen=True, slots=True)
class Part:
    """One node of the tree: a leaf with its transfer-decoded content, or a multipart with children."""

    content_type: str
    charset: str = ""
    filename: str = ""
    content_id: str = ""
    disposition: str = ""
    flowed: bool = False
    delete_space: bool = False
    content: bytes = b""
    children: tuple["Part", ...] = ()

    @property
    def is_multipart(self) -> bool:
        """Whether the part holds parts instead of content."""
        return bool(self.children)

    @property
    def main_type(self) -> str:
        """What stands before the slash."""
        return self.content_type.partition("/")[0]


@dataclass(slots=True)
class Budget:
    """How many parts may still be made."""

    left: int = field(default=MAX_PARTS)

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooComplex(f"more than {MAX_PARTS} parts")


def careful_parts(headers: Headers, body: bytes) -> Part:
    """The tree under a mail's headers and body. Raises TooComplex beyond MAX_DEPTH or MAX_PARTS."""
    return _part(headers, body, "text/plain", MAX_DEPTH, Budget())


def _part(headers: Headers, body: bytes, default_type: str, depth: int, budget: Budget) -> Part:
    budget.spend()
    content_type, parameters = declared_type(headers, default_type)
    boundary = parameters.get("boundary", "").rstrip()
    if content_type.startswith("multipart/") and boundary:
        if not depth:
            raise TooComplex(f"nested deeper than {MAX_DEPTH} levels")
        below = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        children = tuple(
            _part(*split_headers(section), below, depth - 1, budget) for section in sections(body, boundary)
        )
        if children:
            return Part(content_type, children=children)
    if content_type.startswith("multipart/"):
        # no section found: what is there is read as text, so that nothing a customer wrote is lost
        content_type = "text/plain"
    return leaf(headers, undo(body, headers.raw("content-transfer-encoding")), content_type, parameters)


def leaf(headers: Headers, content: bytes, content_type: str, parameters: Mapping[str, str]) -> Part:
    """A part without children from its headers and its decoded content."""
    disposition, described = parse_parameters(headers.raw("content-disposition"))
    return Part(
        content_type=content_type,
        charset=parameters.get("charset", ""),
        filename=base_name(described.get("filename") or parameters.get("name", "")),
        content_id=headers.get("content-id").strip("<> \t"),
        disposition=disposition,
        flowed=parameters.get("format", "").lower() == "flowed",
        delete_space=parameters.get("delsp", "").lower() == "yes",
        content=content,
    )


def declared_type(headers: Headers, default_type: str = "text/plain") -> tuple[str, Mapping[str, str]]:
    """Type and parameters of a part. Of several Content-Type fields the last counts: it describes what follows it."""
    values = headers.all_raw("content-type")
    return content_type_of(values[-1] if values else "", default_type)


def is_bare_text(headers: Headers, body: bytes) -> bool:
    """Whether the mail is text alone, in one part whose encoding everybody undoes the same way."""
    content_type, _ = declared_type(headers)
    if content_type not in TEXT or "content-disposition" in headers:
        return False
    encoding = headers.raw("content-transfer-encoding").strip().lower()
    return encoding in AS_IT_IS or (encoding == "quoted-printable" and is_sound_quoted(body))


def content_type_of(value: str, default_type: str = "text/plain") -> tuple[str, Mapping[str, str]]:
    """Type and parameters of a Content-Type value; a missing or unreadable one is the default."""
    if not value:
        return default_type, MappingProxyType({})
    content_type, parameters = parse_parameters(value)
    return (content_type if TYPE.fullmatch(content_type) else "text/plain"), parameters


def base_name(filename: str) -> str:
    """The last component of a file name, whatever system it came from; control signs removed."""
    if not filename:
        return ""
    name = re.split(r"[/\\]", filename)[-1]
    return "".join(sign for sign in name if sign.isprintable()).strip()[:255]


def sections(body: bytes, boundary: str) -> Iterator[bytes]:
    """The sections between the delimiter lines of a multipart. A missing close delimiter ends with the body."""
    delimiter = re.escape(b"--" + boundary.encode("utf-8", "surrogateescape"))
    # a program may write on after a close delimiter, but not after another
    line = rb"^" + delimiter + rb"(?:[ \t]*\r?|(--)[^\n]*)(?:\n|\Z)"
    start = None
    for match in re.finditer(line, body, re.MULTILINE):
        if start is not None:
            yield _without_last_break(body[start : match.start()])
        start = match.end()
        if match[1]:
            return
    if start is not None and body[start:].strip():
        yield body[start:]


def _without_last_break(section: bytes) -> bytes:
    """The line break before a delimiter belongs to the delimiter (RFC 2046, 5.1.1)."""
    return section.removesuffix(b"\n").removesuffix(b"\r")
