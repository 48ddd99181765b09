"""The subject without what programs put in front of it (behaviour H-1, H-3)."""

import re
import unicodedata
from functools import lru_cache

MAX_SUBJECT = 1000
# reply and forward marks of many languages, with counts: "Re[2]:", "AW:", "回复："
MARK = re.compile(
    r"\s*(?:re|ref|fwd?|fw|aw|antw(?:ort)?|antwoord|wg|sv|vs|vb|vl|rv|rif|r|i|tr|enc|res|odp|pd|ynt|ilt|att|továbbítás|vá|fs"
    r"|απ|σχετ|πρθ|отв|ответ|пересл|回复|回覆|答复|转发|轉寄|返信|転送|회신|전달)\s*(?:[\[(]\d{1,3}[\])]|\^\d{1,3})?\s*[:：]\s*",
    re.IGNORECASE,
)
TAG = re.compile(r"\s*\[[^\[\]]{1,60}\]\s*")
REFERENCE = re.compile(r"\[#?([A-Za-z]{0,8}-?\d[A-Za-z0-9-]{2,20})\]|\[#([A-Za-z0-9-]{3,24})\]")
WORD = re.compile(r"\w+")
BLANKS = re.compile(r"\s+")


def normalised_subject(subject: str) -> str:
    """The subject for comparing two mails of one thread: no marks, tags or reference, NFKC, case folded."""
    text = unicodedata.normalize("NFKC", REFERENCE.sub(" ", subject[:MAX_SUBJECT]))
    return BLANKS.sub(" ", without_marks(text)).strip().casefold()


def without_marks(subject: str) -> str:
    """The subject without the marks and tags in front; a subject of nothing else stays as it is."""
    rest = subject[:MAX_SUBJECT].strip()
    while True:
        match = MARK.match(rest) or TAG.match(rest)
        if not match or match.end() == len(rest):
            return rest
        rest = rest[match.end() :]


def references(subject: str) -> tuple[str, ...]:
    """The ticket references in brackets, `[#AB-1234]` or `[1234]`, as written, in order. The caller checks them."""
    return tuple(marked or plain for plain, marked in REFERENCE.findall(subject[:MAX_SUBJECT]))


def diverges(subject: str, of_ticket: str) -> bool:
    """Whether a reply speaks of something else than the ticket: no word in common, and both say something (H-3)."""
    mine, theirs = _words(subject), _words(of_ticket)
    return bool(mine and theirs) and not mine & theirs


@lru_cache(maxsize=4096)
def _words(subject: str) -> frozenset[str]:
    # a mail and its ticket are compared at each step on the mail's way
    return frozenset(WORD.findall(normalised_subject(subject)))
