"""`signalbox mail import` against a running intake: files and folders of every kind, again after an interruption."""

import asyncio
import json
import mailbox
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from libs.chassis.process import Process
from services.intake import app
from signalbox.mail import app as command
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.component.intake_mail.conftest import mail
from tests.support.servers import Template
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
async def process(stack: Stack) -> AsyncIterator[Process]:
    await stack.provision({"intake": hears("intake")})
    await stack.configure(files())
    async with stack.running(app.build(stack.settings(app.SETTINGS, "intake"))) as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    """An mbox with 300 mails, a Maildir and a folder with one each, a mail by itself and an empty file."""
    box = mailbox.mbox(tmp_path / "old.mbox")
    for n in range(300):
        box.add(mail(f"Boxed {n}", "From me\nhello", sender=f"c{n % 7}@customer.example"))
    box.close()
    maildir = mailbox.Maildir(tmp_path / "maildir")
    maildir.add(mail("In a maildir"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one.eml").write_bytes(mail("In a folder"))
    (tmp_path / "empty.eml").write_bytes(b"\n")
    (tmp_path / "alone.eml").write_bytes(mail("Alone"))
    return [tmp_path / name for name in ("old.mbox", "empty.eml", "maildir", "folder", "alone.eml")]


async def test_an_archive_is_imported_once_however_often_it_is_sent(
    process: Process, archive: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_INTAKE_URL", process.url)
    monkeypatch.setenv("SIGNALBOX_TOKEN", process.resources.peers.headers["authorization"].partition(" ")[2])

    async def imported() -> dict[str, Any]:
        arguments = ["import", *map(str, archive), "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, command, arguments)
        assert result.exit_code == 0, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    first = await imported()
    assert first == {"imported": 303, "left_out": [{"place": 300, "reason": "empty"}], "ledger": {"accepted": 303}}
    again = await imported()
    assert again["ledger"] == {"duplicate": 303}
