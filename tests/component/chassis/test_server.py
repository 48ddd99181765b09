"""The server knows its URL before it serves, leaves signals alone, and answers what is in flight before it stops."""

import asyncio
import io
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
import structlog
from starlette.types import Receive, Scope, Send

from libs.chassis.errors import SettingsError
from libs.chassis.http import Server
from libs.chassis.logs import configure_logs
from tests.component.chassis.conftest import Door, until


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    task = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=server.url) as client:
        yield client
        server.should_exit = True
        await asyncio.wait_for(task, 10)


async def test_a_free_port_is_known_before_serving(door: Door) -> None:
    server = Server(door.build(), port=0)

    assert server.url.startswith("http://127.0.0.1:")
    assert not server.url.endswith(":0")
    async with serving(server) as client:
        assert (await client.get("/livez")).json() == {"status": "alive"}


async def test_every_interface_is_reached_by_the_loopback(door: Door) -> None:
    server = Server(door.build(), host="0.0.0.0")

    async with serving(server) as client:
        assert (await client.get("/livez")).status_code == 200


async def test_a_port_that_is_taken_is_a_fault_of_the_settings(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"SIGNALBOX_HTTP_PORT: cannot listen on 127.0.0.1:{port}"):
            Server(door.build(), port=port)


async def test_signals_stay_with_the_process(door: Door) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async with serving(Server(door.build())) as client:
        await client.get("/livez")
        assert signal.getsignal(signal.SIGTERM) is before


async def test_a_request_in_flight_is_answered_before_the_server_stops() -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        arrived.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    server = Server(slow)
    task = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=server.url) as client:
        asking = asyncio.create_task(client.get("/"))
        await until(arrived)
        server.should_exit = True
        go_on.set()
        assert (await asking).status_code == 204
    await asyncio.wait_for(task, 10)


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs("things", stream=stream)
    yield stream
    structlog.reset_defaults()


async def test_a_crash_is_logged_once_under_the_request_id_of_the_answer(door: Door, log_lines: io.StringIO) -> None:
    async with serving(Server(door.build())) as client:
        headers = {"Authorization": f"Bearer {door.token()}", "X-Request-ID": "mine-1"}
        answer = await client.get("/v1/things/crash", headers=headers)

    assert answer.status_code == 500
    (line,) = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert (line["level"], line["request_id"], line["service"]) == ("error", "mine-1", "things")
    assert "KeyError" in line["exception"]
    assert "authorization" not in str(line).lower()
