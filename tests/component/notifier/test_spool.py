"""The mail server of the embedded stack keeps what it acknowledged."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from signalbox.spool import Spool, read_spool


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path / "outbox")
    await spool.start()
    yield spool
    await spool.stop()


async def send(spool: Spool, subject: str, sender: str = "") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "support@example.com", "ann@example.org", subject
    mail["Message-ID"], mail["References"] = "<1@example.com>", "<a@example.org> <b@example.org>"
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Grüße,\n.\nein Punkt\n")
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=spool.port, start_tls=False) as client:
        await client.sendmail(sender, ["ann@example.org"], mail.as_bytes())


async def test_a_mail_is_kept_with_its_envelope(spool: Spool) -> None:
    await send(spool, "Bestätigung")
    (mail,) = read_spool(spool.folder)
    assert (mail.sender, mail.recipients, mail.to) == ("", ("ann@example.org",), "ann@example.org")
    assert (mail.subject, mail.message_id, mail.automatic) == ("Bestätigung", "1@example.com", True)
    assert mail.references == ("a@example.org", "b@example.org")
    assert mail.text.splitlines() == ["Grüße,", ".", "ein Punkt"]
    assert mail.as_document()["stored_at"].endswith("Z")


async def test_mails_are_listed_oldest_first(spool: Spool) -> None:
    for number in range(12):
        await send(spool, str(number))
    assert [mail.subject for mail in read_spool(spool.folder)] == [str(number) for number in range(12)]


async def test_after_a_stop_it_listens_on_the_same_port(spool: Spool) -> None:
    port = spool.port
    await spool.stop()
    await spool.start()
    assert spool.port == port
    await send(spool, "again")
    assert len(list(read_spool(spool.folder))) == 1


def test_a_spool_that_never_was_is_empty(tmp_path: Path) -> None:
    assert list(read_spool(tmp_path / "nowhere")) == []
