"""Speaks to intake's doors as sources and other services do, without a broker between."""

from collections.abc import Sequence
from itertools import count

from libs.chassis.wire import Frame
from libs.contracts.channel import Channel
from libs.contracts.envelope import CloudEvent
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.publisher import about
from services.intake.feed import conversations_feed
from services.intake.handlers import handle
from tests.component.intake.conftest import Intake

FEED = conversations_feed()
IDS = count(1)


async def tell(intake: Intake, *events: Event, source: str = "chat") -> None:
    """One batch of a source's events, in this order."""
    messages = [FEED.read(frame(event, source)) for event in events]
    async with intake.transactions.begin() as transaction:
        await FEED.receive(messages, transaction)


def frame(event: Event, source: str = "chat") -> Frame:
    """An event as the broker delivers it."""
    envelope = CloudEvent(
        id=str(next(IDS)), source=source, type=event.TYPE, subject=about(event), data=event.wire_json()
    )
    headers, payload = envelope.to_binary({"traceparent": TRACE})
    block = "NATS/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    return Frame(Channel.of(type(event)).subject(source).encode(), b"", block.encode(), payload)


async def hear(intake: Intake, facts: Sequence[Fact[Event]]) -> None:
    """One batch of facts of other services."""
    async with intake.transactions.begin() as transaction:
        await handle(facts, transaction)


def fact(event: Event, subject: str, n: int, intake: Intake) -> Fact[Event]:
    """A fact as the chassis hands it over."""
    return Fact(
        speaker=event.SPEAKER,
        subject=subject,
        n=n,
        type=event.TYPE,
        occurred_at=intake.clock.now(),
        data=event,
        payload=event.wire_json(),
    )


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
