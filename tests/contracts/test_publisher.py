"""The client for sources, against a real broker."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import nats
import pytest
import stamina
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from libs.chassis.broker_headers import read_headers_as_they_are
from libs.contracts.agents import AgentPresenceReported
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.channel import Channel
from libs.contracts.conversation import ConversationMessageAdded, Role
from libs.contracts.envelope import CloudEvent
from libs.contracts.publisher import NotAccepted, Outgoing, Publisher
from libs.contracts.routing import Presence
from libs.contracts.ticket import TicketRated
from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_config import NatsUser
from libs.embedded.nats_server import NatsServer
from signalbox.provisioning.permissions import source_user
from tests.support.servers import open_folder

read_headers_as_they_are()

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)
STREAM = "CONVERSATIONS"


def message(seq: int, text: str = "Grüße, “Signalbox”") -> ConversationMessageAdded:
    return ConversationMessageAdded(conversation_id="c-1", seq=seq, role=Role.CUSTOMER, text=text)


@pytest.fixture(scope="module")
async def admin(nats_server: NatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(nats_server.url_of("admin"))
    yield client
    await client.close()


@pytest.fixture(scope="module")
async def stream(admin: Client) -> AsyncIterator[JetStreamContext]:
    """A stream for the sources webchat, shop and roster; nobody listens to others."""
    subjects = ["conversations.webchat.>", "conversations.shop.>", "agents.>"]
    context = admin.jetstream()
    await context.add_stream(StreamConfig(STREAM, subjects=subjects, duplicate_window=120.0, max_msg_size=10_000))
    yield context
    await context.delete_stream(STREAM)


@pytest.fixture
async def jetstream(stream: JetStreamContext) -> JetStreamContext:
    """The same, empty."""
    await stream.purge_stream(STREAM)
    return stream


async def stored(jetstream: JetStreamContext, sequence: int) -> tuple[str, dict[str, str], CloudEvent]:
    found = await jetstream.get_msg(STREAM, sequence)
    headers: dict[str, str] = found.headers or {}
    assert found.subject is not None
    return found.subject, headers, CloudEvent.from_message(headers, found.data or b"")


async def test_an_event_arrives_as_a_cloudevent_on_its_sources_subject(
    admin: Client, jetstream: JetStreamContext
) -> None:
    accepted = await Publisher(admin, "webchat").publish(message(3), "m-3", time=NOON, traceparent="00-ab-cd-01")
    subject, headers, event = await stored(jetstream, accepted.sequence)
    assert (accepted.id, accepted.duplicate) == ("m-3", False)
    assert subject == "conversations.webchat.message-added"
    assert headers["Nats-Msg-Id"] == "webchat|m-3"
    assert headers["traceparent"] == "00-ab-cd-01"
    assert (event.id, event.source, event.subject, event.time) == ("m-3", "webchat", "c-1", NOON)
    assert CATALOGUE[event.type].model_validate_json(event.data) == message(3)


async def test_without_id_time_and_trace_it_gets_its_own(admin: Client, jetstream: JetStreamContext) -> None:
    publisher = Publisher(admin, "webchat")
    first, second = [await publisher.publish(message(seq)) for seq in (1, 2)]
    _, headers, event = await stored(jetstream, first.sequence)
    assert first.id != second.id
    assert event.time is not None
    assert len(headers["traceparent"].split("-")) == 4


async def test_an_id_in_any_script_is_kept(admin: Client, jetstream: JetStreamContext) -> None:
    accepted = await Publisher(admin, "webchat").publish(message(1), "Euro € 😀")
    _, headers, event = await stored(jetstream, accepted.sequence)
    assert event.id == "Euro € 😀"
    assert headers["Nats-Msg-Id"] == "webchat|Euro%20%E2%82%AC%20%F0%9F%98%80"


async def test_the_same_id_again_is_stored_once(admin: Client, jetstream: JetStreamContext) -> None:
    publisher = Publisher(admin, "webchat")
    first = await publisher.publish(message(1), "once")
    again = await publisher.publish(message(1), "once")
    assert (again.sequence, again.duplicate) == (first.sequence, True)


async def test_the_same_id_of_another_source_is_another_event(admin: Client, jetstream: JetStreamContext) -> None:
    for source in ("webchat", "shop"):
        assert not (await Publisher(admin, source).publish(message(1), "1")).duplicate
    assert (await jetstream.stream_info(STREAM)).state.messages == 2


async def test_agent_events_go_to_agents(admin: Client, jetstream: JetStreamContext) -> None:
    accepted = await Publisher(admin, "roster").publish(AgentPresenceReported(key="mira", presence=Presence.AWAY))
    subject, _, event = await stored(jetstream, accepted.sequence)
    assert subject == "agents.roster.presence-reported"
    assert event.subject == "agent:mira"


async def test_many_events_arrive_in_order(admin: Client, jetstream: JetStreamContext) -> None:
    events = (Outgoing(message(seq), f"many-{seq}", NOON) for seq in range(500))
    accepted = await Publisher(admin, "webchat").publish_many(events, window=64)
    assert [one.id for one in accepted] == [f"many-{seq}" for seq in range(500)]
    first = accepted[0].sequence
    assert [one.sequence for one in accepted] == list(range(first, first + 500))


async def test_what_failed_of_many_is_named(admin: Client, jetstream: JetStreamContext) -> None:
    too_long = message(1, "x" * 65_536)
    publisher = Publisher(admin, "webchat", attempts=1)
    with pytest.raises(ExceptionGroup) as caught:
        await publisher.publish_many([Outgoing(message(0), "short"), Outgoing(too_long, "long"), message(2)])
    (failure,) = caught.value.exceptions
    assert isinstance(failure, NotAccepted)
    assert (failure.id, "exceeds" in failure.reason) == ("long", True)
    assert (await jetstream.stream_info(STREAM)).state.messages == 2


async def test_an_unacknowledged_event_is_sent_again_under_its_id(admin: Client) -> None:
    """A broker that answers the second time only: here a responder in the place of the stream."""
    seen: list[Msg] = []

    async def second_time(msg: Msg) -> None:
        seen.append(msg)
        if len(seen) == 2:
            await msg.respond(b'{"stream": "CONVERSATIONS", "seq": 7}')

    responder = await admin.subscribe("conversations.flaky.>", cb=second_time)
    accepted = await Publisher(admin, "flaky", timeout=0.2).publish(message(1), "m-1")
    await responder.unsubscribe()
    assert accepted.sequence == 7
    assert [sent.headers and sent.headers["Nats-Msg-Id"] for sent in seen] == ["flaky|m-1"] * 2
    assert seen[0].headers == seen[1].headers


async def test_an_event_that_no_stream_takes_is_not_accepted(admin: Client) -> None:
    with stamina.set_testing(True, attempts=2), pytest.raises(NotAccepted, match=r"m-1 was not accepted: .*stream"):
        await Publisher(admin, "unheard").publish(message(1), "m-1")


async def test_a_publisher_connects_by_itself_and_closes_what_it_opened(
    nats_server: NatsServer, jetstream: JetStreamContext
) -> None:
    async with Publisher(nats_server.url_of("admin"), "webchat") as publisher:
        accepted = await publisher.publish_many(message(seq) for seq in range(50))
    again = await publisher.publish(message(50))
    assert again.sequence == accepted[-1].sequence + 1
    await publisher.close()


async def test_a_connection_that_was_given_stays_open(admin: Client, jetstream: JetStreamContext) -> None:
    async with Publisher(admin, "webchat") as publisher:
        await publisher.publish(message(1))
    assert admin.is_connected


async def test_without_a_broker_it_gives_up_in_time(unused_port: int) -> None:
    publisher = Publisher(f"nats://127.0.0.1:{unused_port}", "webchat", timeout=0.2, attempts=2)
    async with asyncio.timeout(10):
        with pytest.raises(NotAccepted, match="m-1"):
            await publisher.publish(message(1), "m-1")


@pytest.fixture(scope="module")
def guarded() -> Iterator[NatsServer]:
    """A broker that knows the source `webchat`, with the rights that a source gets."""
    with open_folder() as folder, DataFolder.claim(folder / "data") as claimed:
        server = NatsServer(claimed, [NatsUser("admin"), source_user("webchat")])
        server.start()
        yield server
        server.stop()


async def test_the_rights_of_a_source_are_enough_and_no_more(guarded: NatsServer) -> None:
    admin = await nats.connect(guarded.url_of("admin"))
    await admin.jetstream().add_stream(StreamConfig(STREAM, subjects=["conversations.>", "agents.>"]))
    url = guarded.url_of("webchat")
    async with Publisher(url, "webchat") as own, Publisher(url, "shop", timeout=0.3, attempts=1) as foreign:
        assert (await own.publish(message(1))).sequence == 1
        with pytest.raises(NotAccepted, match="permissions violation"):
            await foreign.publish(message(1))
    await admin.close()


async def test_a_wrong_password_is_told(guarded: NatsServer) -> None:
    url = f"nats://webchat:wrong@127.0.0.1:{guarded.port}"
    with pytest.raises(NotAccepted, match=r"(?i)authorization"):
        await Publisher(url, "webchat", timeout=1.0, attempts=1).publish(message(1))


@pytest.mark.parametrize("source", ["", "a.b", "a>", "*", "Web", "a b", "x" * 64, "-a"])
def test_a_source_is_one_token_of_a_subject(source: str) -> None:
    with pytest.raises(ValueError, match="source: "):
        Publisher("nats://127.0.0.1", source)


async def test_only_events_of_sources_can_be_published(admin: Client) -> None:
    with pytest.raises(ValueError, match="said by intake"):
        await Publisher(admin, "webchat").publish(TicketRated(score=5))


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
def test_every_channel_is_captured_by_a_stream(event: Any) -> None:
    assert f"{Channel.of(event).prefix}.>" in Channel.of(event).stream.subjects


@pytest.fixture
async def unused_port() -> int:
    """A port that was free just now."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
