"""Waiting without disturbing: the broker is asked how far everybody is, the services are left alone."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence

import httpx
import nats
from nats.aio.client import Client
from nats.js import JetStreamContext

from libs.chassis.broker_headers import read_headers_as_they_are
from libs.contracts.catalogue import CONVERSATIONS, FACTS

read_headers_as_they_are()

NOTICES = "notices.*.sent"
LOOK_SECONDS = 0.05
SELDOM_SECONDS = 0.25
QUIET_LOOKS = 3
READY_SECONDS = 60.0
BEHIND = r"^signalbox_intake_search_behind_seconds(?:\{.*\})? (\S+)$"
REST_LOOKS, REST_SECONDS = 12, 300.0
"""It looks for changes every two seconds, so it has to say for three that there is nothing left."""


async def until_subscribed(url: str, wanted: Mapping[str, int]) -> None:
    """Wait until each stream has so many consumers. TimeoutError after a minute."""
    client = await nats.connect(url)
    try:
        async with asyncio.timeout(READY_SECONDS):
            for stream, count in wanted.items():
                while len(await client.jetstream().consumers_info(stream)) < count:
                    await asyncio.sleep(LOOK_SECONDS)
    finally:
        await client.close()


async def said(client: Client, subjects: Sequence[str]) -> int:
    """How many facts were said so far on these subjects."""
    found = 0
    for subject in subjects:
        state = (await client.jetstream().stream_info(FACTS, subjects_filter=subject)).state
        found += sum((state.subjects or {}).values())
    return found


async def notices_sent(client: Client) -> int:
    """How many notices were said so far."""
    return await said(client, [NOTICES])


async def until_done(client: Client, notices: int, patience: float) -> bool:
    """Wait until so many notices were said and nobody has anything left to hear.

    False when nothing moved for `patience` seconds.
    """
    return await until_said(client, [NOTICES], notices, patience)


async def until_said(client: Client, subjects: Sequence[str], count: int, patience: float) -> bool:
    """The same for so many facts on these subjects."""
    moved, so_far, quiet = time.monotonic(), 0, 0
    while quiet < QUIET_LOOKS and time.monotonic() - moved < patience:
        before, so_far = so_far, await said(client, subjects)
        if so_far != before:
            moved = time.monotonic()
        if so_far < count:
            await asyncio.sleep(SELDOM_SECONDS)
            continue
        quiet = 0 if await _left(client.jetstream()) else quiet + 1
        await asyncio.sleep(LOOK_SECONDS)
    return quiet == QUIET_LOOKS


async def until_at_rest(intake: str) -> None:
    """Wait until intake has written the words of all tickets for searches, which it does some time after a burst: the
    next trial is to measure its own load. TimeoutError after five minutes.
    """
    behind, quiet = re.compile(BEHIND, re.MULTILINE), 0
    async with asyncio.timeout(REST_SECONDS), httpx.AsyncClient(base_url=intake) as client:
        while quiet < REST_LOOKS:
            found = behind.search((await client.get("/metrics")).text)
            quiet = quiet + 1 if found and not float(found[1]) else 0
            await asyncio.sleep(SELDOM_SECONDS)


async def _left(jetstream: JetStreamContext) -> int:
    consumers = [each for stream in (CONVERSATIONS, FACTS) for each in await jetstream.consumers_info(stream)]
    return sum((each.num_pending or 0) + (each.num_ack_pending or 0) for each in consumers)
