"""Further mailboxes of ours that a mail was written to: there is one ticket, and they watch it (behaviour E-2)."""

from libs.chassis.transaction import Transaction
from services.intake.inbound.claims import Claimed
from services.intake.inbound.letter import Letter

# by the ids of the mails, which have their tickets by now; what leads nowhere has none
WATCH = """
INSERT INTO watching_mailboxes (ticket_id, mailbox)
SELECT DISTINCT tickets.id, x.mailbox
FROM unnest($1::text[], $2::text[]) AS x(message_id, mailbox)
JOIN mail_ids USING (message_id) JOIN tickets ON tickets.id = mail_ids.ticket_id
WHERE tickets.mailbox IS DISTINCT FROM x.mailbox
ON CONFLICT DO NOTHING
"""


def watch(claimed: Claimed, transaction: Transaction) -> None:
    """Note the further mailboxes of new mails, and of those that came again by another one."""
    found = [*map(_further, claimed.new), *map(_all, claimed.elsewhere)]
    pairs = sorted({pair for each in found for pair in each})
    if pairs:
        transaction.write(WATCH, [id for id, _ in pairs], [mailbox for _, mailbox in pairs])


def _further(letter: Letter) -> list[tuple[str, str]]:
    return [(letter.key, mailbox) for mailbox in letter.also]


def _all(letter: Letter) -> list[tuple[str, str]]:
    return [(letter.key, mailbox) for mailbox in (letter.mailbox, *letter.also) if mailbox is not None]
