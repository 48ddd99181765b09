"""Guarantees 1 and 2 for mail that is collected: intake is killed while it empties mailboxes, again and again."""

import asyncio
import json
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from imapclient import SEEN

from tests.component.intake_mail.conftest import mail
from tests.faults.harness.rig import Rig, running_rig
from tests.support.imap import PASSWORD, USER, ImapServer, imap_server

KILLS = 5
PORTION = 15
SUBJECTS = "SELECT subject, disposition FROM intake.inbound_mail WHERE subject IS NOT NULL"
COLLECTED = "SELECT count(*) FROM intake.collected_mail WHERE receipt IS NOT NULL"
PATIENCE_SECONDS = 60.0


class Postman:
    """Delivers portions of mail into an IMAP folder and a Maildir until he is told to go."""

    def __init__(self, server: ImapServer, maildir: Path) -> None:
        self._server, self._maildir = server, maildir
        self.delivered: list[str] = []

    async def deliver(self) -> None:
        """For ever."""
        while True:
            await asyncio.to_thread(self._portion)

    def _portion(self) -> None:
        names = [f"Portion {len(self.delivered) + n}" for n in range(2 * PORTION)]
        raws = [mail(name, sender=f"{name.replace(' ', '.')}@customer.example") for name in names]
        self._server.deliver("INBOX", *raws[:PORTION])
        for name, raw in zip(names[PORTION:], raws[PORTION:], strict=True):
            (self._maildir / "tmp" / name).write_bytes(raw)
            (self._maildir / "tmp" / name).rename(self._maildir / "new" / name)
        self.delivered += names


async def test_1_kill_9_of_intake_while_it_empties_mailboxes_loses_no_mail_and_takes_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_IMAP_PASSWORDS", json.dumps({"office": PASSWORD}))
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    with imap_server() as server:
        async with running_rig() as rig:
            await collect(rig, server, tmp_path)
            postman = Postman(server, tmp_path)
            delivering = asyncio.ensure_future(postman.deliver())
            for _ in range(KILLS):
                await kill_while_it_collects(rig)
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering
            found = await all_settled(rig, postman)
        assert Counter(subject for subject, _ in found) == Counter(postman.delivered)
        assert {disposition for _, disposition in found} == {"accepted"}
        assert set(server.flags("INBOX")) == {(SEEN,)}
        assert not list((tmp_path / "new").iterdir())


async def collect(rig: Rig, server: ImapServer, maildir: Path) -> None:
    """Put the mailboxes into the configuration in force."""
    file = rig.stack.options.configuration / "mail.yaml"
    written = yaml.safe_load(file.read_text())
    imap = {"host": "127.0.0.1", "port": server.port, "user": USER, "tls": "none"}
    written["collect"] = {
        "office": {"imap": imap, "every_seconds": 0.05},
        "local": {"maildir": str(maildir), "every_seconds": 0.05},
    }
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    await rig.stack.configure(rig.stack.options.configuration)


async def kill_while_it_collects(rig: Rig) -> None:
    """As soon as another portion or two are stored; it is ready again when this returns."""
    before = await rig.value(COLLECTED)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await rig.value(COLLECTED) < before + PORTION:
            await asyncio.sleep(0.005)
    (intake,) = rig.replicas("intake")
    intake.signal(signal.SIGKILL)
    assert await intake.gone(5)
    await rig.ready(intake)


async def all_settled(rig: Rig, postman: Postman) -> list[tuple[str, str]]:
    """What became of every mail, once both mailboxes know it too."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            open_rows = await rig.value("SELECT count(*) FROM intake.collected_mail WHERE NOT finished")
            found = [(row["subject"], row["disposition"]) for row in await rig.rows(SUBJECTS)]
            if not open_rows and {subject for subject, _ in found} == set(postman.delivered):
                return found
            await asyncio.sleep(0.1)
