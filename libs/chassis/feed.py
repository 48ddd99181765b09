"""What other systems say: CloudEvents without numbers, on a durable that all replicas share (decisions 5).

The chassis parses the envelope and the data; that a repetition has no effect is the handler's business, which knows
what a repetition is.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from libs.chassis.parking import Parked, park
from libs.chassis.transaction import Transaction
from libs.chassis.wire import Frame, header_fields
from libs.contracts.envelope import CloudEvent
from libs.contracts.event import Event


@dataclass(frozen=True, slots=True)
class Said:
    """One event of a source. `source` is the token of the NATS subject, which the broker guards; never a header."""

    source: str
    name: str
    event: CloudEvent
    data: Event
    frame: Frame


HandleSaid = Callable[[Sequence[Said], Transaction], Awaitable[None]]


class Feed:
    """Receives one feed. `wanted`: event classes by the last token of the subject, e.g. `message-added`.

    Events with other names are stored nowhere and acked: a source may say more than we understand.
    """

    def __init__(self, door: str, wanted: Mapping[str, type[Event]], handle: HandleSaid) -> None:
        self._door, self._wanted, self._handle = door, wanted, handle

    @property
    def door(self) -> str:
        return self._door

    def read(self, frame: Frame) -> Said | None:
        """Parse a frame; None for an event nobody asked for; ValueError names header or field and the reason."""
        _, source, name = frame.subject.decode().split(".", 2)
        wanted = self._wanted.get(name)
        if wanted is None:
            return None
        event = CloudEvent.from_plain_headers(frame.headers, frame.payload)
        if event is None:
            event = CloudEvent.from_message(header_fields(frame.headers), frame.payload)
        return Said(source, name, event, wanted.model_validate_json(event.data), frame)

    async def receive(self, messages: Sequence[Said | None], transaction: Transaction) -> Counter[tuple[str, str]]:
        """Hand the batch to the service, in the order of arrival."""
        said = [message for message in messages if message is not None]
        if said:
            await self._handle(said, transaction)
        return Counter({("source", "applied"): len(said), ("source", "ignored"): len(messages) - len(said)})

    async def park(self, message: Said | None, reason: str, transaction: Transaction) -> None:
        """Put one event aside; nothing waits behind it, because events of sources have no numbers."""
        if message is not None:
            subject = message.frame.subject.decode()
            parked = Parked(
                self._door,
                message.source,
                message.event.id,
                None,
                subject,
                reason,
                message.frame.headers,
                message.frame.payload,
            )
            await park(transaction.connection, [parked])
