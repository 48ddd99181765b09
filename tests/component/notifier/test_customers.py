"""What customers get: one acknowledgment a ticket, and the answers of agents in the thread of their mail program."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from libs.chassis.signed_links import SignedLinks
from libs.contracts.mail_ids import MailIdKind, OwnMailId, verify_message_id
from libs.contracts.reopen_link import LIFETIME, PURPOSE, path
from libs.contracts.ticket import (
    Change,
    Customer,
    InboundMail,
    TicketChanged,
    TicketMerged,
    TicketOpened,
    TicketReminderDue,
    TicketRemoved,
    TicketUnmerged,
)
from tests.component.notifier.conftest import PUBLIC_URL
from tests.component.notifier.mail_server import Fault
from tests.component.notifier.world import CUSTOMER, MAILBOX, World
from tests.support.stack import MAIL_SECRET, TOKEN_SECRET, until


async def test_A3_a_ticket_from_mail_is_acknowledged_with_its_reference(world: World) -> None:
    ticket = await world.acknowledge()
    mail = await world.mail(ticket)
    assert "[#SB-10427]" in mail.subject
    assert "My lamp flickers" in mail.subject
    assert mail.recipients == (CUSTOMER,)
    assert "We will answer by" in mail.text
    notice = await world.notice(ticket, "sent")
    assert verify_message_id([MAIL_SECRET.encode()], mail.message_id) == OwnMailId(
        MailIdKind.NOTICE, ticket, notice["id"]
    )
    assert await world.said(ticket) == [
        ("sent", {"notice_id": notice["id"], "kind": "acknowledgment", "message_id": mail.message_id})
    ]


async def test_A2_an_acknowledgment_is_marked_automatic_and_has_a_null_sender(world: World) -> None:
    ticket = await world.acknowledge()
    mail = await world.mail(ticket)
    raw = (world.server.spool.folder / mail.file).read_text()
    assert mail.sender == ""
    assert mail.automatic
    assert "Auto-Submitted: auto-replied" in raw
    assert "X-Auto-Response-Suppress: All" in raw
    assert "X-Signalbox-Loop: " in raw
    assert "\nPrecedence:" not in raw
    assert "\nCc:" not in raw
    assert (mail.in_reply_to, mail.references) == ("first@example.org", ("older@example.org", "first@example.org"))


async def test_11_the_acknowledgment_waits_for_the_final_promise_in_whatever_order_facts_come(world: World) -> None:
    ticket = await world.open()
    await world.promise(ticket, final=False)
    await world.heard(ticket)
    assert await world.rows(ticket) == []
    await world.promise(ticket)
    await world.mail(ticket)


async def test_2_facts_of_two_speakers_commute(world: World) -> None:
    ticket = "promised-before-it-was-opened"
    await world.promise(ticket)
    await world.heard(ticket, "sla")
    opened = TicketOpened(channel="email", subject="Late", customer=Customer(id="c", email=CUSTOMER))
    await world.say(opened, ticket, state=world.state(ticket))
    await world.mail(ticket)


async def test_T3_one_acknowledgment_for_each_ticket(world: World) -> None:
    ticket = await world.acknowledge()
    await world.promise(ticket, hours=1)
    await world.heard(ticket, "sla")
    await world.notice(ticket, "sent")
    assert len(world.mails(ticket)) == 1


async def test_A1_nothing_goes_to_whom_intake_says_it_must_not(world: World) -> None:
    ticket = await world.acknowledge(suppress_reply=True)
    notice = await world.notice(ticket, "suppressed")
    assert notice["reason"] == "the customer's mail must not be answered automatically"
    (name, said), *_ = await world.said(ticket)
    assert (name, said["state"], said["permanent"]) == ("failed", "suppressed", True)


async def test_A1_nothing_goes_to_an_address_of_a_machine_or_of_our_own(world: World) -> None:
    for address in ("no-reply@shop.example.org", "anybody@lumen.example.com", "MAILER-DAEMON@mx.example.org"):
        ticket = await world.acknowledge(customer=Customer(id="c", email=address), mail=None)
        assert (await world.notice(ticket, "suppressed"))["state"] == "suppressed"
        assert world.mails(ticket) == []


async def test_A2_a_null_return_path_gets_nothing(world: World) -> None:
    ticket = await world.acknowledge(mail=InboundMail(message_id="b@example.org", return_path=""))
    await world.notice(ticket, "suppressed")


async def test_C5_a_chat_is_acknowledged_in_the_chat(world: World) -> None:
    ticket = await world.acknowledge(conversation=True)
    notice = await world.notice(ticket, "sent")
    assert (notice["way"], notice["recipient"]) == ("chat", f"chat/{ticket}")
    async with world.stack.client(world.notifier) as client:
        page = (await client.get("/v1/notices", params={"conversation": f"chat/{ticket}"})).json()
    assert [item["text"].split(".")[0] for item in page["items"]] == ["Your request has the number SB-10427"]
    assert await world.said(ticket) == [("sent", {"notice_id": notice["id"], "kind": "acknowledgment"})]


async def test_E8_an_answer_leaves_with_the_ids_it_was_given(world: World) -> None:
    ticket = await world.open()
    identity = await world.reply(ticket)
    mail = await world.mail(identity)
    assert (mail.in_reply_to, mail.references) == ("first@example.org", ("older@example.org", "first@example.org"))
    assert mail.sender == "help+sb-10427.abcdefgh@support.example.com"
    assert (mail.to, mail.subject, mail.automatic) == (CUSTOMER, "[SB-10427] Re: My lamp flickers", False)
    assert mail.text.startswith("Turn it off and on again.")
    assert "Lumen Lights" in mail.text
    raw = (world.server.spool.folder / mail.file).read_text()
    assert f"From: Lumen Lights Support <{MAILBOX}>" in raw
    assert "Reply-To: help+sb-10427.abcdefgh@support.example.com" in raw
    notice = await world.notice(ticket, "sent")
    name, said = (await world.said(ticket))[-1]
    assert (name, said["message_id"]) == ("sent", identity)
    assert said["source_message"] == notice["source_message"]


async def test_the_answer_of_an_agent_goes_even_to_whom_nothing_automatic_may(world: World) -> None:
    ticket = await world.open(suppress_reply=True)
    await world.mail(await world.reply(ticket, to="no-reply@shop.example.org"))


async def test_no_value_becomes_a_header(world: World) -> None:
    ticket = await world.acknowledge(
        subject="Hello\r\nBcc: everybody@example.org",
        customer=Customer(id="c", name="Ann\r\nX-Evil: 1", email=CUSTOMER),
    )
    mail = await world.mail(ticket)
    head = (world.server.spool.folder / mail.file).read_text().partition("\n\n")[0]
    assert "Bcc: everybody@example.org" in mail.subject
    assert "\nBcc:" not in head
    assert "\nX-Evil:" not in head


async def test_K3_the_customer_is_told_once_for_each_time_it_is_resolved(world: World) -> None:
    ticket = await world.open()
    for status, category in (
        ("resolved", "resolved"),
        ("done", "resolved"),
        ("open", "open"),
        ("resolved", "resolved"),
    ):
        changes = {"status": Change(new=status), "status_category": Change(new=category)}
        await world.say(TicketChanged(changes=changes), ticket, state=world.state(ticket))
    mails = await until(lambda: len(world.mails(ticket)) == 2 and world.mails(ticket))
    assert all("Resolved: My lamp flickers" in mail.subject for mail in mails)
    assert all(mail.references[-1] == "first@example.org" for mail in mails)


async def test_K3_the_mail_has_a_link_that_intake_takes_for_this_ticket_and_no_other(world: World) -> None:
    ticket = await world.open()
    resolved = {"status_category": Change(old="open", new="resolved")}
    await world.say(TicketChanged(changes=resolved), ticket, state=world.state(ticket))
    notice = await world.notice(ticket, "sent")
    (line,) = [line for line in notice["text"].splitlines() if line.startswith(PUBLIC_URL)]
    url = urlsplit(line)
    assert url.path == path(ticket)
    query = parse_qs(url.query)
    links = SignedLinks(TOKEN_SECRET, PURPOSE, LIFETIME)
    expires, signature = int(query["expires"][0]), query["signature"][0]
    now = datetime.now(UTC)
    assert links.allows(ticket, expires, signature, now + LIFETIME)
    assert not links.allows(ticket, expires, signature, now + 2 * LIFETIME + timedelta(seconds=1))
    assert not links.allows("another", expires, signature, now)


async def test_K3_who_chatted_is_told_in_the_chat_once_for_each_time_it_is_resolved(world: World) -> None:
    ticket = await world.open(conversation=True)
    resolved = {"status_category": Change(old="open", new="resolved")}
    await world.say(TicketChanged(changes=resolved), ticket, state=world.state(ticket))
    notice = await world.notice(ticket, "sent")
    assert (notice["kind"], notice["way"], notice["recipient"]) == ("resolved", "chat", f"chat/{ticket}")
    assert notice["text"].endswith("write here again: that opens it again.")
    assert world.mails(ticket) == []


async def test_K2_a_customer_is_reminded_by_mail_and_each_reminder_is_one_notice(world: World) -> None:
    ticket = await world.open()
    for number in (1, 2):
        due = TicketReminderDue(number=number, waiting_since=datetime.now(UTC))
        await world.say(due, ticket, state=world.state(ticket))
    mails = await until(lambda: len(world.mails(ticket)) == 2 and world.mails(ticket))
    assert all("Waiting for you: My lamp flickers" in mail.subject for mail in mails)
    assert all(mail.automatic for mail in mails)


async def test_A3_what_still_waits_is_not_said_once_the_ticket_is_spam(world: World) -> None:
    await world.server.spool.stop()
    ticket = await world.acknowledge()
    await world.notice(ticket, "queued")
    await world.execute("UPDATE notices SET next_try = next_try + interval '1 hour' WHERE ticket = $1", ticket)
    await world.say(TicketRemoved(reason="spam"), ticket, state=world.state(ticket))
    notice = await world.notice(ticket, "suppressed")
    await world.server.spool.start()
    assert notice["reason"] == "spam"
    assert [said["state"] for _, said in await world.said(ticket)] == ["suppressed"]


async def test_M4_of_a_merged_ticket_nothing_is_said_by_itself_until_it_is_separated(world: World) -> None:
    ticket = await world.acknowledge()
    await world.notice(ticket, "sent")
    await world.say(TicketMerged(target="another"), ticket, state=world.state(ticket))
    resolved = {"status_category": Change(old="open", new="resolved")}
    opened = {"status_category": Change(old="resolved", new="open")}
    await world.say(TicketChanged(changes=resolved), ticket, state=world.state(ticket))
    await world.say(TicketChanged(changes=opened), ticket, state=world.state(ticket))
    await world.say(TicketUnmerged(target="another"), ticket, state=world.state(ticket))
    await world.say(TicketChanged(changes=resolved), ticket, state=world.state(ticket))
    rows = await until(lambda: _two(world, ticket))
    assert [row["kind"] for row in rows] == ["acknowledgment", "resolved"]


async def _two(world: World, ticket: str) -> list[Any] | None:
    rows = await world.rows(ticket)
    return rows if len(rows) == 2 else None


def _copies(*copies: tuple[str, str]) -> dict[str, Any]:
    return {"copies": [{"ticket": ticket, "to": to} for ticket, to in copies]}


async def test_M3_a_copy_of_an_answer_is_a_mail_of_its_own_and_both_name_each_other(world: World) -> None:
    ticket, merged = await world.open(), await world.open()
    answer = await world.reply(ticket, **_copies((merged, "bob@example.net"), (merged, "nobody")))
    rows = await until(lambda: _sent(world, ticket, 2))
    notices = {row["kind"]: row for row in rows}
    assert {kind: row["recipient"] for kind, row in notices.items()} == {"reply": CUSTOMER, "copy": "bob@example.net"}
    mails = {mail.recipients: mail for mail in world.mails(ticket)}
    for mail in mails.values():
        raw = (world.server.spool.folder / mail.file).read_text()
        assert f"To: {CUSTOMER}\n" in raw.replace("\r\n", "\n")
        assert "\nCc: bob@example.net" in raw
        assert "Turn it off and on again." in mail.text
    assert mails[(CUSTOMER,)].message_id == answer
    copy = mails[("bob@example.net",)].message_id
    assert verify_message_id([MAIL_SECRET.encode()], copy) == OwnMailId(
        MailIdKind.NOTICE, ticket, notices["copy"]["id"]
    )
    said = {said["kind"]: said for _, said in await world.said(ticket)}
    assert said["copy"] == {"notice_id": notices["copy"]["id"], "kind": "copy", "message_id": copy}
    assert said["reply"]["source_message"] == notices["reply"]["source_message"]


async def test_M3_a_copy_that_is_refused_says_nothing_of_the_answer(world: World) -> None:
    ticket = await world.open()
    await world.server.spool.stop()
    await world.reply(ticket, to="", **_copies((ticket, "bob@example.net")))
    world.server.fail(Fault.REFUSED)
    await world.server.spool.start()
    notice = await world.notice(ticket, "failed")
    assert (notice["kind"], notice["verdict"]) == ("copy", "refused")
    (name, said), *_ = await world.said(ticket)
    assert (name, said["kind"], said.get("source_message")) == ("failed", "copy", None)


async def test_M3_where_the_customer_has_no_address_only_the_copies_leave(world: World) -> None:
    ticket = await world.open(conversation=True)
    await world.reply(ticket, to="", **_copies(("merged", "bob@example.net")))
    mail = await world.mail(ticket)
    raw = (world.server.spool.folder / mail.file).read_text()
    assert mail.recipients == ("bob@example.net",)
    assert "\nTo:" not in raw
    assert "Cc: bob@example.net" in raw


async def test_M3_nobody_finds_who_got_a_copy_once_their_own_ticket_is_erased(world: World) -> None:
    ticket, merged = await world.open(), await world.open(customer=Customer(id="b", email="bob@example.net"))
    await world.reply(ticket, **_copies((merged, "bob@example.net")))
    await until(lambda: _sent(world, ticket, 2))
    async with world.stack.client(world.notifier) as client:
        page = (await client.get("/v1/notices", params={"ticket": merged})).json()
    assert [item["recipient"] for item in page["items"]] == ["bob@example.net"]
    await world.say(TicketRemoved(reason="erased"), merged, state=world.state(merged))
    await world.heard(merged)
    rows = await world.rows(ticket)
    assert "bob@example.net" not in "".join(str(dict(row)) for row in rows)
    assert CUSTOMER in "".join(str(dict(row)) for row in rows)


async def test_M3_D21_no_copy_is_written_to_who_was_erased_before_the_answer_was_heard(world: World) -> None:
    ticket = await world.open()
    bob, cy = [await world.open(customer=Customer(id=name, email=f"{name}@example.net")) for name in ("bob", "cy")]
    await world.say(TicketMerged(target=ticket), bob, state=world.state(bob))
    await world.say(TicketRemoved(reason="erased"), bob, state=world.state(bob))
    await world.say(TicketUnmerged(target=ticket), bob, state=world.state(bob))
    await world.heard(bob)
    await world.reply(ticket, **_copies((bob, "bob@example.net"), (cy, "cy@example.net"), ("unknown", "d@example.net")))
    rows = await until(lambda: _sent(world, ticket, 3))
    assert {row["recipient"] for row in rows} == {CUSTOMER, "cy@example.net", "d@example.net"}
    assert "bob@example.net" not in "".join(str(dict(row)) for row in rows)
    assert bob not in {row["copy_for"] for row in rows}


async def test_M3_D21_a_copy_that_waits_is_not_sent_once_its_requester_is_erased(world: World) -> None:
    ticket, merged = await world.open(), await world.open(customer=Customer(id="b", email="bob@example.net"))
    await world.server.spool.stop()
    await world.reply(ticket, **_copies((merged, "bob@example.net")))
    await until(lambda: _two(world, ticket))
    await world.execute("UPDATE notices SET next_try = next_try + interval '1 hour' WHERE ticket = $1", ticket)
    await until(lambda: _all(world, ticket, "queued"))
    await world.say(TicketRemoved(reason="erased"), merged, state=world.state(merged))
    await world.heard(merged)
    await world.server.spool.start()
    rows = {row["kind"]: row for row in await world.rows(ticket)}
    assert (rows["reply"]["state"], rows["reply"]["recipient"]) == ("queued", CUSTOMER)
    assert (rows["copy"]["state"], rows["copy"]["reason"]) == ("suppressed", "erased")
    assert "bob@example.net" not in str(dict(rows["copy"]))
    (name, said), *_ = await world.said(ticket)
    assert (name, said["kind"], said["state"]) == ("failed", "copy", "suppressed")


async def test_M3_D21_notices_of_erased_tickets_are_locked_in_one_order(world: World) -> None:
    first, last = sorted([await world.open(), await world.open()])
    merged = await world.open(customer=Customer(id="b", email="bob@example.net"))
    for ticket in (last, first):
        await world.reply(ticket, **_copies((merged, "bob@example.net")))
        await until(lambda ticket=ticket: _sent(world, ticket, 2))  # type: ignore[misc]
    lock = "SELECT id FROM notices WHERE ticket = $1 AND kind = 'copy' FOR UPDATE"
    async with world.notifier.database.connection() as connection, connection.transaction():
        await connection.fetch(lock, first)
        await world.say(TicketRemoved(reason="erased"), merged, state=world.state(merged))
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        await until(lambda: connection.fetchval(asked))
        assert len(await connection.fetch(f"{lock} NOWAIT", last)) == 1
    await world.heard(merged)
    rows = [*await world.rows(first), *await world.rows(last)]
    assert "bob@example.net" not in "".join(str(dict(row)) for row in rows)


async def _sent(world: World, ticket: str, count: int) -> list[Any] | None:
    rows = await world.rows(ticket, "sent")
    return rows if len(rows) == count else None


async def test_an_erased_ticket_leaves_no_person_behind(world: World) -> None:
    ticket = await world.acknowledge()
    await world.notice(ticket, "sent")
    await world.say(TicketRemoved(reason="erased"), ticket, state=world.state(ticket))
    await until(lambda: _is_erased(world, ticket))


async def test_D21_an_answer_that_waits_is_not_sent_once_its_ticket_is_erased(world: World) -> None:
    await world.server.spool.stop()
    ticket = await world.acknowledge()
    await world.notice(ticket, "queued")
    await world.reply(ticket)
    await until(lambda: _two(world, ticket))
    await world.execute("UPDATE notices SET next_try = next_try + interval '1 hour' WHERE ticket = $1", ticket)
    await until(lambda: _all(world, ticket, "queued"))
    await world.say(TicketRemoved(reason="erased"), ticket, state=world.state(ticket))
    rows = await until(lambda: _all(world, ticket, "suppressed"))
    await world.server.spool.start()
    text = "".join(str(dict(row)) for row in rows)
    assert CUSTOMER not in text
    assert "flickers" not in text


async def _all(world: World, ticket: str, state: str) -> list[Any] | None:
    rows = await world.rows(ticket)
    return rows if all(row["state"] == state for row in rows) else None


async def _is_erased(world: World, ticket: str) -> bool:
    (notice,) = await world.rows(ticket)
    async with world.notifier.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM tickets WHERE id = $1", ticket)
    text = f"{dict(notice)} {dict(row or {})}"
    return CUSTOMER not in text and "flickers" not in text and "Ann" not in text
