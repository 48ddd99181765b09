"""The header section of a mail or of one of its parts."""

import re
from collections.abc import Iterator, Set
from typing import NamedTuple

from services.intake.mail.encoded_words import decode_words

MAX_FIELDS = 2000
MAX_VALUE = 65_536
MAX_LINES = 10_000
FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:[ \t]*(.*)", re.DOTALL)
ENVELOPES = ("From ", ">From ")
FOLD = re.compile(r"[\r\n]+[ \t]*")
# a line and its continuations, as nearly every field is written
PLAIN_FIELD = re.compile(r"^([!-9;-~]{1,100})[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
PLAIN_FOLD = re.compile(r"\n[ \t]*")


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
        values = self._values
        for name, value in fields:
            key = name.lower()
            if key in values:
                values[key].append(value)
            else:
                values[key] = [value]

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
        values = self._values.get(name.lower())
        return tuple(map(decode_words, values)) if values else ()

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
    end, body_start = section_end(raw)
    section = read_fields(raw[:end])
    if section.length < end:
        return Headers(section.fields, damaged=True), raw[section.length :]
    return Headers(section.fields, section.skipped), raw[body_start:].removeprefix(b"\r").removeprefix(b"\n")


def section_end(raw: bytes) -> tuple[int, int]:
    """Where the header section ends before the first blank line, and where that line begins; the end of `raw` if there
    is none.
    """
    blank = raw.find(b"\n\r\n")
    limit = len(raw) if blank < 0 else blank + 2
    other = raw.find(b"\n\n", 0, limit)
    blank = blank if other < 0 else other
    strange = raw.find(b"\r\r", 0, limit if blank < 0 else blank)
    if strange >= 0:
        return strange, strange + 2
    if blank < 0:
        return len(raw), len(raw)
    return (blank - 1 if raw[blank - 1 : blank] == b"\r" else blank), blank + 1


class Section(NamedTuple):
    """A header section: its fields, how many bytes belong to it, and whether lines or fields in it were skipped."""

    fields: tuple[tuple[str, str], ...]
    length: int
    skipped: bool


def read_fields(section: bytes, *, careful: bool = False) -> Section:
    """The header section at the start of `section`, which has no blank line.

    A line that is no header is skipped when headers follow it (a fold that lost its indent); otherwise the text of the
    mail begins there (a sender that forgot the blank line). careful: line by line, also where one search would do.
    """
    plain = None if careful else plain_fields(section)
    if plain is not None:
        return Section(plain, len(section), False)
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


def plain_fields(section: bytes) -> tuple[tuple[str, str], ...] | None:
    """The fields of a section that has nothing but fields, none of them too long: one search instead of a loop over its
    lines. None where only the careful way will do.
    """
    if not section or len(section) > MAX_VALUE:
        return None
    text = section.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if "\r" in text or "\0" in text or text.count("\n") >= MAX_LINES:
        return None
    continued = text.count("\n ") + text.count("\n\t")
    found = PLAIN_FIELD.findall(text)
    if len(found) > MAX_FIELDS or len(found) != text.count("\n") + 1 - continued:
        return None
    if not continued:
        return tuple([(name, value.strip()) for name, value in found])
    return tuple([(name, (PLAIN_FOLD.sub(" ", value) if "\n" in value else value).strip()) for name, value in found])


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
