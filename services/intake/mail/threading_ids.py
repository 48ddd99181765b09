"""The Message-IDs that a header names."""

import re

from services.intake.mail.encoded_words import decode_words, without_escapes

MAX_IDS = 200
ANGLED = re.compile(r"<([^<>]+)>")
BLANKS = re.compile(r"\s+")


def message_ids(value: str) -> tuple[str, ...]:
    """Ids without angle brackets, each once, in order; a bare id is taken when nothing has brackets.

    Beyond MAX_IDS the first and the newest stay: the root of the thread and its end are what threading needs.
    """
    if "=?" in value:
        # no id is an encoded word, but some programs make one of an id that is longer than a line
        value = decode_words(value)
    found = [BLANKS.sub("", inner) for inner in ANGLED.findall(value)]
    if not found:
        found = [word.strip("<>,;\"'") for word in value.split() if "@" in word]
    ids = tuple(dict.fromkeys(without_escapes(id_) for id_ in found if id_))
    return ids if len(ids) <= MAX_IDS else ids[:1] + ids[1 - MAX_IDS :]
