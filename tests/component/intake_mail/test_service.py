"""The running service: mail comes in by SMTP and HTTP, is safe before it is answered, and every mail is settled."""

import asyncio
import socket
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest

from libs.chassis.process import Process
from services.intake import app
from services.intake.mail_frames import MEDIA_TYPE, framed
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.component.intake_mail.conftest import mail
from tests.support.servers import Template
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
def smtp_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
async def process(stack: Stack, smtp_port: int) -> AsyncIterator[Process]:
    await stack.provision({"intake": hears("intake")})
    await stack.configure(files())
    settings = stack.settings(app.SETTINGS, "intake", smtp_port=smtp_port)
    async with stack.running(app.build(settings)) as running:
        yield running


@pytest.fixture(scope="module")
async def client(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


async def ledger(client: httpx.AsyncClient) -> dict[str, int]:
    """What became of mails, once all are settled."""
    assert (await client.get("/v1/mail/settled", params={"wait": "8"})).json() == {"settled": True}
    return dict((await client.get("/v1/mail/ledger")).json()["dispositions"])


async def deliver(port: int, *mails: bytes) -> list[str]:
    """Send over one connection; the server's words for each."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
        answers = [await smtp.sendmail("ada@customer.example", ["help@support.example.com"], raw) for raw in mails]
    return [words for _, words in answers]


async def test_mails_of_many_connections_become_tickets_once(client: httpx.AsyncClient, smtp_port: int) -> None:
    sent = [mail(f"Lamp {n}", message_id=f"<lamp-{n}@customer.example>", sender=f"c{n}@c.example") for n in range(40)]
    await asyncio.gather(*(deliver(smtp_port, *sent[n::8]) for n in range(8)))
    assert await ledger(client) == {"accepted": 40}
    await deliver(smtp_port, *sent)
    assert await ledger(client) == {"accepted": 40, "duplicate": 40}
    tickets = (await client.get("/v1/tickets", params={"limit": "200"})).json()["items"]
    assert sorted(ticket["subject"] for ticket in tickets) == sorted(f"Lamp {n}" for n in range(40))


async def raw_session(port: int, *lines: bytes) -> list[bytes]:
    """What the server says to each of these, written as they are."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = [await reader.readline()]
    for line in lines:
        writer.write(line)
        said.append(await reader.readline())
    writer.close()
    return said


async def test_E1_a_bare_line_feed_is_refused_so_that_no_mail_is_smuggled(
    client: httpx.AsyncClient, smtp_port: int
) -> None:
    before = await ledger(client)
    body = b"From: a@b.example\r\nSubject: x\r\n\r\nhi\n.\nMAIL FROM:<b@c.example>\r\n.\r\n"
    said = await raw_session(
        smtp_port,
        b"HELO there\r\n",
        b"MAIL FROM:<a@b.example>\r\n",
        b"RCPT TO:<help@support.example.com>\r\n",
        b"DATA\r\n",
        body,
        b"QUIT\r\n",
    )
    assert [line[:3] for line in said] == [b"220", b"250", b"250", b"250", b"354", b"550", b"221"]
    assert await ledger(client) == before


async def test_E1_a_mail_over_the_limit_is_refused_by_both_doors(client: httpx.AsyncClient, smtp_port: int) -> None:
    big = mail(text="0123456789\r\n" * 2_300_000)
    with pytest.raises(aiosmtplib.SMTPException):
        await deliver(smtp_port, big)
    answer = await client.post("/v1/emails", content=big, headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == 413


async def test_a_mail_by_http_is_answered_with_its_disposition(client: httpx.AsyncClient) -> None:
    raw = mail("By HTTP", message_id="<by-http@customer.example>")
    sent = {"content": raw, "headers": {"Content-Type": "message/rfc822"}}
    first = await client.post("/v1/emails", **sent)  # type: ignore[arg-type]
    assert first.status_code == 201
    assert first.json()["disposition"] == "accepted"
    assert first.json()["mailbox"] == "help@support.example.com"
    again = await client.post("/v1/emails", **sent)  # type: ignore[arg-type]
    assert again.json()["disposition"] == "duplicate"
    assert (await client.get(first.headers["location"])).json() == first.json()
    assert (await client.post("/v1/emails", content=raw)).status_code == 415


async def test_a_mail_sent_again_under_its_idempotency_key_gets_the_first_receipt(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "message/rfc822", "Idempotency-Key": "mail-1"}
    first, again = [await client.post("/v1/emails", content=mail("Keyed"), headers=headers) for _ in range(2)]
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_what_waits_for_a_person_is_listed_shown_and_let_go_once(client: httpx.AsyncClient) -> None:
    nobody = EmailMessage()
    nobody["Subject"] = "From nobody"
    nobody.set_content("Who am I?")
    headers = {"Content-Type": "message/rfc822"}
    answer = (await client.post("/v1/emails", content=nobody.as_bytes(), headers=headers)).json()
    listed = (await client.get("/v1/suspended-mail", params={"limit": "1", "because": "no_sender"})).json()["items"]
    assert listed == [answer]
    assert (answer["reason"], answer["because"]) == ("names no sender", "no_sender")
    assert (await client.get("/v1/suspended-mail", params={"because": "spam"})).json()["items"] == []
    place = f"/v1/suspended-mail/{answer['id']}"
    shown = (await client.get(place)).json()
    assert (shown["text"].strip(), shown["attachments"]) == ("Who am I?", [])
    released = await client.post(f"{place}/release")
    assert (released.status_code, released.json()["disposition"]) == (200, "accepted")
    assert [
        (await client.request(*call)).status_code for call in (("POST", f"{place}/release"), ("DELETE", place))
    ] == [
        409,
        409,
    ]
    assert (await client.get(place)).status_code == 404


async def test_a_mail_that_nobody_wants_is_forgotten(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "message/rfc822"}
    taken = (await client.post("/v1/emails", content=b"Subject: x\r\n\r\nx\r\n", headers=headers)).json()
    assert (await client.delete(f"/v1/suspended-mail/{taken['id']}")).status_code == 204
    after = (await client.get(f"/v1/mail/{taken['id']}")).json()
    assert (after["disposition"], after["subject"]) == ("deleted", None)
    assert (await client.delete("/v1/suspended-mail/999999")).status_code == 404
    assert (await client.get(f"/v1/suspended-mail/{2**70}")).status_code == 422
    assert (await client.get(f"/v1/mail/{2**70}")).status_code == 422


async def test_E1_every_mail_of_this_page_adds_up(client: httpx.AsyncClient) -> None:
    await ledger(client)
    found = (await client.get("/v1/mail/reconciliation")).json()
    assert found["differences"] == []
    assert found["mails"] == sum(found["dispositions"].values()) > 0


async def test_H2_an_agent_accepts_what_a_stranger_wrote(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "message/rfc822"}

    async def write(subject: str, text: str, sender: str, **more: str) -> dict[str, str]:
        raw = mail(subject, text, sender=sender, **more)
        return dict((await client.post("/v1/emails", content=raw, headers=headers)).json())

    ticket = (await write("Leak", "It drips.", "ada@c.example", message_id="<leak@c.example>"))["ticket_id"]
    held = await write("Re: Leak", "Here too.", "eve@elsewhere.example", in_reply_to="<leak@c.example>")
    place = f"/v1/tickets/{ticket}/messages/{held['message_id']}"
    assert (await client.post(f"{place}/split")).status_code == 409
    accepted = await client.post(f"{place}/accept")
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["ticket"]["customer_messages"] == 2
    shown = (await client.get(f"/v1/tickets/{ticket}/messages")).json()["items"]
    assert [(each["visibility"], each["text"]) for each in shown] == [("public", "It drips."), ("public", "Here too.")]
    assert (await client.post(f"{place}/accept")).status_code == 409
    more = await write("Re: Leak", "Still.", "eve@elsewhere.example", in_reply_to="<leak@c.example>")
    assert more["reason"] == "names a mail of its ticket"
    said = (await client.get(f"/v1/tickets/{ticket}/timeline")).json()["items"]
    assert [each["type"].split(".")[2] for each in said] == [
        "opened",
        "message-held",
        "message-added",
        "message-added",
    ]


async def test_H3_an_agent_splits_another_matter_off_an_open_ticket(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "message/rfc822"}

    async def write(subject: str, name: str, parent: str) -> dict[str, str]:
        raw = mail(subject, name, message_id=f"<{name}@s.example>", in_reply_to=f"<{parent}@s.example>")
        return dict((await client.post("/v1/emails", content=raw, headers=headers)).json())

    ticket = (await write("Door", "door", "none"))["ticket_id"]
    joined = await write("Invoice missing", "invoice", "door")
    assert joined["ticket_id"] == ticket
    messages = (await client.get(f"/v1/tickets/{ticket}/messages")).json()["items"]
    assert [each["subject"] for each in messages] == [None, "Invoice missing"]
    split = await client.post(f"/v1/tickets/{ticket}/messages/{joined['message_id']}/split")
    assert split.status_code == 201, split.text
    new = split.json()["ticket"]
    assert (new["split_from"], new["subject"]) == (ticket, "Invoice missing")
    assert new["customer"]["email"] == "ada@customer.example"
    assert (await write("Re: Invoice missing", "more", "invoice"))["ticket_id"] == new["id"]
    assert (await write("Re: Door", "again", "door"))["ticket_id"] == ticket
    assert (await client.get("/v1/mail/reconciliation")).json()["differences"] == []


async def test_an_answer_to_our_reply_finds_its_ticket_and_reopens_it(
    client: httpx.AsyncClient, smtp_port: int, stack: Stack
) -> None:
    """E-8, H-1 and S-2: the customer answers a resolved ticket by mail; no id in it but ours is known."""
    raw = mail("Broken", message_id="<broken@customer.example>")
    taken = await client.post("/v1/emails", content=raw, headers={"Content-Type": "message/rfc822"})
    ticket = taken.json()["ticket_id"]
    reply = await client.post(f"/v1/tickets/{ticket}/replies", json={"text": "Try again.", "submit_as": "resolved"})
    assert reply.status_code == 201, reply.text
    rows = stack.database.execute(f"SELECT outbound->>'message_id' FROM intake.messages WHERE ticket_id = '{ticket}'")
    (own,) = [word for word in rows.split() if word.startswith("t.")]
    answer = mail("Re: Broken", "Still broken.", sender="other@address.example", in_reply_to=f"<{own}>")
    await deliver(smtp_port, answer)
    await ledger(client)
    after = (await client.get(f"/v1/tickets/{ticket}")).json()
    assert after["status"] == "open"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (b".\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"From: a@b.example\r\n\r\n..one\r\nend.\r\n...\r\n.\r\n", b"From: a@b.example\r\n\r\n.one\r\nend.\r\n..\r\n"),
        (b"From: a@b.example\r\n\r\n" + b"x" * 3_000_000 + b"\r\n.\r\n", None),
    ],
)
async def test_a_mail_is_stored_as_it_was_before_its_dots_were_doubled(
    smtp_port: int, stack: Stack, client: httpx.AsyncClient, sent: bytes, stored: bytes | None
) -> None:
    """RFC 5321, 4.5.2; a line may be longer than any buffer."""
    head = [b"HELO there\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<h@s.example>\r\n", b"DATA\r\n"]
    said = await raw_session(smtp_port, *head, sent, b"QUIT\r\n")
    assert said[5].startswith(b"250"), said
    receipt = said[5].split()[-1].decode()
    content = "SELECT encode(content, 'hex') FROM intake.blobs, intake.inbound_mail m WHERE sha256 = blob AND m.id = "
    raw = bytes.fromhex(stack.database.execute(content + receipt).split()[-1] if stored != b"" else "")
    assert raw == (sent[:-3] if stored is None else stored)


async def test_A1_a_mail_by_the_null_path_is_taken_and_never_answered(
    client: httpx.AsyncClient, smtp_port: int, stack: Stack
) -> None:
    body = mail("Null path", message_id="<null@customer.example>").removesuffix(b"\r\n") + b"\r\n.\r\n"
    head = [b"EHLO there\r\n", b"MAIL FROM:<> SIZE=900\r\n", b"RCPT TO:<help@support.example.com>\r\n", b"DATA\r\n"]
    reader, writer = await asyncio.open_connection("127.0.0.1", smtp_port)
    await reader.readline()
    for line in (*head, body):
        writer.write(line)
        while (said := await reader.readline())[3:4] == b"-":
            continue
    writer.close()
    assert said.startswith(b"250"), said
    await ledger(client)
    receipt = (await client.get(f"/v1/mail/{int(said.split()[-1])}")).json()
    ticket = receipt["ticket_id"]
    silent = stack.database.execute(f"SELECT suppress_reply FROM intake.tickets WHERE id = '{ticket}'")
    assert silent.split()[-1] in ("t", "true")


async def test_E2_an_import_sent_again_is_nothing_new(client: httpx.AsyncClient) -> None:
    """What another system kept comes in by the hundred; after an interruption all of it is sent again."""
    headers = {"Content-Type": MEDIA_TYPE}
    mails = [mail(f"Old {n}", message_id=f"<old.{n}@customer.example>") for n in range(300)]
    before = await ledger(client)
    first = await client.post("/v1/mail/import", content=framed(mails[:200]), headers=headers)
    assert (first.status_code, first.json()["mails"]) == (201, 200)
    again = await client.post("/v1/mail/import", content=framed([*mails, b" "]), headers=headers)
    assert again.json()["left_out"] == [{"place": 300, "reason": "empty"}]
    after = await ledger(client)
    gained = {name: after[name] - before.get(name, 0) for name in ("accepted", "duplicate")}
    # nor is one person who has written much held back, and nobody gets an acknowledgment
    assert gained == {"accepted": 300, "duplicate": 200}
    newest = await client.get(f"/v1/mail/{first.json()['receipts'][0]}")
    story = await client.get(f"/v1/tickets/{newest.json()['ticket_id']}/timeline")
    assert story.json()["items"][0]["data"]["suppress_reply"] is True
    cut = await client.post("/v1/mail/import", content=framed(mails)[:-1], headers=headers)
    assert (cut.status_code, (await client.post("/v1/mail/import", content=b"x")).status_code) == (422, 415)


async def test_commands_may_come_without_waiting_for_answers(client: httpx.AsyncClient, smtp_port: int) -> None:
    """Mail servers save ways where PIPELINING is announced (RFC 2920); the answers come in order."""
    before = await ledger(client)
    head = b"MAIL FROM:<a@customer.example>\r\nRCPT TO:<help@support.example.com>\r\nDATA\r\n"
    first, second = (mail(f"Piped {n}", sender=f"piped.{n}@customer.example") for n in range(2))
    reader, writer = await asyncio.open_connection("127.0.0.1", smtp_port)
    writer.write(b"EHLO x\r\n" + head + first + b".\r\n" + head + second + b".\r\nQUIT\r\n")
    answers = (await reader.read()).decode().splitlines()
    writer.close()
    assert "250-PIPELINING" in answers
    assert [line[:3] for line in answers if line[3] == " "] == ["220", "250", *["250", "250", "354", "250"] * 2, "221"]
    assert (await ledger(client))["accepted"] - before.get("accepted", 0) == 2
