"""Many mails in one body: each with its length in front, four bytes, most significant first."""

from collections.abc import Iterable, Iterator

MEDIA_TYPE = "application/vnd.signalbox.mails"
LENGTH = 4


class Misframed(ValueError):
    """The body does not end where its last mail does."""


def framed(mails: Iterable[bytes]) -> bytes:
    """Mails as one body."""
    return b"".join(len(raw).to_bytes(LENGTH, "big") + raw for raw in mails)


def unframed(body: bytes) -> Iterator[bytes]:
    """The mails of a body, in order. Misframed at the end if something is missing there."""
    place = 0
    while place < len(body):
        begin = place + LENGTH
        place = begin + int.from_bytes(body[place:begin], "big")
        if begin > len(body) or place > len(body):
            raise Misframed("the body ends within a mail")
        yield body[begin:place]
