"""Messages that may wait share a batch; one that may not takes them along at once."""

from collections.abc import AsyncIterator

import pytest

from libs.chassis.pull import Pull
from libs.chassis.wire import Wire
from libs.embedded.nats_server import NatsServer

PATIENT = 30.0
"""Longer than any test waits: a batch with such a message came because of another one."""


@pytest.fixture
async def wire(nats_server: NatsServer) -> AsyncIterator[Wire]:
    client = Wire()
    await client.connect(nats_server.url_of("admin"))
    jetstream = client.jetstream()
    await jetstream.add_stream(name="PATIENCE", subjects=["patience.*"])
    await jetstream.add_consumer("PATIENCE", durable_name="reader", ack_policy="explicit")
    yield client
    await jetstream.delete_stream("PATIENCE")
    await client.close()


async def _say(wire: Wire, *names: str) -> None:
    for name in names:
        await wire.jetstream().publish(f"patience.{name}", name.encode())


async def _payloads(pull: Pull, timeout: float) -> list[bytes]:
    return [frame.payload for frame in await pull.batch(timeout)]


async def test_a_patient_message_waits_for_one_that_is_not(wire: Wire) -> None:
    pull = Pull(wire, "PATIENCE", {"reader": {b"late": PATIENT}}, 512)
    await pull.start()
    await _say(wire, "late", "late")
    assert await _payloads(pull, 0.2) == []
    await _say(wire, "now")
    assert await _payloads(pull, 5) == [b"late", b"late", b"now"]
    await pull.stop()


async def test_patience_ends(wire: Wire) -> None:
    pull = Pull(wire, "PATIENCE", {"reader": {b"late": 0.05}}, 512)
    await pull.start()
    for _ in range(2):
        await _say(wire, "late")
        assert await _payloads(pull, 5) == [b"late"]
    await pull.stop()


async def test_a_full_batch_waits_for_nothing(wire: Wire) -> None:
    pull = Pull(wire, "PATIENCE", {"reader": {b"late": PATIENT}}, 3)
    await pull.start()
    await _say(wire, *["late"] * 4)
    assert await _payloads(pull, 5) == [b"late"] * 3
    assert await _payloads(pull, 0.2) == []
    await pull.stop()


async def test_what_waited_when_it_stopped_comes_again_at_once(wire: Wire) -> None:
    first = Pull(wire, "PATIENCE", {"reader": {b"late": PATIENT}}, 512)
    await first.start()
    await _say(wire, "late")
    assert await _payloads(first, 0.2) == []
    await first.stop()
    second = Pull(wire, "PATIENCE", {"reader": {}}, 512)
    await second.start()
    assert await _payloads(second, 5) == [b"late"]
    await second.stop()
