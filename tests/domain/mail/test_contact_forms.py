"""Who the customer is when a program writes for them (behaviour E-3)."""

from datetime import UTC, datetime

import pytest

from services.intake.inbound.letter import Received, read
from services.intake.mail_file import Mailbox, MailPolicy

FORM, HELP = "form@support.example.com", "help@support.example.com"
POLICY = MailPolicy(mailboxes={HELP: Mailbox(), FORM: Mailbox(trusts_reply_to=True)})
RAW = b"From: web@shop.example\nReply-To: Ada <ADA@customer.example>\nSubject: Lamp\n\nIt is dark.\n"


@pytest.mark.parametrize(("mailbox", "author"), [(FORM, "ada@customer.example"), (HELP, "web@shop.example")])
def test_E3_reply_to_is_the_customer_only_where_a_contact_form_writes(mailbox: str, author: str) -> None:
    received = Received(1, RAW, datetime(2026, 3, 2, tzinfo=UTC), recipients=(mailbox,))
    assert read(received, POLICY, [b"a key of more than sixteen bytes"]).author.email == author
