"""The logs of the speakers, as `GET /v1/events` serves them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact, read_fact
from services.reporting.handlers import HEARS

PAGE = 1000
WANTED = {event.TYPE: event for event in HEARS}


class Logs:
    """Asks each speaker for what it said. httpx.HTTPError when one does not answer."""

    def __init__(self, client: httpx.AsyncClient, urls: Mapping[Speaker, str]) -> None:
        self._client, self._urls = client, urls
        self._cursors: dict[Speaker, str] = {}

    async def pages(self, speaker: Speaker) -> AsyncIterator[list[Fact[Event]]]:
        """From where the last call ended to the end of the log; the last page may be given again by the next call."""
        while True:
            cursor = {"after": self._cursors[speaker]} if speaker in self._cursors else {}
            page = await self._ask(speaker, {**cursor, "limit": PAGE})
            yield [_fact(item) for item in page["items"]]
            if page["next"] is None:
                return
            self._cursors[speaker] = page["next"]

    async def of_subject(self, speaker: Speaker, subject: str, after_n: int) -> AsyncIterator[list[Fact[Event]]]:
        """Facts about one subject after a number, in order."""
        full = True
        while full:
            page = await self._ask(speaker, {"subject": subject, "after_n": after_n, "limit": PAGE})
            facts = [_fact(item) for item in page["items"]]
            yield facts
            full = len(facts) == PAGE
            after_n = facts[-1].n if facts else after_n

    async def _ask(self, speaker: Speaker, parameters: Mapping[str, str | int]) -> Any:
        answer = await self._client.get(f"{self._urls[speaker]}/v1/events", params=dict(parameters), timeout=60)
        answer.raise_for_status()
        return answer.json()


def _fact(item: Mapping[str, str]) -> Fact[Event]:
    fact = read_fact(item["nats_subject"], item["headers"].encode(), item["data"].encode())
    fact.decode(WANTED)
    return fact
