"""What all services have said, read from the logs they serve at /v1/events."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from libs.contracts.catalogue import CATALOGUE
from libs.contracts.event import Event
from libs.contracts.fact import Fact, read_fact
from signalbox.demo.office import Office
from signalbox.services import SERVICES

SPEAKERS: Sequence[str] = [name for name, speaker in SERVICES.items() if speaker is not None]
PAGE = 1000


class FactLog:
    """Remembers how far each speaker's log was read."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._cursors = dict.fromkeys(SPEAKERS, "0.0")

    async def news(self) -> list[Fact[Event]]:
        """Facts that were said since the last time, in order of their instants, speakers in the order of the work."""
        logs = await asyncio.gather(*map(self._of, SPEAKERS))
        return sorted(chain.from_iterable(logs), key=lambda fact: fact.occurred_at)

    async def _of(self, speaker: str) -> list[Fact[Event]]:
        facts: list[Fact[Event]] = []
        while True:
            after = self._cursors[speaker]
            items = (await self._office.get(speaker, "/v1/events", after=after, limit=PAGE))["items"]
            if not items:
                return facts
            facts += [_fact(item) for item in items]
            # the cursor is told with a full page only, so the page is made to end where the facts do
            full = await self._office.get(speaker, "/v1/events", after=after, limit=len(items))
            self._cursors[speaker] = full["next"]


def _fact(item: dict[str, str]) -> Fact[Event]:
    fact = read_fact(item["nats_subject"], item["headers"].encode(), item["data"].encode())
    fact.decode(CATALOGUE)
    return fact
