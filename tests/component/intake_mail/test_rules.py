"""What becomes of a mail, rule by rule."""

from email.message import EmailMessage
from email.policy import SMTP
from itertools import pairwise

import pytest

from libs.contracts.mail_ids import notice_message_id, plus_address, reply_message_id
from services.intake.domain.merging import merge
from services.intake.inbound.receipts import Receipts
from services.intake.inbound.settling import settle
from services.intake.merges import Merges
from services.intake.store import Store
from tests.component.intake_mail.conftest import KEY, Post, mail
from tests.component.intake_mail.stories import MIRA, answered, become, opened


@pytest.fixture(autouse=True)
def fresh(post: Post) -> None:
    post.begin_anew()


# ---- identity --------------------------------------------------------------------------------------------------


async def test_E2_one_mail_by_two_routes_is_one(post: Post) -> None:
    raw = mail(message_id="<one@customer.example>")
    receipts = await post.deliver(raw, b"Received: from a by b\r\nReturn-Path: <ada@customer.example>\r\n" + raw)
    assert [receipt["disposition"] for receipt in receipts] == ["accepted", "duplicate"]


async def test_E2_one_mail_to_two_mailboxes_is_one_ticket_that_the_second_one_watches(post: Post) -> None:
    """As one mail to both, and as two copies of it, each to one of them."""
    both = mail(message_id="<both@customer.example>", cc="Billing@support.example.com")
    (receipt,) = await post.deliver(both)
    copy = mail(message_id="<copy@customer.example>")
    receipts = await post.take_in([copy], "help@support.example.com")
    receipts += await post.take_in(
        [b"Delivered-To: billing@support.example.com\r\n" + copy], "billing@support.example.com"
    )
    await post.work_off()
    first, second = await post.receipts(receipts)
    assert (first["disposition"], second["disposition"]) == ("accepted", "duplicate")
    rows = await post.intake.fetch("SELECT ticket_id, mailbox FROM watching_mailboxes ORDER BY ticket_id")
    tickets = sorted([receipt["ticket_id"], first["ticket_id"]])
    assert [(row["ticket_id"], row["mailbox"]) for row in rows] == [
        (ticket, "billing@support.example.com") for ticket in tickets
    ]


async def test_E2_two_mails_under_one_message_id_are_two(post: Post) -> None:
    """A program that gives all its mails one Message-ID must not lose any, nor glue strangers together."""
    first = mail("Order 1", message_id="<same@shop.example>", sender="ada@one.example")
    second = mail("Order 2", message_id="<same@shop.example>", sender="bob@two.example")
    receipts = await post.deliver(first, second)
    assert [receipt["disposition"] for receipt in receipts] == ["accepted", "accepted"]
    assert [r["disposition"] for r in await post.deliver(second, first)] == ["duplicate", "duplicate"]


async def test_E2_a_mail_changed_by_a_list_on_its_way_joins_its_own_ticket(post: Post) -> None:
    direct = mail("Hello", "text", message_id="<m@list.example>")
    by_list = mail("[users] Hello", "text\n-- \nunsubscribe here", message_id="<m@list.example>")
    receipts = await post.deliver(direct, by_list)
    assert [receipt["disposition"] for receipt in receipts] == ["accepted", "appended"]
    assert receipts[0]["ticket_id"] == receipts[1]["ticket_id"]


# ---- threading -------------------------------------------------------------------------------------------------


async def test_H1_a_plus_address_of_ours_finds_the_ticket_whoever_writes(post: Post) -> None:
    ticket = await opened(post)
    reference = (await post.ticket(ticket))["reference"]
    address = plus_address(KEY, "help@support.example.com", reference)
    receipts = await post.take_in([mail("Other", sender="bob@other.example")], address)
    await post.work_off()
    (receipt,) = await post.receipts(receipts)
    assert (receipt["disposition"], receipt["ticket_id"], receipt["reason"]) == (
        "appended",
        ticket,
        "was sent to the address of its ticket",
    )
    assert receipt["mailbox"] == "help@support.example.com"


async def test_H1_an_id_only_seen_in_references_joins_later_mails(post: Post) -> None:
    ticket = await opened(post, "a", references="<unseen@x.example>")
    for name in ("in_reply_to", "references"):
        (receipt,) = await post.deliver(mail("Re: " + name, **{name: "<unseen@x.example>"}))
        assert receipt["ticket_id"] == ticket
    (receipt,) = await post.deliver(mail("The root itself", message_id="<unseen@x.example>"))
    assert (receipt["disposition"], receipt["ticket_id"]) == ("appended", ticket)


@pytest.mark.parametrize(("sender", "joins"), [("ada@customer.example", True), ("eve@elsewhere.example", False)])
async def test_H1_the_number_in_the_subject_counts_only_for_participants(post: Post, sender: str, joins: bool) -> None:
    ticket = await opened(post)
    reference = (await post.ticket(ticket))["reference"]
    (receipt,) = await post.deliver(mail(f"About [#{reference}]", "again", sender=sender))
    assert (receipt["ticket_id"] == ticket) is joins


async def test_H2_a_strangers_mail_is_kept_aside_on_the_ticket_and_he_takes_no_part(post: Post) -> None:
    ticket = await opened(post)
    reference = (await post.ticket(ticket))["reference"]
    stranger = mail("Re: It hurts", sender="eve@elsewhere.example", in_reply_to="<root@customer.example>")
    (receipt,) = await post.deliver(stranger)
    assert (receipt["disposition"], receipt["ticket_id"]) == ("appended", ticket)
    assert receipt["reason"] == (
        "names a mail of its ticket; its author takes no part in it, so it waits there for an agent"
    )
    assert [message["visibility"] for message in await post.messages(ticket)] == ["public", "unverified"]
    (receipt,) = await post.deliver(mail(f"[#{reference}]", sender="eve@elsewhere.example"))
    assert receipt["ticket_id"] != ticket


async def test_H2_who_was_put_in_cc_by_the_customer_takes_part(post: Post) -> None:
    ticket = await opened(post, cc="bob@customer.example, help@support.example.com")
    (receipt,) = await post.deliver(mail(sender="bob@customer.example", in_reply_to="<root@customer.example>"))
    assert (receipt["ticket_id"], receipt["reason"]) == (ticket, "names a mail of its ticket")


async def test_S2_a_customers_mail_reopens_and_H4_on_a_closed_ticket_begins_one_follow_up(post: Post) -> None:
    ticket = await opened(post)
    await become(post, ticket, "resolved")
    await post.deliver(mail("Re: It hurts", "still", in_reply_to="<root@customer.example>"))
    assert (await post.ticket(ticket))["status"] == "open"
    await become(post, ticket, "resolved", "closed")
    (first,) = await post.deliver(mail("Re: It hurts", "again", in_reply_to="<root@customer.example>"))
    (second,) = await post.deliver(mail("Re: It hurts", "and again", in_reply_to="<root@customer.example>"))
    assert (first["disposition"], second["disposition"]) == ("accepted", "appended")
    assert first["ticket_id"] == second["ticket_id"] != ticket
    assert (await post.ticket(first["ticket_id"]))["follow_up_of"] == ticket


async def test_H5_what_is_written_to_a_merged_ticket_goes_to_where_it_was_merged(post: Post) -> None:
    tickets = [await opened(post, name) for name in "abc"]
    for source, target in pairwise(tickets):
        async with post.intake.transactions.begin() as transaction:
            store = Store(transaction)
            both = await store.tickets([source, target])
            await store.save(merge(both[source], both[target], store.statuses, transaction.now, MIRA))
    (receipt,) = await post.deliver(mail(in_reply_to="<a@customer.example>"))
    assert (receipt["disposition"], receipt["ticket_id"]) == ("appended", tickets[2])


async def test_M3_who_takes_part_in_a_merged_ticket_takes_part_in_its_target_until_it_is_separated(post: Post) -> None:
    """Bob's answer to his own mail is public in Ada's ticket, for a person merged them; after that it is his again."""
    target = await opened(post, "a")
    source = await opened(post, "b", sender="Bob <bob@elsewhere.example>", cc="Cy <cy@elsewhere.example>")
    async with post.intake.transactions.begin() as transaction:
        merges = Merges(Store(transaction), MIRA)
        await merges.merge(*await merges.target(target, [source]), confirmed=True)
    for sender in ("bob", "cy"):
        raw = mail(in_reply_to="<b@customer.example>", sender=f"{sender}@elsewhere.example", text=sender)
        (receipt,) = await post.deliver(raw)
        assert receipt["ticket_id"] == target
    assert [each["visibility"] for each in await post.messages(target)] == ["public"] * 3
    async with post.intake.transactions.begin() as transaction:
        merges = Merges(Store(transaction), MIRA)
        await merges.unmerge(*await merges.merged(source))
    (receipt,) = await post.deliver(mail(in_reply_to="<a@customer.example>", sender="zoe@elsewhere.example"))
    (receipt,) = await post.deliver(mail(in_reply_to="<b@customer.example>", sender="bob@elsewhere.example", text="x"))
    assert receipt["ticket_id"] == source
    rows = await post.intake.fetch("SELECT email FROM participants WHERE ticket_id = $1 AND via IS NOT NULL", target)
    assert rows == []


async def test_H5_a_merge_without_an_end_loses_no_mail(post: Post) -> None:
    one, other = [await opened(post, name) for name in "ab"]
    post.database.execute(
        f"UPDATE intake.tickets SET merged_into = '{other}', status_category = 'closed' WHERE id = '{one}'"
    )
    post.database.execute(
        f"UPDATE intake.tickets SET merged_into = '{one}', status_category = 'closed' WHERE id = '{other}'"
    )
    (receipt,) = await post.deliver(mail(in_reply_to="<a@customer.example>"))
    assert receipt["disposition"] == "accepted"


async def test_H1_a_late_mail_that_joins_two_halves_of_a_thread_unites_them(post: Post) -> None:
    beginning = await opened(post, "a")
    rest = await opened(post, "c", in_reply_to="<b@customer.example>")
    post.intake.outgoing.clear()
    late = mail("Re: It hurts", message_id="<b@customer.example>", in_reply_to="<a@customer.example>")
    (receipt,) = await post.deliver(late)
    assert (receipt["disposition"], receipt["ticket_id"]) == ("appended", beginning)
    assert (await post.ticket(rest))["merged_into"] == beginning
    said = sorted(fact.type.split(".")[2] for fact in post.intake.said())
    assert said == ["absorbed", "merged", "message-added"]


async def test_H1_two_tickets_that_have_mails_of_their_own_are_not_united_by_who_names_both(post: Post) -> None:
    one, other = [await opened(post, name) for name in "ab"]
    (receipt,) = await post.deliver(
        mail(references="<a@customer.example> <b@customer.example>", in_reply_to="<b@customer.example>")
    )
    assert receipt["ticket_id"] == other
    assert [(await post.ticket(id))["merged_into"] for id in (one, other)] == [None, None]


# ---- machines --------------------------------------------------------------------------------------------------


async def test_A5_an_automatic_answer_joins_without_waking_anything_and_alone_opens_nothing(post: Post) -> None:
    ticket = await opened(post)
    await become(post, ticket, "resolved")
    away = {"auto_submitted": "auto-replied", "in_reply_to": "<root@customer.example>"}
    alone = {"auto_submitted": "auto-replied"}
    receipts = await post.deliver(mail("Away", **away), mail("Out of office: x", **alone))
    assert [receipt["disposition"] for receipt in receipts] == ["automatic", "suspended"]
    assert (await post.ticket(ticket))["status"] == "resolved"
    assert [message["kind"] for message in await post.messages(ticket)] == ["customer", "automatic"]


@pytest.mark.parametrize(
    "headers", [{"list_id": "<users.list.example>"}, {"auto_submitted": "auto-generated"}, {"precedence": "bulk"}]
)
async def test_A1_a_ticket_from_a_machine_or_a_list_is_never_answered_by_itself(
    post: Post, headers: dict[str, str]
) -> None:
    ticket = await opened(post, **headers)
    assert (await post.ticket(ticket))["suppress_reply"]


async def test_A1_the_null_return_path_of_the_envelope_silences(post: Post) -> None:
    (receipt,) = await post.deliver(mail(message_id="<n@x.example>"), sender="")
    assert (await post.ticket(receipt["ticket_id"]))["suppress_reply"]


def bounce(of: str, status: str = "5.1.1") -> bytes:
    """A delivery status notification (RFC 3464) that returns the headers of a mail."""
    report = EmailMessage(policy=SMTP)
    report["From"] = "MAILER-DAEMON@mx.customer.example"
    report["Subject"] = "Undelivered Mail Returned to Sender"
    head = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
    parts = (
        f"--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; ada@customer.example\r\nAction: failed\r\n"
        f"Status: {status}\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{of}>\r\n\r\n--b--\r\n"
    )
    return report.as_bytes().rstrip(b"\r\n") + b"\r\n" + head.encode() + b"\r\n" + parts.encode()


async def test_A6_a_bounce_tells_which_answer_failed_reopens_the_ticket_and_is_said_once(post: Post) -> None:
    ticket = await opened(post)
    message = await answered(post, ticket, "resolved")
    post.intake.outgoing.clear()
    raw = bounce(reply_message_id(KEY, ticket, message, "support.example.com"))
    receipts = await post.deliver(raw, raw.replace(b"It failed", b"It failed once more"))
    assert [(r["disposition"], r["ticket_id"], r["message_id"]) for r in receipts] == [("bounce", ticket, message)] * 2
    assert [fact.type.split(".")[2] for fact in post.intake.said()] == ["delivery-failed", "changed"]
    assert (await post.ticket(ticket))["status"] == "open"
    assert [row["delivery"] for row in await post.messages(ticket)] == [None, "bounced"]


async def test_A6_a_bounce_that_returns_nothing_is_known_by_the_address_it_comes_to(post: Post) -> None:
    """Some servers return not even headers: they answer to the signed address that our mail left from."""
    ticket = await opened(post)
    reference = (await post.ticket(ticket))["reference"]
    message = await answered(post, ticket, "resolved")
    post.say(f"UPDATE messages SET outbound = '{{\"to\": \"ada@customer.example\"}}' WHERE id = '{message}'")
    address = plus_address(KEY, "help@support.example.com", reference)
    raw = bounce("nothing@of.ours")
    receipts = await post.take_in([raw, raw.replace(b"ada@", b"eve@")], address)
    receipts += await post.take_in(
        [raw.replace(b"It failed", b"It did fail")], address[:-30] + "aaaaaaaa@support.example.com"
    )
    await post.work_off()
    got = [(each["disposition"], each["message_id"]) for each in await post.receipts(receipts)]
    assert got == [("bounce", message), ("bounce", None), ("bounce", None)]
    assert (await post.ticket(ticket))["status"] == "open"


async def test_M3_A6_a_copy_that_comes_back_says_nothing_of_the_answer(post: Post) -> None:
    """It came to the signed address of the ticket, and names nobody; but what it returns is a notice of ours."""
    ticket = await opened(post)
    reference = (await post.ticket(ticket))["reference"]
    message = await answered(post, ticket, "resolved")
    post.say(f"UPDATE messages SET outbound = '{{\"to\": \"ada@customer.example\"}}' WHERE id = '{message}'")
    raw = bounce(notice_message_id(KEY, ticket, "a4cb141204e58b1928473a3e", "support.example.com"))
    receipts = await post.take_in([raw], plus_address(KEY, "help@support.example.com", reference))
    await post.work_off()
    assert [(each["disposition"], each["message_id"]) for each in await post.receipts(receipts)] == [("bounce", None)]
    assert (await post.ticket(ticket))["status"] == "resolved"


async def test_A6_a_forged_bounce_says_nothing(post: Post) -> None:
    ticket = await opened(post)
    message = await answered(post, ticket)
    forged = reply_message_id(b"some other key of 16 bytes", ticket, message, "support.example.com")
    (receipt,) = await post.deliver(bounce(forged))
    assert (receipt["disposition"], receipt["reason"]) == ("bounce", "of no answer of ours")


async def test_A4_too_many_tickets_of_one_sender_wait_for_a_person(post: Post) -> None:
    receipts = await post.deliver(*(mail(f"Alarm {n}") for n in range(65)))
    assert [receipt["disposition"] for receipt in receipts] == ["accepted"] * 60 + ["suspended"] * 5
    (other,) = await post.deliver(mail("Help", sender="bob@other.example"))
    assert other["disposition"] == "accepted"
    post.intake.wait(minutes=11)
    (later,) = await post.deliver(mail("Alarm again"))
    assert later["disposition"] == "accepted"


async def test_E3_a_mail_from_ourselves_opens_nothing(post: Post) -> None:
    (receipt,) = await post.deliver(mail(sender="Help <help+10.abcdefgh@support.example.com>"))
    assert receipt["disposition"] == "suspended"


# ---- content ---------------------------------------------------------------------------------------------------


async def test_E4_a_reply_is_stored_without_what_it_quotes_and_its_html_is_cleaned(post: Post) -> None:
    ticket = await opened(post)
    written = EmailMessage(policy=SMTP)
    for name, value in {"From": "ada@customer.example", "In-Reply-To": "<root@customer.example>"}.items():
        written[name] = value
    written.set_content("Yes.\n\nOn Mon, 2 Mar 2026 at 10:00, Help wrote:\n> Did you try?\n")
    written.add_alternative("<p>Yes.<script>alert(1)</script></p>", subtype="html")
    await post.deliver(written.as_bytes())
    message = (await post.messages(ticket))[1]
    assert message["text"] == "Yes."
    assert message["html"].strip() == "<p>Yes.</p>"


async def test_E6_attachments_are_kept_by_content_and_those_left_out_are_named(post: Post) -> None:
    written = EmailMessage(policy=SMTP)
    written["From"] = "ada@customer.example"
    written.set_content("See there.")
    for n in range(52):
        written.add_attachment(b"same bytes", maintype="application", subtype="pdf", filename=f"{n}.pdf")
    (receipt,) = await post.deliver(written.as_bytes())
    (message,) = await post.messages(receipt["ticket_id"])
    rows = await post.intake.fetch(
        "SELECT a->>'name' AS name, content FROM messages, jsonb_array_elements(attachments) a"
        " JOIN blobs ON sha256 = a->>'sha256' ORDER BY 1"
    )
    assert len(rows) == 50
    assert {row["content"] for row in rows} == {b"same bytes"}
    assert message["text"].endswith("[left out because of size, number or type: 50.pdf, 51.pdf]")


# ---- trouble ---------------------------------------------------------------------------------------------------


async def test_E1_a_mail_that_cannot_be_handled_is_suspended_and_stops_nobody(post: Post) -> None:
    post.database.execute("ALTER TABLE intake.customers ADD CONSTRAINT poison CHECK (email NOT LIKE 'poison@%')")
    try:
        senders = ["a@x.example", "poison@x.example", "b@x.example"]
        receipts = await post.deliver(*(mail(f"From {sender}", sender=sender) for sender in senders))
    finally:
        post.database.execute("ALTER TABLE intake.customers DROP CONSTRAINT poison")
    assert [receipt["disposition"] for receipt in receipts] == ["accepted", "suspended", "accepted"]
    assert "poison" in receipts[1]["reason"]
    blobs = await post.intake.fetch("SELECT content FROM blobs WHERE sha256 = $1", receipts[1]["blob"])
    assert len(blobs) == 1


class Killed(BaseException):
    """The process is gone."""


async def test_E1_a_batch_that_dies_before_its_commit_is_settled_by_the_next_worker(post: Post) -> None:
    """What was answered with 250 is never lost: only the commit of the dispositions ends the waiting."""

    async def die_settling() -> None:
        async with post.intake.transactions.begin() as transaction:
            received = await Receipts(transaction.connection).waiting(10)
            outcomes = await settle(received, transaction, [KEY])
            assert len(outcomes) == 5
            raise Killed

    receipts = await post.take_in([mail(f"Mail {n}", sender=f"c{n}@x.example") for n in range(5)])
    with pytest.raises(Killed):
        await die_settling()
    assert await post.ledger() == {"received": 5}
    await post.work_off()
    assert {receipt["disposition"] for receipt in await post.receipts(receipts)} == {"accepted"}
