"""The doors beside plain SMTP: LMTP with an answer for each recipient, STARTTLS, and their limits."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from libs.chassis.errors import SettingsError
from libs.chassis.process import Process
from services.intake import app
from services.intake.settings import IntakeSettings
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.component.intake_mail.conftest import mail
from tests.support import tls
from tests.support.servers import Template
from tests.support.stack import Stack

TLS = Path(tls.__file__).parent
CERTIFICATE = {"smtp_tls_cert": TLS / "cert.pem", "smtp_tls_key": TLS / "key.pem"}


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
async def process(stack: Stack) -> AsyncIterator[Process]:
    await stack.provision({"intake": hears("intake")})
    bundle = files()
    bundle["mail.yaml"]["inbound"]["max_mail_mb"] = 0.1
    await stack.configure(bundle)
    doors: dict[str, Any] = {"smtp_port": 0, "lmtp_port": 0, "smtp_connections": 3, **CERTIFICATE}
    async with stack.running(app.build(stack.settings(app.SETTINGS, "intake", **doors))) as running:
        yield running


@pytest.fixture(scope="module")
async def client(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


def port(process: Process, door: str) -> int:
    doors: dict[str, int] = process.service.state["mailing"].ports
    return doors[door]


async def talk(port: int, *said: bytes) -> list[str]:
    """Everything is said at once; the answers' last lines in order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(said))
    answers = (await reader.read()).decode().splitlines()
    writer.close()
    return [line for line in answers if line[3:4] == " "]


async def settled(client: httpx.AsyncClient, receipt: str) -> dict[str, Any]:
    assert (await client.get("/v1/mail/settled", params={"wait": "8"})).json() == {"settled": True}
    found: dict[str, Any] = (await client.get(f"/v1/mail/{receipt}")).json()
    return found


async def test_E1_by_lmtp_each_recipient_has_an_answer_after_the_commit(
    process: Process, client: httpx.AsyncClient
) -> None:
    raw = mail("By LMTP", sender="lmtp@customer.example")
    recipients = [b"RCPT TO:<%s@support.example.com>\r\n" % name for name in (b"billing", b"help", b"billing")]
    envelope = b"MAIL FROM:<lmtp@customer.example>\r\n" + b"".join(recipients) + b"DATA\r\n"
    answers = await talk(port(process, "lmtp"), b"LHLO x\r\n", envelope, raw, b".\r\nQUIT\r\n")
    codes = [answer[:3] for answer in answers]
    assert codes == ["220", "250", "250", *["250"] * 3, "354", *["250"] * 3, "221"]
    (receipt,) = {answer.rpartition(" ")[2] for answer in answers[-4:-1]}
    found = await settled(client, receipt)
    assert (found["disposition"], found["mailbox"]) == ("accepted", "billing@support.example.com")


async def test_E1_a_mail_over_the_limit_is_refused_for_each_recipient(process: Process) -> None:
    envelope = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<help@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
    body = b"x" * 70 + b"\r\n"
    answers = await talk(port(process, "lmtp"), b"LHLO x\r\n", envelope, body * 2000, b".\r\nQUIT\r\n")
    assert [answer[:3] for answer in answers[-3:]] == ["552", "552", "221"]


async def test_lmtp_is_not_spoken_as_smtp_is(process: Process) -> None:
    assert (await talk(port(process, "lmtp"), b"EHLO x\r\nQUIT\r\n"))[1].startswith("500")
    assert (await talk(port(process, "smtp"), b"LHLO x\r\nQUIT\r\n"))[1].startswith("500")


async def test_a_mail_comes_in_by_starttls(process: Process, client: httpx.AsyncClient) -> None:
    trusting = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    door = aiosmtplib.SMTP(
        hostname="localhost", port=port(process, "smtp"), start_tls=True, tls_context=trusting, timeout=10
    )
    raws = [mail(f"Secret {n}", "x" * 60_000, sender=f"secret.{n}@customer.example") for n in range(2)]
    async with door as smtp:
        sent = [await smtp.sendmail("secret@customer.example", ["help@support.example.com"], raw) for raw in raws]
    for _, words in sent:
        assert (await settled(client, words.rpartition(" ")[2]))["disposition"] == "accepted"


async def test_what_is_said_before_tls_begins_counts_for_nothing(process: Process) -> None:
    """Commands that somebody slipped in behind STARTTLS are dropped (RFC 3207, 6)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port(process, "smtp"))
    writer.write(b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@x.example>\r\n")
    assert b"Ready to start TLS" in await reader.readuntil(b"Ready to start TLS\r\n")
    writer.write(b"this is no TLS\r\n")
    assert b"250" not in await reader.read()
    writer.close()


async def test_connections_over_the_limit_come_again_later(process: Process) -> None:
    open_ones = [await asyncio.open_connection("127.0.0.1", port(process, "smtp")) for _ in range(3)]
    for reader, _ in open_ones:
        assert (await reader.readline()).startswith(b"220")
    reader, writer = await asyncio.open_connection("127.0.0.1", port(process, "smtp"))
    assert (await reader.read()).startswith(b"421")
    for _, each in [*open_ones, (reader, writer)]:
        each.close()
        await each.wait_closed()


def test_tls_that_cannot_be_is_named_at_the_start(stack: Stack) -> None:
    def settings(**given: Any) -> IntakeSettings:
        return stack.settings(app.SETTINGS, "intake", **given)

    with pytest.raises(SettingsError, match="SIGNALBOX_SMTP_REQUIRE_TLS"):
        app.build(settings(smtp_require_tls=True))
    with pytest.raises(SettingsError, match="SIGNALBOX_SMTP_TLS_CERT"):
        app.build(settings(smtp_tls_cert=TLS / "key.pem"))
