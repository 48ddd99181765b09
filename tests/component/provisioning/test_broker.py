"""Streams, consumers and the bucket become what is declared, however often and by however many at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from nats.js import JetStreamContext

from libs.embedded.nats_server import NatsServer
from signalbox.provisioning.broker import prepare_streams
from signalbox.provisioning.provision import Servers, provision_broker
from tests.component.provisioning.broker import HEARS, connected, guarded_server

DAY = 86_400


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with guarded_server() as server:
        yield server


@pytest.fixture
def servers(server: NatsServer) -> Servers:
    return Servers("", {}, server.url, "admin", server.folder.secrets.nats_password("admin"), patience=20)


@pytest.fixture
async def jetstream(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    async with connected(server, "admin") as admin:
        yield admin.client.jetstream()


BOUND = (("intake", "routing"), ("router", "tickets"))


async def names(jetstream: JetStreamContext, stream: str = "FACTS") -> list[str]:
    return sorted(info.name for info in await jetstream.consumers_info(stream))


async def test_1_the_streams_are_those_of_the_catalogue(servers: Servers, jetstream: JetStreamContext) -> None:
    await provision_broker(servers, HEARS, 1)
    facts = (await jetstream.stream_info("FACTS")).config
    assert facts.subjects == ["tickets.>", "routing.>", "sla.>", "notices.>"]
    assert (facts.max_age, facts.storage, facts.num_replicas) == (30 * DAY, "file", 1)
    conversations = (await jetstream.stream_info("CONVERSATIONS")).config
    assert conversations.subjects == ["conversations.>", "agents.>"]
    assert conversations.duplicate_window == 0.1
    bucket = await (await jetstream.key_value("CONFIG")).status()
    assert bucket.history == 5
    assert bucket.stream_info.config.allow_direct


async def test_4_a_service_has_one_durable_a_shard_and_speaker_with_the_filter_of_what_it_hears(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await provision_broker(servers, HEARS, 2)
    assert await names(jetstream) == sorted(
        f"{service}-{shard}-{bound}"
        for service, bound in (("intake", "routing"), ("router", "tickets"), ("sla", "routing"), ("sla", "tickets"))
        for shard in (0, 1)
    )
    assert await names(jetstream, "CONVERSATIONS") == ["intake-conversations", "router-agents"]
    config = (await jetstream.consumer_info("FACTS", "sla-1-tickets")).config
    assert config.filter_subjects == [f"tickets.{number}.*" for number in sorted(range(1, 16, 2), key=str)]
    assert (config.ack_policy, config.ack_wait, config.max_deliver) == ("explicit", 10, -1)
    assert config.max_ack_pending == 4096
    assert not config.inactive_threshold


async def test_eight_at_once_make_everything_once_and_once_more_changes_nothing(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await asyncio.gather(*(provision_broker(servers, HEARS, 2) for _ in range(8)))
    before = await names(jetstream), (await jetstream.stream_info("FACTS")).created
    told: list[str] = []
    await provision_broker(servers, HEARS, 2, report=told.append)
    assert (await names(jetstream), (await jetstream.stream_info("FACTS")).created) == before
    assert {line.partition(": ")[2] for line in told} == {"as they were"}


async def test_4_resharding_replaces_the_durables_of_each_service_and_nobody_elses(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await provision_broker(servers, HEARS, 4)
    await jetstream.add_consumer("FACTS", name="somebody-elses", durable_name="somebody-elses", filter_subject="sla.>")
    await jetstream.publish("tickets.3.opened", b"{}")
    await provision_broker(servers, {"sla": HEARS["sla"]}, 1)
    assert await names(jetstream) == [
        *(f"{service}-{shard}-{bound}" for service, bound in BOUND for shard in range(4)),
        "sla-0-routing",
        "sla-0-tickets",
        "somebody-elses",
    ]
    assert (await jetstream.consumer_info("FACTS", "sla-0-tickets")).num_pending == 1


async def test_a_service_that_hears_more_keeps_its_durable_and_its_place(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await provision_broker(servers, {"sla": HEARS["router"]}, 1)
    await jetstream.publish("tickets.3.opened", b"{}")
    pull = await jetstream.pull_subscribe_bind(consumer="sla-0-tickets", stream="FACTS")
    for message in await pull.fetch(1, timeout=5):
        await message.ack_sync()
    await provision_broker(servers, {"sla": HEARS["sla"]}, 1)
    await jetstream.publish("routing.3.routed", b"{}")
    assert (await jetstream.consumer_info("FACTS", "sla-0-tickets")).num_pending == 0
    assert (await jetstream.consumer_info("FACTS", "sla-0-routing")).num_pending == 1


async def test_a_service_that_hears_no_facts_has_no_durable_for_them(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await provision_broker(servers, {"intake": HEARS["intake"]}, 1)
    await provision_broker(servers, {"intake": ()}, 1)
    assert await names(jetstream) == []
    assert await names(jetstream, "CONVERSATIONS") == ["intake-conversations"]


async def test_what_an_operator_added_to_a_stream_stays_and_what_is_ours_is_corrected(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await prepare_streams(jetstream)
    found = (await jetstream.stream_info("FACTS")).config
    await jetstream.update_stream(found.evolve(max_bytes=10**9, max_age=5 * DAY))
    await provision_broker(servers, HEARS, 1)
    corrected = (await jetstream.stream_info("FACTS")).config
    assert (corrected.max_bytes, corrected.max_age) == (10**9, 30 * DAY)


async def test_it_waits_for_a_broker_that_is_still_starting(server: NatsServer, servers: Servers) -> None:
    server.stop()
    provisioning = asyncio.create_task(provision_broker(servers, HEARS, 1))
    refused, _ = await asyncio.wait([provisioning], timeout=0.5)
    assert not refused
    await server.start_async()
    await provisioning
    async with connected(server, "admin") as admin:
        assert "sla-0-tickets" in await names(admin.client.jetstream())
