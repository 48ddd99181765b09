"""Attachments of a reply, fetched from intake: facts carry references only (decisions 21)."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256

import httpx
from pydantic import TypeAdapter

from libs.contracts.ticket import Attachment
from services.notifier.sender.letter import Enclosure

SECONDS = 8.0
GONE = frozenset({404, 410})
ATTACHMENTS = TypeAdapter(tuple[Attachment, ...])


class NotNow(Exception):
    """An attachment cannot be fetched at the moment."""


class Gone(Exception):
    """An attachment is not there any more, or is another."""


async def fetch_enclosures(peers: httpx.AsyncClient, intake: str | None, references: str | None) -> list[Enclosure]:
    """All of them, or NotNow or Gone. references: JSON of the attachments."""
    if not references:
        return []
    attachments = ATTACHMENTS.validate_json(references)
    if intake is None:
        raise NotNow("SIGNALBOX_INTAKE_URL is not set, so attachments cannot be fetched")
    try:
        async with asyncio.timeout(SECONDS):
            return await _fetch_all(peers, intake, attachments)
    except (httpx.HTTPError, TimeoutError) as trouble:
        raise NotNow(f"an attachment could not be fetched: {type(trouble).__name__}") from None


async def _fetch_all(peers: httpx.AsyncClient, intake: str, attachments: Sequence[Attachment]) -> list[Enclosure]:
    found = []
    for attachment in attachments:
        answer = await peers.get(f"{intake}/v1/attachments/{attachment.id}")
        if answer.status_code in GONE:
            raise Gone("an attachment is not there any more")
        answer.raise_for_status()
        if sha256(answer.content).hexdigest() != attachment.sha256:
            raise Gone("an attachment is not what was attached")
        found.append(Enclosure(attachment.name, attachment.content_type, answer.content))
    return found
