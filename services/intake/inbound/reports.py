"""What bounces say about answers of ours (behaviour A-6)."""

from collections.abc import Sequence

from libs.chassis.transaction import Connection
from libs.contracts.mail_ids import MailIdKind, verify_message_id
from services.intake.domain.delivery import Failure
from services.intake.inbound.batch import Report
from services.intake.inbound.letter import Letter, Way
from services.intake.mail.bounce import read_bounce

ANSWERS = "SELECT id, ticket_id, delivery FROM messages WHERE id = ANY($1::text[]) AND kind = 'agent'"

LAST = """
SELECT DISTINCT ON (t.reference, m.outbound->>'to') m.id, t.reference, m.outbound->>'to' AS "to"
FROM tickets t JOIN messages m ON m.ticket_id = t.id
WHERE t.reference = ANY($1::text[]) AND m.kind = 'agent' AND m.outbound IS NOT NULL AND m.outbound->>'to' <> ''
ORDER BY t.reference, m.outbound->>'to', m.n DESC
"""


async def reports(connection: Connection, letters: Sequence[Letter], keys: Sequence[bytes]) -> dict[int, list[Report]]:
    """By receipt: what it reports of each answer that is proved to be ours. Reports of success say nothing."""
    bounces = [letter for letter in letters if letter.way is Way.BOUNCE]
    failures = {letter.receipt.id: failed(letter, keys) for letter in bounces}
    returned = [letter for letter in bounces if letter.offers.plus_tokens and not _names_one_of_ours(letter, keys)]
    failures |= await _returned_to(connection, returned) if returned else {}
    wanted = sorted({failure.message_id for each in failures.values() for failure in each})
    rows = await connection.fetch(ANSWERS, wanted) if wanted else []
    answers = {row["id"]: row for row in rows}
    return {
        receipt: [
            Report(answer["ticket_id"], failure, answer["delivery"])
            for failure in each
            if (answer := answers.get(failure.message_id)) is not None
        ]
        for receipt, each in failures.items()
    }


async def _returned_to(connection: Connection, letters: Sequence[Letter]) -> dict[int, list[Failure]]:
    """What bounces report that return nothing of our mail: they came to the signed address that it left from, so it is
    the last answer of that ticket to the recipient they name.
    """
    references = sorted({token for letter in letters for token in letter.offers.plus_tokens})
    rows = await connection.fetch(LAST, references)
    found: dict[int, list[Failure]] = {}
    for letter in letters:
        bounce = read_bounce(letter.mail)
        named = {recipient.address for recipient in bounce.recipients} - {""}
        found[letter.receipt.id] = [
            Failure(row["id"], bounce.permanent, bounce.status or None)
            for row in rows
            if row["reference"] in letter.offers.plus_tokens and bounce.recipients and (not named or row["to"] in named)
        ]
    return found


def _names_one_of_ours(letter: Letter, keys: Sequence[bytes]) -> bool:
    """Whether it returns a mail of ours by its id: an answer, or a notice such as the copy of one (behaviour M-3)."""
    return any(verify_message_id(keys, id) is not None for id in read_bounce(letter.mail).message_ids)


def failed(letter: Letter, keys: Sequence[bytes]) -> list[Failure]:
    """The answers that a bounce is about, by the Message-IDs in what it returns."""
    bounce = read_bounce(letter.mail)
    if not bounce.recipients:
        return []
    named = (verify_message_id(keys, id) for id in bounce.message_ids)
    items = dict.fromkeys(own.item for own in named if own is not None and own.kind is MailIdKind.REPLY)
    return [Failure(item, bounce.permanent, bounce.status or None) for item in items]
