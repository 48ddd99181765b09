"""Tags are words that everybody spells alike."""

import re
import unicodedata

LONGEST = 50
MOST = 50
"""Tags of one ticket."""

SOUND = re.compile(rf"\w[\w/.:-]{{0,{LONGEST - 1}}}")


def normal(tag: str) -> str | None:
    """The tag as it is kept: NFKC, small letters, `-` for spaces; None for what is no tag or longer than 50."""
    found = "-".join(unicodedata.normalize("NFKC", tag).casefold().split())
    return found if SOUND.fullmatch(found) else None


def kept(tags: tuple[str, ...]) -> tuple[str, ...]:
    """The sound ones of these tags, sorted, each once, at most 50: for who cannot be told what is wrong."""
    return tuple(sorted({found for tag in tags if (found := normal(tag)) is not None})[:MOST])
