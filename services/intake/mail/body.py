"""Which parts of the tree are the text, which the HTML, and which are attachments (after RFC 8621, 4.1.4)."""

import html as entities
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from services.intake.mail.charset import decode
from services.intake.mail.html_text import html_to_text
from services.intake.mail.message import Attachment
from services.intake.mail.parts import Part

EXTENSIONS = {
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "text/rfc822-headers": ".txt",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
}
CONTENT_ID = re.compile(r"cid:([^\s\"'<>)]+)", re.IGNORECASE)
MAX_TEXT = 2_000_000


@dataclass(slots=True)
class Body:
    """The parts of a mail sorted by their use, in reading order."""

    plain: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)

    def text(self) -> str:
        """The best plain text: the plain parts, or the HTML as text where these say nothing."""
        joined = "\n".join(_as_text(part) for part in self.plain).strip("\n")
        if joined.strip() or not self.html:
            return joined
        return "\n".join(_as_text(part) for part in self.html).strip("\n")

    def html_text(self) -> str:
        """The HTML of the mail as written; plain parts among it are escaped. Empty when there is no HTML part."""
        if not any(part.content_type == "text/html" for part in self.html):
            return ""
        return "\n".join(_as_html(part) for part in self.html)

    def files(self, markup: str) -> tuple[Attachment, ...]:
        """The attachments, each with a name; inline is what `markup` shows by its content id."""
        if not self.attachments:
            return ()
        shown = {unquote(match[1]) for match in CONTENT_ID.finditer(markup)} if "cid:" in markup.lower() else set()
        return tuple(
            _attachment(part, part.content_id in shown, number) for number, part in enumerate(self.attachments, 1)
        )


def sort_parts(root: Part) -> Body:
    """The use of every leaf under `root`."""
    body = Body()
    _sort((root,), "mixed", body, Place())
    return body


@dataclass(slots=True)
class Place:
    """Where in the tree a part stands: within an alternative, and to which readings its siblings belong."""

    in_alternative: bool = False
    plain: bool = True
    html: bool = True


def _sort(parts: tuple[Part, ...], kind: str, body: Body, place: Place) -> None:
    plain_before, html_before = len(body.plain), len(body.html)
    for index, part in enumerate(parts):
        if part.is_multipart:
            below = part.content_type.partition("/")[2]
            alternative = place.in_alternative or below == "alternative"
            _sort(part.children, below, body, Place(alternative, place.plain, place.html))
        elif _is_text(part, index, kind):
            _put(part, kind, body, place)
        else:
            body.attachments.append(part)
    if kind == "alternative" and place.plain and place.html:
        _fill_in(body, plain_before, html_before)


def _put(part: Part, kind: str, body: Body, place: Place) -> None:
    is_plain = part.content_type == "text/plain"
    if kind == "alternative":
        (body.plain if is_plain else body.html).append(part)
        return
    if place.in_alternative:
        # one form of an alternative that has further parts beside it, such as HTML with its images
        place.plain, place.html = (place.plain, False) if is_plain else (False, place.html)
    if place.plain:
        body.plain.append(part)
    if place.html:
        body.html.append(part)


def _fill_in(body: Body, plain_before: int, html_before: int) -> None:
    """An alternative in one form only is text and HTML at once, so that neither reading loses it."""
    plain, html = body.plain[plain_before:], body.html[html_before:]
    if not plain:
        body.plain.extend(html)
    if not html:
        body.html.extend(plain)


def _is_text(part: Part, index: int, kind: str) -> bool:
    if part.content_type not in ("text/plain", "text/html") or part.disposition == "attachment":
        return False
    return index == 0 or (kind != "related" and not part.filename)


def _decoded(part: Part) -> str:
    text = decode(part.content[:MAX_TEXT], part.charset)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _as_text(part: Part) -> str:
    text = _decoded(part)
    if part.content_type == "text/html":
        return html_to_text(text)
    return unflowed(text, part.delete_space) if part.flowed else text


def _as_html(part: Part) -> str:
    text = _decoded(part)
    return text if part.content_type == "text/html" else f"<pre>{entities.escape(text)}</pre>"


def unflowed(text: str, delete_space: bool = False) -> str:
    """`format=flowed` text with its soft line breaks joined (RFC 3676)."""
    out: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if flows and delete_space:
            content = content[:-1]
        if open_depth != depth or content == "-- ":
            content = ("\n" if out else "") + (">" * depth + " " if depth else "") + content
        out.append(content)
        open_depth = depth if flows else None
    return "".join(out)


def _attachment(part: Part, inline: bool, number: int) -> Attachment:
    name = part.filename or f"part-{number}{EXTENSIONS.get(part.content_type, '')}"
    return Attachment(name, part.content_type, part.content, part.content_id, inline)
