"""Which mail came first under a Message-ID: repeats are found, look-alikes are kept (decisions 17, behaviour E-2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.chassis.transaction import Connection
from services.intake.inbound.letter import Letter
from services.intake.mail.identity import synthetic_message_id

CLAIM = """
INSERT INTO mail_claims (message_id, identity, origin, receipt)
SELECT message_id, identity, origin, receipt
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS x(message_id, identity, origin, receipt)
ON CONFLICT DO NOTHING RETURNING message_id
"""
HOLDERS = """
SELECT message_id, identity, origin, receipt, (SELECT mailbox FROM inbound_mail m WHERE m.id = receipt) AS mailbox
FROM mail_claims WHERE message_id = ANY($1::text[])
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Letters that are new, and those that were there before. elsewhere: of these, who came to another mailbox."""

    new: list[Letter]
    repeated: list[Letter]
    elsewhere: list[Letter]


async def claim(connection: Connection, letters: Sequence[Letter]) -> Claimed:
    """Tell new mails from repeats; of several in one batch the first is new, and so is one that claimed its id before.

    A mail under the Message-ID of another is kept under an id made of what it is. Where author and date are the same it
    is that mail, changed by a list on its way, and still goes by its Message-ID; where they differ the Message-ID
    leads nowhere.
    """
    claimed = await _claim(connection, letters)
    clashing = [letter for letter in letters if letter.receipt.id in claimed.clashing]
    again = await _claim(connection, clashing, synthetic=True) if clashing else _Round()
    new = [_placed(letter, claimed, again) for letter in letters if letter.receipt.id in claimed.new | again.new]
    repeated = [letter for letter in letters if letter.receipt.id in claimed.repeated | again.repeated]
    elsewhere = [letter for letter in repeated if letter.receipt.id in claimed.elsewhere | again.elsewhere]
    return Claimed(new, repeated, elsewhere)


class _Round:
    """One round of claims, by receipts. `clashing`: whether the holder of the id is the same mail, changed."""

    def __init__(self) -> None:
        self.new: set[int] = set()
        self.repeated: set[int] = set()
        self.elsewhere: set[int] = set()
        self.clashing: dict[int, bool] = {}


async def _claim(connection: Connection, letters: Sequence[Letter], *, synthetic: bool = False) -> _Round:
    keys = [synthetic_message_id(letter.identity) if synthetic else letter.key for letter in letters]
    first: dict[str, Letter] = {}
    for key, letter in zip(keys, letters, strict=True):
        first.setdefault(key, letter)
    rows = sorted(first.items())
    columns = (
        [key for key, _ in rows],
        [letter.identity for _, letter in rows],
        [letter.origin for _, letter in rows],
        [letter.receipt.id for _, letter in rows],
    )
    mine = {row["message_id"] for row in await connection.fetch(CLAIM, *columns)}
    holders = {key: (letter.identity, letter.origin, letter.receipt.id, letter.mailbox) for key, letter in rows}
    if len(mine) < len(rows):
        others = await connection.fetch(HOLDERS, [key for key, _ in rows if key not in mine])
        holders |= {row["message_id"]: tuple(row)[1:] for row in others}
    result = _Round()
    for key, letter in zip(keys, letters, strict=True):
        identity, origin, receipt, mailbox = holders[key]
        # a mail that a person released claimed its id when it came
        if receipt == letter.receipt.id:
            result.new.add(letter.receipt.id)
        elif identity == letter.identity:
            result.repeated.add(letter.receipt.id)
            if mailbox != letter.mailbox:
                result.elsewhere.add(letter.receipt.id)
        else:
            result.clashing[letter.receipt.id] = origin == letter.origin
    return result


def _placed(letter: Letter, claimed: _Round, again: _Round) -> Letter:
    """The letter under the id it got."""
    if letter.receipt.id in claimed.new:
        return letter
    assert letter.receipt.id in again.new
    own = synthetic_message_id(letter.identity)
    known = (letter.key, *letter.known_ids) if claimed.clashing[letter.receipt.id] else letter.known_ids
    return replace(letter, key=own, known_ids=known)
