"""Mail collected from a real IMAP server and from Maildirs: each mail once, whatever dies in between."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from imapclient import SEEN

from libs.chassis.process import Process
from services.intake import app
from services.intake.acceptance import Arrivals
from services.intake.collecting.box import Box
from services.intake.collecting.collector import Collector
from services.intake.collecting.imap import ImapBox
from services.intake.collecting.maildir import MaildirBox
from services.intake.mail_sources import MailSource
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.component.intake_mail.conftest import mail
from tests.support.imap import PASSWORD, USER, ImapServer, imap_server
from tests.support.servers import Template
from tests.support.stack import Stack, until


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    with imap_server() as running:
        yield running


@pytest.fixture(scope="module")
def maildir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maildir")
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir()
    return folder


def source(server: ImapServer, folder: str, **more: Any) -> dict[str, Any]:
    imap = {"host": "127.0.0.1", "port": server.port, "user": USER, "tls": "none", "folder": folder}
    return {"imap": imap, "every_seconds": 0.1, **more}


@pytest.fixture(scope="module")
async def process(stack: Stack, server: ImapServer, maildir: Path) -> AsyncIterator[Process]:
    bundle = files()
    bundle["mail.yaml"]["collect"] = {
        "office": source(server, "INBOX", mailbox="billing@support.example.com"),
        "moved": source(server, "Moved", after="move", move_to="Done"),
        "deleted": source(server, "Deleted", after="delete"),
        "local": {"maildir": str(maildir), "every_seconds": 0.1},
        "away": {"imap": {"host": "127.0.0.1", "port": free_port(), "user": "x", "tls": "none"}, "every_seconds": 0.1},
    }
    for folder in ("Moved", "Deleted"):
        server.deliver(folder)
    passwords = '{"office": "%s", "moved": "%s", "deleted": "%s", "away": ""}' % ((PASSWORD,) * 3)
    await stack.provision({"intake": hears("intake")})
    await stack.configure(bundle)
    async with stack.running(app.build(stack.settings(app.SETTINGS, "intake", imap_passwords=passwords))) as running:
        yield running


@pytest.fixture(scope="module")
async def client(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def receipts(process: Process, *subjects: str) -> list[dict[str, Any]]:
    """What became of mails by subject, once all of these are settled; repeats included."""

    async def settled() -> list[dict[str, Any]] | None:
        async with process.resources.database.connection() as connection:
            rows = await connection.fetch("SELECT * FROM inbound_mail WHERE subject = ANY($1) ORDER BY id", subjects)
        return [dict(row) for row in rows] if {row["subject"] for row in rows} == set(subjects) else None

    found: list[dict[str, Any]] = await until(settled)
    return found


def written(name: str, count: int = 1) -> list[bytes]:
    return [mail(f"{name} {n}", sender=f"{name.lower()}.{n}@customer.example") for n in range(count)]


async def test_E1_mails_of_an_imap_folder_become_tickets_and_are_marked_as_seen(
    process: Process, server: ImapServer
) -> None:
    await asyncio.to_thread(server.deliver, "INBOX", *written("Office", 45))
    found = await receipts(process, *(f"Office {n}" for n in range(45)))
    assert {row["disposition"] for row in found} == {"accepted"}
    assert {row["door"] for row in found} == {"imap"}
    assert {row["mailbox"] for row in found} == {"billing@support.example.com"}
    assert len(found) == 45
    flags = await until(lambda: all(SEEN in each for each in server.flags("INBOX")) and server.flags("INBOX"))
    assert len(flags) == 45


async def test_E1_a_mail_that_a_person_has_looked_at_is_taken_all_the_same(
    process: Process, server: ImapServer
) -> None:
    with server.client() as client:
        client.append("INBOX", written("Looked at")[0], flags=[SEEN])
    (found,) = await receipts(process, "Looked at 0")
    assert found["disposition"] == "accepted"


async def test_E1_a_mail_is_moved_or_deleted_only_after_it_is_stored(process: Process, server: ImapServer) -> None:
    await asyncio.to_thread(server.deliver, "Moved", *written("Mover", 3))
    await asyncio.to_thread(server.deliver, "Deleted", *written("Deleter", 3))
    subjects = [f"{name} {n}" for name in ("Mover", "Deleter") for n in range(3)]
    assert len(await receipts(process, *subjects)) == 6
    await until(lambda: not server.flags("Moved") and not server.flags("Deleted"))
    assert len(server.flags("Done")) == 3


async def test_E1_mails_of_a_maildir_become_tickets_and_lie_in_cur(process: Process, maildir: Path) -> None:
    for number, raw in enumerate(written("Local", 3)):
        (maildir / "tmp" / f"{number}.host").write_bytes(raw)
        (maildir / "tmp" / f"{number}.host").rename(maildir / "new" / f"{number}.host")
    found = await receipts(process, *(f"Local {n}" for n in range(3)))
    assert [row["door"] for row in found] == ["maildir"] * 3
    await until(lambda: not list((maildir / "new").iterdir()))
    assert sorted(file.name for file in (maildir / "cur").iterdir()) == [f"{n}.host:2,S" for n in range(3)]


async def test_a_mailbox_that_does_not_answer_stops_no_other_and_is_counted(
    process: Process, client: httpx.AsyncClient
) -> None:
    async def counted() -> bool:
        return 'signalbox_mailbox_trouble_total{source="away"}' in (await client.get("/metrics")).text

    assert await until(counted)
    assert 'signalbox_mailbox_trouble_total{source="office"}' not in (await client.get("/metrics")).text


class Died(OSError):
    """The process is gone, or the network."""


class DyingImap(ImapBox):
    """Dies at one step of its first poll."""

    def __init__(self, source: MailSource, dies_at: str) -> None:
        super().__init__(source, PASSWORD)
        self._dies_at: str | None = dies_at

    def fetch(self, keys: Sequence[str], largest: int) -> Any:
        self._die("fetch")
        return super().fetch(keys, largest)

    def finish(self, keys: Sequence[str]) -> None:
        self._die("finish")
        super().finish(keys)
        self._die("finished")

    def _die(self, step: str) -> None:
        if step == self._dies_at:
            self._dies_at = None
            raise Died


async def polled(process: Process, name: str, source: MailSource, box: Box) -> int:
    collector = Collector(name, source, box, Arrivals())
    try:
        return await collector.poll(process.resources, asyncio.Event())
    finally:
        collector.close()


@pytest.mark.parametrize("step", ["fetch", "finish", "finished"])
@pytest.mark.parametrize("after", ["seen", "move", "delete"])
async def test_E1_whatever_dies_at_whichever_step_no_mail_is_lost_or_taken_twice(
    process: Process, server: ImapServer, step: str, after: str
) -> None:
    name = f"{step}{after}"
    await asyncio.to_thread(server.deliver, name, *written(name, 25))
    given = MailSource.model_validate(source(server, name, after=after))
    with pytest.raises(Died):
        await polled(process, name, given, DyingImap(given, step))
    await polled(process, name, given, ImapBox(given, PASSWORD))
    assert await polled(process, name, given, ImapBox(given, PASSWORD)) == 0
    found = await receipts(process, *(f"{name} {n}" for n in range(25)))
    assert [row["disposition"] for row in found] == ["accepted"] * 25
    assert server.flags(name) == ([(SEEN,)] * 25 if after == "seen" else [])


@pytest.mark.parametrize(("existing", "taken"), [("unseen", 1), ("all", 2), ("none", 0)])
async def test_E1_what_lies_there_at_first_is_taken_as_the_source_says(
    process: Process, server: ImapServer, existing: str, taken: int
) -> None:
    name = f"old{existing}"
    old, unseen, new = written(name, 3)
    await asyncio.to_thread(server.deliver, name, unseen)
    with server.client() as client:
        client.append(name, old, flags=[SEEN])
    given = MailSource.model_validate(source(server, name, existing=existing))
    assert await polled(process, name, given, ImapBox(given, PASSWORD)) == taken
    await asyncio.to_thread(server.deliver, name, new)
    assert await polled(process, name, given, ImapBox(given, PASSWORD)) == 1


async def test_E1_a_mail_over_the_limit_stays_where_it_is_and_is_noted(process: Process, server: ImapServer) -> None:
    large = mail("Large", "x" * 78 + "\n") + b"y" * (26 * 1024 * 1024)
    await asyncio.to_thread(server.deliver, "Large", large, *written("Small"))
    given = MailSource.model_validate(source(server, "Large", after="delete"))
    assert await polled(process, "large", given, ImapBox(given, PASSWORD)) == 1
    async with process.resources.database.connection() as connection:
        reasons = await connection.fetch("SELECT reason FROM collected_mail WHERE source = 'large' AND key <> ''")
    assert sorted(str(row["reason"]) for row in reasons) == ["None", "larger than 26214400 bytes"]
    assert len(server.flags("Large")) == 1


async def test_E1_two_who_empty_one_mailbox_at_once_store_each_mail_once(process: Process, server: ImapServer) -> None:
    """A lease that ran out in a pause: its holder is a zombie, and harmless."""
    await asyncio.to_thread(server.deliver, "Both", *written("Both", 40))
    given = MailSource.model_validate(source(server, "Both"))
    taken = await asyncio.gather(*(polled(process, "both", given, ImapBox(given, PASSWORD)) for _ in range(3)))
    assert sum(taken) == 40
    assert len(await receipts(process, *(f"Both {n}" for n in range(40)))) == 40


async def test_E1_a_maildir_whose_mover_died_is_not_read_twice(process: Process, tmp_path: Path) -> None:
    class Dying(MaildirBox):
        def finish(self, keys: Sequence[str]) -> None:
            raise Died

    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    for number, raw in enumerate(written("Twice", 3)):
        (tmp_path / "new" / f"{number}.host").write_bytes(raw)
    given = MailSource(maildir=str(tmp_path))
    with pytest.raises(Died):
        await polled(process, "dying", given, Dying(given))
    assert await polled(process, "dying", given, MaildirBox(given)) == 0
    assert len(await receipts(process, *(f"Twice {n}" for n in range(3)))) == 3
    assert not list((tmp_path / "new").iterdir())
