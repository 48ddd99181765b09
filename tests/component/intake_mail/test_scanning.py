"""Attachments behind a virus scanner: a stand-in that speaks clamd's protocol and finds one word."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import httpx
import pytest

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from services.intake import app, scanning
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.support.servers import Template
from tests.support.stack import Stack

HARMFUL = b"EICAR"


@dataclass
class Scanner:
    """What clamd does with INSTREAM. It can be away, or find a file too large."""

    scanned: list[bytes] = field(default_factory=list)
    says: bytes | None = None
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
        self.scanned.append(content)
        found = b"stream: Eicar-Signature FOUND" if HARMFUL in content else b"stream: OK"
        writer.write((self.says or found) + b"\0")
        writer.close()


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
async def scanner() -> AsyncIterator[Scanner]:
    scanner = Scanner()
    server = await asyncio.start_server(scanner.serve, "127.0.0.1", 0)
    scanner.port = server.sockets[0].getsockname()[1]
    yield scanner
    server.close()


@pytest.fixture(scope="module")
async def process(stack: Stack, scanner: Scanner) -> AsyncIterator[Process]:
    await stack.provision({"intake": hears("intake")})
    await stack.configure(files())
    settings = stack.settings(app.SETTINGS, "intake", clamd=f"127.0.0.1:{scanner.port}")
    async with stack.running(app.build(settings)) as running:
        yield running


@pytest.fixture(scope="module")
async def client(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


async def attachments(client: httpx.AsyncClient, *contents: bytes) -> list[dict[str, Any]]:
    """Those of a mail with these files."""
    written = EmailMessage(policy=SMTP)
    written["From"], written["To"], written["Subject"] = "ada@customer.example", "help@support.example.com", "Files"
    written.set_content("See there.")
    for number, content in enumerate(contents):
        written.add_attachment(content, maintype="application", subtype="pdf", filename=f"{number}.pdf")
    headers = {"Content-Type": "message/rfc822"}
    taken = await client.post("/v1/emails", content=written.as_bytes(), headers=headers)
    messages = await client.get(f"/v1/tickets/{taken.json()['ticket_id']}/messages")
    found: list[dict[str, Any]] = messages.json()["items"][0]["attachments"]
    return found


async def test_E6_nobody_gets_a_file_in_which_the_scanner_finds_something(
    client: httpx.AsyncClient, scanner: Scanner
) -> None:
    large = b"x" * 200_000
    clean, harmful = await attachments(client, large, large + HARMFUL)
    for _ in range(2):
        assert (await client.get(clean["url"])).content == large
        refused = await client.get(harmful["url"])
        assert (refused.status_code, "Eicar-Signature" in refused.json()["detail"]) == (404, True)
    # what was found is known by the content
    assert sorted(map(len, scanner.scanned)) == [200_000, 200_005]
    uploaded = await client.post("/v1/attachments", params={"name": "a.txt"}, content=HARMFUL)
    assert uploaded.status_code == 422


async def test_E6_a_scanner_that_cannot_answer_holds_files_back_and_no_mail(
    client: httpx.AsyncClient, scanner: Scanner
) -> None:
    (file,) = await attachments(client, b"never seen before")
    scanner.says = b"INSTREAM size limit exceeded. ERROR"
    assert (await client.get(file["url"])).status_code == 503
    scanner.says = None
    assert (await client.get(file["url"])).status_code == 200


async def test_E6_a_clean_file_is_looked_at_again_with_the_signatures_of_another_day(
    client: httpx.AsyncClient, scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = await attachments(client, b"unknown to the scanner as yet")
    assert (await client.get(file["url"])).status_code == 200
    scanner.says = b"stream: New-Signature FOUND"
    assert (await client.get(file["url"])).status_code == 200
    monkeypatch.setattr(scanning, "real_now", lambda: real_now() + scanning.CLEAN_FOR)
    assert (await client.get(file["url"])).status_code == 404
    scanner.says = None
