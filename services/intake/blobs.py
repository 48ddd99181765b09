"""Raw mails and attachments by their content; an object store fits behind the same two methods."""

from collections.abc import Collection, Mapping
from hashlib import sha256

from libs.chassis.transaction import Connection

PUT = """
INSERT INTO blobs (sha256, size, content)
SELECT sha256, octet_length(content), content FROM unnest($1::text[], $2::bytea[]) AS x(sha256, content)
ON CONFLICT DO NOTHING
"""
"""Arguments: `sorted_contents`."""
LOOSEN = "INSERT INTO loose_blobs (sha256) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
GET = "SELECT sha256, content FROM blobs WHERE sha256 = ANY($1::text[])"


class Blobs:
    """The blobs as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, contents: Mapping[str, bytes]) -> None:
        """Keep these bytes by their hashes; what is there already is left alone."""
        if contents:
            await self._connection.execute(PUT, *sorted_contents(contents))

    async def get(self, hashes: Collection[str]) -> dict[str, bytes]:
        """Contents by hash; what is not there is left out."""
        if not hashes:
            return {}
        return {row["sha256"]: row["content"] for row in await self._connection.fetch(GET, list(hashes))}

    async def loosen(self, hashes: Collection[str]) -> None:
        """Note that these may have lost their last reference: they are looked at soon, and deleted if it is so."""
        await self._connection.execute(LOOSEN, sorted(hashes))


def sorted_contents(contents: Mapping[str, bytes]) -> tuple[list[str], list[bytes]]:
    """The arguments of PUT: in order of the hashes, so that two writers never wait for each other."""
    ordered = sorted(contents.items())
    return [sha256 for sha256, _ in ordered], [content for _, content in ordered]


def digest(content: bytes) -> str:
    """The key of a blob: SHA-256 in hex."""
    return sha256(content).hexdigest()
