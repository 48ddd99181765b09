"""The header section of a mail or of one of its parts."""

import re
from collections.abc import Iterator, Set
from typing import NamedTuple

from services.intake.mail.encoded_words import decode_words

MAX_FIELDS = 2000
MAX_VALUE = 65_536
MAX_LINES = 10_000
END = re.compile(rb"\r?\n(?=\r?\n)|\r\r")
FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:[ \t]*(.*)", re.DOTALL)
ENVELOPES = ("From ", ">From ")
FOLD = re.compile(r"[\r\n]+[ \t]*")


class Headers:
    """A case-insensitive map of header fields with all their values, in the order of the mail.

    Values are unfolded. Raw bytes are read as UTF-8 (RFC 6532); what is not UTF-8 becomes U+FFFD and is not guessed.
    `damaged` says that lines were skipped or cut off.
    """

    __slots__ = ("_values", "damaged", "fields")

    def __init__(self, fields: tuple[tuple[str, str], ...] = (), damaged: bool = False) -> None:
        self.fields = fields
        self.damaged = damaged
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, decode_words(value)) for name, value in self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash(self.fields)

    def __repr__(self) -> str:
        return f"Headers({self.fields!r})"

    def get(self, name: str) -> str:
        """The first value, decoded; empty when the field is missing."""
        return decode_words(self.raw(name))

    def raw(self, name: str) -> str:
        """The first value as written, for a parser that decodes: raw bytes as surrogate escapes. Empty when missing."""
        values = self._values.get(name.lower())
        return values[0] if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every value, decoded, in order."""
        return tuple(decode_words(value) for value in self._values.get(name.lower(), ()))

    def all_raw(self, name: str) -> tuple[str, ...]:
        """Every value as written, see `raw`, in order."""
        return tuple(self._values.get(name.lower(), ()))

    def names(self) -> Set[str]:
        """The names of all fields, in lower case."""
        return self._values.keys()


def split_headers(raw: bytes) -> tuple[Headers, bytes]:
    """The header section and the body. A mail that begins with no header is all body."""
    if raw.startswith((b"\n", b"\r\n")):
        return Headers(), raw.partition(b"\n")[2]
    end = END.search(raw)
    section_end = end.start() if end else len(raw)
    section = read_fields(raw[:section_end])
    if section.length < section_end:
        return Headers(section.fields, damaged=True), raw[section.length :]
    body = raw[end.end() :] if end else b""
    return Headers(section.fields, section.skipped), body.removeprefix(b"\r").removeprefix(b"\n")


class Section(NamedTuple):
    """A header section: its fields, how many bytes belong to it, and whether lines or fields in it were skipped."""

    fields: tuple[tuple[str, str], ...]
    length: int
    skipped: bool


def read_fields(section: bytes) -> Section:
    """The header section at the start of `section`, which has no blank line.

    A line that is no header is skipped when headers follow it (a fold that lost its indent); otherwise the text of the
    mail begins there (a sender that forgot the blank line).
    """
    fields: list[tuple[str, str]] = []
    position = read = 0
    skipped = False
    for line, length in _logical_lines(section):
        position += length
        match = FIELD.match(line)
        if match and (fields or read == position - length):
            skipped = skipped or read < position - length or len(fields) == MAX_FIELDS
            if len(fields) < MAX_FIELDS:
                value = match[2][: 2 * MAX_VALUE]
                value = FOLD.sub(" ", value) if "\n" in value or "\r" in value else value
                fields.append((match[1], value.strip()[:MAX_VALUE]))
            read = position
        elif not line.strip() or (not fields and line.startswith(ENVELOPES)):
            read = position if read == position - length else read
    return Section(tuple(fields), read, skipped)


def _logical_lines(section: bytes) -> Iterator[tuple[str, int]]:
    """Lines with their continuations, and how many bytes each takes."""
    pending: list[bytes] = []
    lines = section.splitlines(keepends=True)
    if len(lines) > MAX_LINES:
        # no header section has as many: the rest is one field more, or the text of the mail
        lines[MAX_LINES:] = [b"".join(lines[MAX_LINES:])]
    for line in lines:
        if pending and line[:1] not in (b" ", b"\t"):
            yield _text(pending)
            pending = []
        pending.append(line)
    if pending:
        yield _text(pending)


def _text(lines: list[bytes]) -> tuple[str, int]:
    whole = b"".join(lines)
    text = whole.decode("utf-8", "surrogateescape").rstrip()
    return (text.replace("\0", "") if "\0" in text else text), len(whole)
