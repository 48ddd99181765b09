"""Attachments over HTTP: what a mail brought is fetched by signed links, an agent's file leaves with the answer."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import httpx
import pytest

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from libs.chassis.timers import Due
from libs.chassis.tokens import Role
from services.intake import app, uploads
from services.intake.api import links
from services.notifier.sender.enclosures import fetch_enclosures
from services.notifier.sender.letter import Enclosure
from signalbox.services import hears
from tests.component.intake.conftest import files
from tests.component.intake_mail.conftest import mail
from tests.support.servers import Template
from tests.support.stack import Stack

PNG = b"\x89PNG\r\n\x1a\n and so on"
SCRIPT = b"<html><script>alert(1)</script></html>"


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return None


@pytest.fixture(scope="module")
async def process(stack: Stack) -> AsyncIterator[Process]:
    await stack.provision({"intake": hears("intake")})
    await stack.configure(files())
    async with stack.running(app.build(stack.settings(app.SETTINGS, "intake"))) as running:
        yield running


@pytest.fixture(scope="module")
async def system(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


@pytest.fixture(scope="module")
async def mira(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    token = process.resources.tokens.issue("mira", Role.AGENT, real_now(), lifetime=timedelta(hours=1))
    async with stack.client(process, token) as client:
        yield client


@pytest.fixture(scope="module")
async def browser(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """It has no token."""
    async with httpx.AsyncClient(base_url=process.url) as client:
        yield client


def with_files() -> bytes:
    """HTML that shows one of three files."""
    written = EmailMessage(policy=SMTP)
    written["From"], written["To"], written["Subject"] = "ada@customer.example", "help@support.example.com", "See"
    written["Message-ID"] = "<files@customer.example>"
    written.set_content("See there.")
    written.add_alternative('<p onclick="x()">See <img src="cid:shot@x"><img src="http://t.example/1.png"></p>', "html")
    written.get_payload()[1].add_related(PNG, "image", "png", cid="<shot@x>", filename="shot.png")  # type: ignore[union-attr,index]
    written.add_attachment(SCRIPT, maintype="text", subtype="html", filename='a "page".html')
    written.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="setup.EXE")
    return written.as_bytes()


@pytest.fixture(scope="module")
async def message(system: httpx.AsyncClient) -> dict[str, Any]:
    """The message that a mail with files became."""
    taken = await system.post("/v1/emails", content=with_files(), headers={"Content-Type": "message/rfc822"})
    found = await system.get(f"/v1/tickets/{taken.json()['ticket_id']}/messages")
    item: dict[str, Any] = found.json()["items"][0]
    return item


async def test_E6_an_attachment_is_fetched_by_its_link_and_never_shown_by_itself(
    message: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    page = next(each for each in message["attachments"] if each["name"].endswith(".html"))
    answer = await browser.get(page["url"])
    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="a _page_.html"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")


async def test_E6_an_image_in_a_text_is_shown_from_its_signed_link(
    message: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    (source,) = re.findall(r'<img src="([^"]+)">', message["html"])
    assert "onclick" not in message["html"]
    assert "t.example" not in message["html"]
    answer = await browser.get(source.replace("&amp;", "&"))
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")


async def test_E6_files_of_a_refused_type_are_left_out_and_named(message: dict[str, Any]) -> None:
    assert [each["name"] for each in message["attachments"]] == ["shot.png", 'a "page".html']
    assert message["text"].endswith("[left out because of size, number or type: setup.EXE]")


async def test_E6_a_link_that_is_over_or_for_another_or_without_a_signature_opens_nothing(
    message: dict[str, Any], browser: httpx.AsyncClient, mira: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = message["attachments"]
    path, _, query = first["url"].partition("?")
    assert (await browser.get(path)).status_code == 401
    assert (await mira.get(path)).content == PNG
    assert (await browser.get(f"{second['url'].partition('?')[0]}?{query}")).status_code == 403
    assert (await browser.get(first["url"].replace("expires=", "expires=9"))).status_code == 403
    assert (await browser.get(first["url"])).status_code == 200
    monkeypatch.setattr(links, "real_now", lambda: real_now() + timedelta(hours=2))
    assert (await browser.get(first["url"])).status_code == 403
    assert (await mira.get(f"{path}0")).status_code == 404


async def upload(client: httpx.AsyncClient, name: str, content: bytes, kind: str = "text/plain") -> httpx.Response:
    return await client.post("/v1/attachments", params={"name": name}, content=content, headers={"Content-Type": kind})


async def test_E6_an_agents_file_leaves_with_the_answer(
    message: dict[str, Any], system: httpx.AsyncClient, mira: httpx.AsyncClient, process: Process
) -> None:
    taken = await system.post("/v1/emails", content=mail("Help"), headers={"Content-Type": "message/rfc822"})
    ticket = taken.json()["ticket_id"]
    first = (await upload(mira, "../../manual.pdf", b"%PDF", "application/pdf")).json()
    second = (await upload(mira, "manual.pdf", b"%PDF", "application/pdf")).json()
    body = {"text": "See the manual.", "attachments": [first["id"], second["id"]]}
    stolen = await system.post(f"/v1/tickets/{ticket}/replies", json=body)
    assert (stolen.status_code, stolen.json()["errors"][0]["field"]) == (422, "body.attachments")
    written = await mira.post(f"/v1/tickets/{ticket}/replies", json=body)
    assert written.status_code == 201, written.text
    reply = (await mira.get(f"/v1/tickets/{ticket}/messages")).json()["items"][-1]
    assert [each["name"] for each in reply["attachments"]] == ["manual.pdf", "manual.pdf"]
    async with process.resources.database.connection() as connection:
        said = await connection.fetchval("SELECT attachments FROM messages WHERE id = $1", reply["id"])
        kept = await connection.fetchval("SELECT count(*) FROM blobs WHERE sha256 = $1", first["sha256"])
    assert kept == 1
    # as the notifier fetches them when it sends the answer
    enclosures = await fetch_enclosures(process.resources.peers, process.url, said)
    assert enclosures == [Enclosure("manual.pdf", "application/pdf", b"%PDF")] * 2


async def test_E6_what_is_too_large_or_of_a_refused_type_is_not_taken(mira: httpx.AsyncClient) -> None:
    assert (await upload(mira, "a.txt", b"x" * (21 * 1024 * 1024))).status_code == 413
    assert (await upload(mira, "Setup.EXE", b"MZ")).status_code == 415
    assert (await upload(mira, "a", b"MZ", "application/x-msdownload")).status_code == 415
    assert (await upload(mira, "/", b"x")).status_code == 422


async def test_E6_an_upload_that_no_answer_takes_is_gone_after_a_day(mira: httpx.AsyncClient, process: Process) -> None:
    uploaded = (await upload(mira, "a.txt", b"never used")).json()
    transactions = process.resources.transactions
    async with transactions.begin() as transaction:
        timers = await transaction.connection.fetch("SELECT key, due_at FROM timers WHERE kind = $1", uploads.EXPIRE)
        (due,) = [Due(row["key"], uploads.EXPIRE, row["due_at"]) for row in timers if row["key"] == uploaded["id"]]
        assert timedelta(hours=23) < due.due_at - transaction.now <= timedelta(days=1)
        kind = process.service.timers[uploads.EXPIRE]
        await kind.lock([due.key], transaction)
        await kind.fire([due], transaction)
    async with process.resources.database.connection() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM uploads WHERE id = $1", uploaded["id"])
        assert not await connection.fetchval("SELECT count(*) FROM blobs WHERE sha256 = $1", uploaded["sha256"])
