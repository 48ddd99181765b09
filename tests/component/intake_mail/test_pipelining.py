"""Commands sent without waiting for answers: one write for them, and no client keeps the others waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from libs.chassis.process import Process
from services.intake import app
from services.intake.smtp_session import MOST_REFUSED
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.component.intake_mail.conftest import mail
from tests.support.servers import Template
from tests.support.stack import Stack

GREETING = {"smtp": b"EHLO x\r\n", "lmtp": b"LHLO x\r\n"}
ENVELOPE = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<help@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
TICK, LONGEST_BLOCK, PATIENCE = 0.005, 0.5, 60
MANY = 80_000
REFUSED = b"RCPT\r\n"


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
async def ports(stack: Stack) -> AsyncIterator[dict[str, int]]:
    await stack.provision({"intake": hears("intake")})
    await stack.configure(files())
    doors: dict[str, Any] = {"smtp_port": 0, "lmtp_port": 0}
    async with stack.running(app.build(stack.settings(app.SETTINGS, "intake", **doors))) as running:
        yield ports_of(running)


def ports_of(process: Process) -> dict[str, int]:
    found: dict[str, int] = process.service.state["mailing"].ports
    return found


async def answers(port: int, said: bytes) -> list[bytes]:
    """Everything is said at once, while the answers are read; the lines of them that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    lines = []
    # who is hung up on in the middle of a word is reset
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            async for line in reader:
                lines.append(line)
    writer.close()
    return lines


@asynccontextmanager
async def ticking() -> AsyncIterator[list[float]]:
    """By how many seconds each tick of this loop came late."""
    loop, late = asyncio.get_running_loop(), [0.0]

    async def tick() -> None:
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            late.append(loop.time() - due)

    ticker = loop.create_task(tick())
    yield late
    # the tick that is due may be the late one
    await asyncio.sleep(2 * TICK)
    ticker.cancel()


@pytest.mark.parametrize("door", ["smtp", "lmtp"])
@pytest.mark.parametrize("command", [REFUSED, b"RCPT TO:<help@x.example>\r\n", b"NOOP\r\n"])
async def test_E1_ten_thousands_of_commands_behind_a_mail_do_not_stop_the_loop(
    ports: dict[str, int], door: str, command: bytes
) -> None:
    begin = b"MAIL FROM:<a@x.example>\r\n" if b"TO" in command else b""
    said = GREETING[door] + ENVELOPE + mail() + b".\r\n" + begin + command * MANY + b"QUIT\r\n"
    async with ticking() as late:
        lines = await answers(ports[door], said)
    assert max(late) < LONGEST_BLOCK
    if command != REFUSED:
        assert len(lines) > MANY
        assert lines[-1].startswith(b"221")


@pytest.mark.parametrize("door", ["smtp", "lmtp"])
async def test_who_is_refused_all_the_time_is_hung_up_on(ports: dict[str, int], door: str) -> None:
    lines = await answers(ports[door], GREETING[door] + REFUSED * (MOST_REFUSED + 50))
    assert lines[-1].startswith(b"421 4.7.0")
    assert sum(line.startswith(b"503") for line in lines) == MOST_REFUSED


async def test_recipients_over_the_limit_are_no_reason_to_hang_up(ports: dict[str, int]) -> None:
    """They are asked to come again, and the mail goes to the others (RFC 5321, 4.5.3.1.10)."""
    many = b"MAIL FROM:<a@x.example>\r\n" + b"RCPT TO:<help@x.example>\r\n" * (MOST_REFUSED + 200)
    lines = await answers(ports["smtp"], GREETING["smtp"] + many + b"DATA\r\n" + mail() + b".\r\nQUIT\r\n")
    assert [line[:3] for line in lines[-3:]] == [b"354", b"250", b"221"]
    assert sum(line.startswith(b"452") for line in lines) == MOST_REFUSED + 100


async def test_commands_that_come_together_are_answered_in_one_write(
    ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = asyncio.StreamWriter.write

    def noted(writer: asyncio.StreamWriter, data: bytes) -> None:
        written.append(bytes(data))
        write(writer, data)

    monkeypatch.setattr(asyncio.StreamWriter, "write", noted)
    mails = (ENVELOPE + mail(f"Together {n}") + b".\r\n" for n in range(2))
    await answers(ports["lmtp"], GREETING["lmtp"] + b"".join(mails) + b"QUIT\r\n")
    together = [data for data in written if b"\r\n354 " in data]
    assert [data.count(b"\r\n") for data in together] == [4, 4]
    assert all(data.startswith(b"250 OK\r\n250 2.1.5 OK\r\n250 2.1.5 OK\r\n354 ") for data in together)
    assert sum(data.count(b"250 2.0.0 OK") == 2 for data in written) == 2
