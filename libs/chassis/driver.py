"""The one mover of simulated time, for the demo and for tests on the real stack (decisions 14).

The promise: the same facts and instants for each subject, not the same interleaving.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from libs.chassis.broker_headers import read_headers_as_they_are
from libs.chassis.simulation import SUBJECT, Answer, Tick

read_headers_as_they_are()

ANSWER_SECONDS = 15.0
SETTLE_SECONDS = 60.0


class Unsettled(RuntimeError):
    """The system did not come to rest; the text says who still has what to do."""


class Driver:
    """Moves time for `services` and lets them come to rest at each instant."""

    def __init__(
        self, url: str, services: Sequence[str], consumers: Iterable[tuple[str, str]], start: datetime
    ) -> None:
        """url: NATS URL of the user `driver`. consumers: (stream, durable) pairs that have to be empty at rest."""
        self._url, self._services, self._consumers = url, list(services), list(consumers)
        self.now = start
        self.ticks = 0
        self._client: Client | None = None

    async def start(self) -> None:
        self._client = await nats.connect(self._url, inbox_prefix=b"_INBOX.driver", max_reconnect_attempts=-1)

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def begin(self) -> None:
        """Tell the services the first instant, until all of them are there; they are not ready before."""
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                try:
                    await self._tick(patience=1.0)
                    return
                except Unsettled:
                    continue

    async def settle(self) -> datetime | None:
        """Let everything due now happen until the system is at rest twice; the next instant anything is due."""
        calm = 0
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                answers = await self._tick()
                waiting = await self._waiting()
                calm = calm + 1 if all(answer.idle for answer in answers) and not waiting else 0
                if calm == 2:
                    return min((a.next_due for a in answers if a.next_due is not None), default=None)
                if not calm:
                    await asyncio.sleep(0.01)

    async def advance_to(self, moment: datetime) -> None:
        """Move to `moment`, stopping at each instant on the way at which something is due."""
        while True:
            due = await self.settle()
            if due is None or due >= moment:
                break
            self.now = max(due, self.now)
        self.now = max(moment, self.now)
        await self.settle()

    async def _tick(self, patience: float = ANSWER_SECONDS) -> list[Answer]:
        """Tell everybody the time; the answers of all services."""
        client = self._connected()
        self.ticks += 1
        inbox = client.new_inbox()
        answers: dict[str, Answer] = {}
        complete = asyncio.Event()

        async def answered(message: Msg) -> None:
            if not message.data:
                return  # the broker's word that nobody listens yet
            answer = Answer.model_validate_json(message.data)
            answers[answer.service] = answer
            if len(answers) == len(self._services):
                complete.set()

        subscription = await client.subscribe(inbox, cb=answered)
        try:
            await client.publish(SUBJECT, Tick(k=self.ticks, t=self.now).model_dump_json().encode(), reply=inbox)
            async with asyncio.timeout(patience):
                await complete.wait()
        except TimeoutError:
            silent = sorted(set(self._services) - set(answers))
            raise Unsettled(f"no answer to tick {self.ticks} from {', '.join(silent)}") from None
        finally:
            await subscription.unsubscribe()
        return list(answers.values())

    async def _waiting(self) -> int:
        """Messages that some consumer has not been given, or not acknowledged."""
        jetstream = self._connected().jetstream()
        infos = await asyncio.gather(*(jetstream.consumer_info(stream, durable) for stream, durable in self._consumers))
        return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)

    def _connected(self) -> Client:
        if self._client is None:
            raise RuntimeError("Driver.start has not been called")
        return self._client
