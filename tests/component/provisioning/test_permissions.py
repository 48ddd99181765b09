"""The broker enforces who may say and hear what; a refusal is seen by the error callback only."""

from collections.abc import AsyncIterator, Iterator

import pytest
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout
from nats.js.errors import NotFoundError

from libs.embedded.nats_server import NatsServer
from signalbox.provisioning.permissions import source_user
from signalbox.provisioning.provision import Servers, provision_broker
from tests.component.provisioning.broker import HEARS, SHARDS, User, connected, guarded_server


@pytest.fixture(scope="module")
def guarded() -> Iterator[NatsServer]:
    with guarded_server() as server:
        yield server


@pytest.fixture(scope="module")
async def broker(guarded: NatsServer) -> NatsServer:
    """The broker with its streams and consumers."""
    password = guarded.folder.secrets.nats_password("admin")
    await provision_broker(Servers("", {}, guarded.url, "admin", password), HEARS, SHARDS)
    return guarded


@pytest.fixture
async def router(broker: NatsServer) -> AsyncIterator[User]:
    async with connected(broker, "router") as user:
        yield user


async def test_a_service_says_its_own_facts_and_pulls_from_its_own_durables(broker: NatsServer, router: User) -> None:
    acknowledged = await router.client.jetstream().publish("routing.3.routed", b"{}")
    assert acknowledged.stream == "FACTS"
    async with connected(broker, "intake") as intake:
        jetstream = intake.client.jetstream()
        pull = await jetstream.pull_subscribe_bind(consumer="intake-1-routing", stream="FACTS")
        [message] = await pull.fetch(1, timeout=5)
        assert message.subject == "routing.3.routed"
        await message.ack_sync()
        assert (await pull.consumer_info()).num_ack_pending == 0
        await jetstream.publish("conversations.shop.started", b"{}")
        shared = await jetstream.pull_subscribe_bind(consumer="intake-conversations", stream="CONVERSATIONS")
        [message] = await shared.fetch(1, timeout=5)
        await message.ack()
        assert intake.denied == []
    assert router.denied == []


async def test_router_cannot_say_a_ticket_fact_and_only_the_error_callback_learns_why(router: User) -> None:
    with pytest.raises(NatsTimeout):
        await router.client.jetstream().publish("tickets.3.opened", b"{}", timeout=0.5)
    assert router.denied == ['nats: permissions violation for publish to "tickets.3.opened"']


@pytest.mark.parametrize(
    "subject",
    [
        "sla.3.warned",
        "watermark.sla",
        "sim.tick",
        "conversations.chat.started",
        "$JS.API.CONSUMER.MSG.NEXT.FACTS.sla-0-tickets",
        "$JS.API.CONSUMER.MSG.NEXT.FACTS.router-2-tickets",
        "$JS.API.CONSUMER.MSG.NEXT.CONVERSATIONS.intake-conversations",
        "$JS.ACK.FACTS.sla-0-tickets.1.2.3.4.5",
        "$JS.API.CONSUMER.CREATE.FACTS.router-9-tickets",
        "$JS.API.CONSUMER.DELETE.FACTS.router-0-tickets",
        "$JS.API.STREAM.MSG.GET.FACTS",
        "$JS.API.DIRECT.GET.FACTS",
        "$JS.API.STREAM.PURGE.FACTS",
        "$JS.API.STREAM.DELETE.FACTS",
        "$KV.CONFIG.bundle",
    ],
)
async def test_a_service_cannot(router: User, subject: str) -> None:
    assert await router.is_denied(subject)


@pytest.mark.parametrize("subject", ["tickets.>", "_INBOX.sla.>", "$KV.CONFIG.>", ">"])
async def test_a_service_cannot_listen_to(router: User, subject: str) -> None:
    assert await router.may_not_listen(subject)


async def test_16_every_service_reads_the_configuration_and_none_writes_it(broker: NatsServer, router: User) -> None:
    async with connected(broker, "admin") as admin:
        await (await admin.client.jetstream().key_value("CONFIG")).put("bundle", b"a bundle")
    bucket = await router.client.jetstream().key_value("CONFIG")
    assert (await bucket.get("bundle")).value == b"a bundle"
    assert await router.is_denied("$KV.CONFIG.bundle", b"another")
    assert (await bucket.get("bundle")).value == b"a bundle"


async def test_14_the_driver_moves_time_and_every_service_answers(broker: NatsServer, router: User) -> None:
    async def answer_tick(message: Msg) -> None:
        await message.respond(b"idle")

    await router.client.subscribe("sim.tick", cb=answer_tick)
    await router.client.flush()
    async with connected(broker, "driver") as driver:
        answer = await driver.client.request("sim.tick", b"1", timeout=5)
        assert answer.data == b"idle"
        assert (await driver.client.jetstream().consumer_info("FACTS", "sla-0-tickets")).name == "sla-0-tickets"
        assert await driver.is_denied("tickets.3.opened")
        with pytest.raises(NotFoundError):
            await driver.client.jetstream().consumer_info("FACTS", "sla-9-tickets")
    assert router.denied == []


async def test_a_source_speaks_for_itself_only(broker: NatsServer) -> None:
    async with connected(broker, "chat") as chat:
        assert (await chat.client.jetstream().publish("conversations.chat.started", b"{}")).stream == "CONVERSATIONS"
        assert (await chat.client.jetstream().publish("agents.chat.presence", b"{}")).stream == "CONVERSATIONS"
        assert chat.denied == []
        assert await chat.is_denied("conversations.shop.started")
        assert await chat.is_denied("tickets.3.opened")
        assert await chat.may_not_listen("conversations.>")


@pytest.mark.parametrize("name", ["intake", "admin", "driver", "a.b", "*", "", "Chat"])
def test_a_source_must_be_one_token_and_nobody_else(name: str) -> None:
    with pytest.raises(ValueError, match="a source"):
        source_user(name)
