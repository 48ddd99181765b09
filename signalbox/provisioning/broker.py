"""Streams, consumers and the configuration bucket on JetStream, made to be as they are declared."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import nats
import stamina
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, NoRespondersError, NoServersError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, KeyValueConfig, StorageType, StreamConfig
from nats.js.errors import BucketNotFoundError, NotFoundError, ServerError, ServiceUnavailableError

from libs.chassis.broker_headers import read_headers_as_they_are
from libs.contracts.catalogue import FACTS, STREAMS, Stream
from signalbox.provisioning.durables import Durable, is_shard_of

read_headers_as_they_are()

BUCKET, HISTORY = "CONFIG", 5
ACK_WAIT_SECONDS = 10.0
"""What a dead replica had fetched comes to the next one after this, which is as long as a lease. A message that comes
twice because a batch took longer does no harm."""
MAX_ACK_PENDING = 4096
NOT_READY = (
    ConnectionClosedError,
    NoRespondersError,
    NoServersError,
    ServerError,
    ServiceUnavailableError,
    TimeoutError,
    OSError,
)
"""Errors of a broker that starts or elects a leader."""


async def when_ready(step: Callable[[], Awaitable[None]], patience: float) -> None:
    """Do an idempotent step, again and again for `patience` seconds while the broker is not ready."""
    async for attempt in stamina.retry_context(on=NOT_READY, attempts=None, timeout=patience, wait_max=2.0):
        with attempt:
            await step()


@asynccontextmanager
async def administrator(url: str, user: str, password: str) -> AsyncIterator[Client]:
    """A connection that does not come back by itself: whoever uses it tries again."""

    async def quiet(_: Exception) -> None:
        """What matters is raised to the caller as well."""

    client = await nats.connect(
        url.split(","),
        user=user,
        password=password,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0.2,
        connect_timeout=5,
        error_cb=quiet,
    )
    try:
        yield client
    finally:
        await client.close()


async def prepare_streams(jetstream: JetStreamContext, replicas: int = 1) -> None:
    """The streams of the catalogue and the bucket CONFIG, each on `replicas` servers."""
    for stream in STREAMS:
        await _prepare_stream(jetstream, _stream_config(stream, replicas))
    await _prepare_bucket(jetstream, replicas)


async def prepare_durables(jetstream: JetStreamContext, service: str, wanted: Iterable[Durable]) -> list[str]:
    """The consumers of one service; those of another number of shards go. Returns what was made or removed.

    Stop the service before its number of shards changes (decisions 4). New shards begin at the stream's first fact:
    what was heard before is known by its number and ignored.
    """
    durables = list(wanted)
    existing = {stream: await _consumers(jetstream, stream) for stream in {FACTS, *(each.stream for each in durables)}}
    names = {durable.name for durable in durables}
    obsolete = [name for name in existing[FACTS] if is_shard_of(service, name) and name not in names]
    for name in obsolete:
        await _remove(jetstream, FACTS, name)
    for durable in durables:
        await jetstream.add_consumer(durable.stream, _consumer_config(durable))
    made = [durable.name for durable in durables if durable.name not in existing[durable.stream]]
    return [*(f"- {name}" for name in obsolete), *(f"+ {name}" for name in made)]


async def _prepare_stream(jetstream: JetStreamContext, wanted: StreamConfig) -> None:
    assert wanted.name is not None
    try:
        found = (await jetstream.stream_info(wanted.name)).config
    except NotFoundError:
        await jetstream.add_stream(wanted)
        return
    ours = {name: value for name, value in vars(wanted).items() if name in OURS}
    if any(getattr(found, name) != value for name, value in ours.items()):
        await jetstream.update_stream(found.evolve(**ours))


OURS = frozenset({"subjects", "max_age", "duplicate_window", "num_replicas"})
"""What an update changes in a stream; what an operator added, e.g. a placement, stays."""


def _stream_config(stream: Stream, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        storage=StorageType.FILE,
        max_age=stream.max_age,
        duplicate_window=stream.duplicate_window,
        num_replicas=replicas,
    )


async def _prepare_bucket(jetstream: JetStreamContext, replicas: int) -> None:
    try:
        await jetstream.key_value(BUCKET)
    except BucketNotFoundError:
        config = KeyValueConfig(BUCKET, history=HISTORY, direct=True, storage=StorageType.FILE, replicas=replicas)
        await jetstream.create_key_value(config)


async def _consumers(jetstream: JetStreamContext, stream: str) -> set[str]:
    names: set[str] = set()
    while page := {info.name for info in await jetstream.consumers_info(stream, offset=len(names))} - names:
        names |= page
    return names


async def _remove(jetstream: JetStreamContext, stream: str, name: str) -> None:
    try:
        await jetstream.delete_consumer(stream, name)
    except NotFoundError:
        return  # somebody else was quicker


def _consumer_config(durable: Durable) -> ConsumerConfig:
    return ConsumerConfig(
        name=durable.name,
        durable_name=durable.name,
        filter_subjects=list(durable.subjects),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_deliver=-1,
        max_ack_pending=MAX_ACK_PENDING,
    )
