"""The light path on nats-py: its two private hooks are there, and frames arrive whole however the bytes are cut."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.protocol.parser import Parser

from libs.chassis.wire import Frame, Wire, acknowledgment, header_fields, publish_command, request_command
from libs.embedded.nats_server import NatsServer
from tests.support.stack import until

BLOCK = b"NATS/1.0\r\nce-id: 1\r\n\r\n"


@pytest.fixture
async def wire(nats_server: NatsServer) -> AsyncIterator[Wire]:
    client = Wire()
    await client.connect(nats_server.url_of("admin"))
    yield client
    await client.close()


def test_nats_py_still_has_what_we_use() -> None:
    assert isinstance(Client()._ps, Parser)
    assert asyncio.iscoroutinefunction(Client._send_command)
    assert asyncio.iscoroutinefunction(Client._flush_pending)
    assert asyncio.iscoroutinefunction(Client._process_msg)


async def test_frames_arrive_whole_and_in_order_whatever_their_size(wire: Wire) -> None:
    frames: list[Frame] = []
    await wire.receive_raw("light.*", frames.append)
    payloads = [os.urandom(size) for size in (0, 1, 100, 32_768, 300_000, 5)]
    await wire.send_raw(
        [publish_command(f"light.{n}", f"back.{n}", BLOCK, payload) for n, payload in enumerate(payloads)]
    )
    await until(lambda: len(frames) == len(payloads))
    assert [frame.payload for frame in frames] == payloads
    assert [frame.subject for frame in frames] == [b"light.%d" % n for n in range(len(payloads))]
    assert {(frame.headers, frame.status) for frame in frames} == {(BLOCK, None)}
    assert frames[0].reply == b"back.0"


async def test_the_usual_way_goes_on_beside_the_light_one(wire: Wire) -> None:
    light: list[Frame] = []
    await wire.receive_raw("beside.light", light.append)
    usual = await wire.subscribe("beside.usual")
    await wire.send_raw([request_command("beside.light", "x", b"1"), publish_command("beside.usual", "x", BLOCK, b"2")])
    message = await usual.next_msg(timeout=5)
    assert (message.data, message.headers) == (b"2", {"ce-id": "1"})
    assert [frame.payload for frame in await until(lambda: light)] == [b"1"]


async def test_nothing_is_written_without_a_connection(nats_server: NatsServer) -> None:
    client = Wire()
    await client.connect(nats_server.url_of("admin"))
    await client.close()
    with pytest.raises(ConnectionError):
        await client.send_raw([acknowledgment(b"$JS.ACK.x")])


def test_a_status_of_the_server_is_told_from_a_message() -> None:
    assert Frame(b"_INBOX.x", b"", b"NATS/1.0 408 Request Timeout\r\n\r\n", b"").status == 408
    assert Frame(b"tickets.1.opened", b"", BLOCK, b"").status is None


def test_a_header_line_without_a_colon_is_named() -> None:
    assert header_fields(BLOCK) == {"ce-id": "1"}
    with pytest.raises(ValueError, match="no colon"):
        header_fields(b"NATS/1.0\r\nnonsense\r\n\r\n")
