"""Waiting that ends early: what everything that looks again and again does between two looks."""

import asyncio


async def pause(until: asyncio.Event, seconds: float) -> bool:
    """Until the event is set, but not longer than so many seconds; whether it was set."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return False
    return True
