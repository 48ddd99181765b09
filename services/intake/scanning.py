"""A virus scanner, if there is one: clamd is asked by its own protocol before anybody gets a file (behaviour E-6).

Files are scanned when somebody wants them, not when they arrive: mail waits for no scanner. What was found is kept by
the hash of the content, and a file that was clean is looked at again after a day, with the signatures of that day.
"""

import asyncio
from datetime import timedelta

from libs.chassis.clock import real_now
from libs.chassis.errors import NotReady
from libs.chassis.resources import Resources
from services.intake.settings import IntakeSettings

CHUNK = 64 * 1024
SECONDS = 30.0
CLEAN_FOR = timedelta(days=1)

KNOWN = "SELECT found FROM scans WHERE sha256 = $1 AND (found IS NOT NULL OR scanned_at > $2)"
KEEP = """
INSERT INTO scans (sha256, found, scanned_at) VALUES ($1, $2, $3)
ON CONFLICT (sha256) DO UPDATE SET found = excluded.found, scanned_at = excluded.scanned_at
"""


async def harm(parts: Resources, sha256: str, content: bytes) -> str | None:
    """What the scanner found in it; None if nothing, or if there is no scanner. NotReady while it does not answer."""
    clamd = parts.settings.clamd if isinstance(parts.settings, IntakeSettings) else None
    if clamd is None:
        return None
    now = real_now()
    async with parts.database.connection() as connection:
        known = await connection.fetchrow(KNOWN, sha256, now - CLEAN_FOR)
    if known is not None:
        found: str | None = known["found"]
        return found
    found = await _scanned(clamd, content)
    async with parts.database.connection() as connection:
        await connection.execute(KEEP, sha256, found, now)
    return found


async def _scanned(clamd: str, content: bytes) -> str | None:
    try:
        async with asyncio.timeout(SECONDS):
            answer = await _asked(clamd, content)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as trouble:
        raise NotReady(f"the virus scanner does not answer: {type(trouble).__name__}") from None
    verdict = answer.removeprefix("stream: ")
    if verdict == "OK":
        return None
    if not verdict.endswith(" FOUND"):
        raise NotReady(f"the virus scanner says {verdict!r}")
    return verdict.removesuffix(" FOUND")[:200]


async def _asked(clamd: str, content: bytes) -> str:
    """INSTREAM: chunks with their length in four bytes in front, an empty one at the end."""
    host, _, port = clamd.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"zINSTREAM\0")
        for first in range(0, len(content), CHUNK):
            chunk = content[first : first + CHUNK]
            writer.write(len(chunk).to_bytes(4, "big") + chunk)
            await writer.drain()
        writer.write(bytes(4))
        return (await reader.readuntil(b"\0")).rstrip(b"\0").decode("utf-8", "replace").strip()
    finally:
        writer.close()
