"""The visible reply: what a customer wrote, without what the program quoted and signed (behaviour E-4).

One pass over the lines, each looked at for at most `MAX_LINE` signs, so the time is linear in the length of any text;
after `MAX_LINES` lines only quote marks count, after `MOST_LINES` everything is text.
Where a rule could take an answer away, the text stays: the full body is kept and can be unfolded, a lost line cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from services.intake.mail.quotation import (
    DELIMITER,
    LONG_RULE,
    MAX_LINE,
    OPENING,
    ORIGINAL_MESSAGE,
    QUOTE,
    SIGNATURE,
    is_attribution,
    is_device_line,
    is_header_block,
    may_end_attribution,
    names_an_instant,
)

MAX_LINES = 4_000
MOST_LINES = 50_000
MAX_JOINED = 6
FOOTER_LINES = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A line and what it is: t text, q quote, a attribution, e empty, s signature."""

    text: str
    kind: str


def visible_reply(text: str) -> str:
    """The new text of a plain-text body. Where nothing would be left, all of the text is the reply."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    marked = _without_tail(_marked(lines))
    kept = _without_quotes(marked)
    reply = "\n".join(line.text for line in kept).strip("\n")
    return reply.rstrip() if reply.strip() else text.strip()


def _marked(lines: Sequence[str]) -> list[Line]:
    """The lines up to where a quoted mail begins that has no quote marks, each with its kind."""
    marked: list[Line] = []
    seen_text = False
    position = 0
    while position < len(lines):
        if position >= MAX_LINES:
            return marked + _marked_simply(lines[position:])
        line = lines[position][:MAX_LINE]
        end = _attribution_end(lines, position)
        if end and not _is_followed_by_quote(lines, end) and not names_an_instant(" ".join(lines[position:end])):
            end = 0
        if seen_text and _begins_original(lines, position, end):
            return _without_rule(marked)
        if end:
            marked.extend(Line(quoted, "a") for quoted in lines[position:end])
            position = end
            continue
        kind = _kind(line, lines, position)
        seen_text = seen_text or kind == "t"
        marked.append(Line(lines[position], kind))
        position += 1
    return marked


def _marked_simply(lines: Sequence[str]) -> list[Line]:
    """The lines by their quote marks alone; neighbours of one kind are one."""
    looked_at, rest = lines[:MOST_LINES], lines[MOST_LINES:]
    runs = groupby(looked_at, key=lambda line: "q" if line.startswith((">", " >")) else "t")
    marked = [Line("\n".join(run), kind) for kind, run in runs]
    return [*marked, Line("\n".join(rest), "t")] if rest else marked


def _kind(line: str, lines: Sequence[str], position: int) -> str:
    if not line.strip():
        return "e"
    if QUOTE.match(line):
        return "q"
    if SIGNATURE.fullmatch(line) or is_device_line(line):
        return "s"
    if LONG_RULE.fullmatch(line) and _is_footer(lines, position):
        return "s"
    return "t"


def _is_footer(lines: Sequence[str], position: int) -> bool:
    """Whether only a few lines follow: a list's or a company's footer."""
    rest = lines[position + 1 : position + 4 * FOOTER_LINES]
    few = len(lines) - position <= 4 * FOOTER_LINES
    return few and 0 < sum(1 for line in rest if line.strip()) <= FOOTER_LINES


def _begins_original(lines: Sequence[str], position: int, attribution_end: int) -> bool:
    """Whether a quoted mail without quote marks begins here: everything below is its text."""
    line = lines[position][:MAX_LINE]
    if ORIGINAL_MESSAGE.fullmatch(line):
        return True
    if is_header_block([*lines[position : position + 8]]):
        return not QUOTE.match(line)
    if not attribution_end or QUOTE.match(line):
        return False
    return not _is_followed_by_quote(lines, attribution_end)


def _is_followed_by_quote(lines: Sequence[str], end: int) -> bool:
    following = next((later for later in lines[end : end + 5] if later.strip()), "")
    return QUOTE.match(following) is not None


def _attribution_end(lines: Sequence[str], position: int) -> int:
    """The index after an attribution that begins at `position`; 0 if none does. Programs wrap it over several lines."""
    first = lines[position][:MAX_LINE].strip()
    if not first or QUOTE.match(first):
        return 0
    if is_attribution(first):
        return position + 1
    opens = OPENING.match(first) is not None
    if not opens and "@" not in first:
        return 0
    joined = first
    for index in range(position + 1, min(position + (MAX_JOINED if opens else 2), len(lines))):
        line = lines[index][:MAX_LINE].strip()
        if not line:
            if _continues(lines, index + 1):
                continue
            return 0
        if OPENING.match(line) and is_attribution(line):
            return 0
        joined = f"{joined} {line}"
        if may_end_attribution(line) and is_attribution(joined):
            return index + 1
    return 0


def _continues(lines: Sequence[str], index: int) -> bool:
    """Whether an attribution goes on after a blank line, with the address of its author."""
    return index < len(lines) and lines[index].strip().startswith("<")


def _without_rule(marked: list[Line]) -> list[Line]:
    """`marked` without the blank lines and the rule above a quoted mail."""
    end = len(marked)
    while end and (marked[end - 1].kind in "e" or DELIMITER.fullmatch(marked[end - 1].text[:MAX_LINE])):
        end -= 1
    return marked[:end]


def _without_tail(marked: list[Line]) -> list[Line]:
    """`marked` without signatures: from the mark to the next quote, or to the end."""
    kept: list[Line] = []
    signed = seen = False
    for line in marked:
        if line.kind == "s" and seen:
            signed = True
        elif line.kind in "qa":
            signed = False
        if not signed:
            kept.append(line)
            seen = seen or line.kind in "tq"
    return kept


def _without_quotes(lines: list[Line]) -> list[Line]:
    """The answer: quotes below it go, a quote above it goes, quotes between answers stay; attributions always go."""
    kinds = [line.kind for line in lines]
    texts = [index for index, kind in enumerate(kinds) if kind in "ts"]
    if not texts:
        return [line for line in lines if line.kind != "a"] if "a" in kinds and "q" not in kinds else []
    body = lines[: texts[-1] + 1]
    first = texts[0]
    if "q" in kinds[:first] and "q" not in kinds[first : texts[-1]]:
        body = body[first:]
    return [line for line in body if line.kind != "a"]
