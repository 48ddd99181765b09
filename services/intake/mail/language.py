"""The language that a mail says it is written in (RFC 3282)."""

import re

from services.intake.mail.headers import Headers

COMMENT = re.compile(r"\([^()]*\)")
TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def content_language(headers: Headers) -> str | None:
    """The first BCP 47 tag of Content-Language; None where there is none, or it is no tag."""
    first = COMMENT.sub("", headers.get("Content-Language")).partition(",")[0].strip()
    return first if TAG.fullmatch(first) else None
