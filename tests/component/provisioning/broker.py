"""A broker that knows Signalbox' users, and what is needed to look at it as one of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from nats.aio.client import Client

from libs.contracts import routing, ticket
from libs.contracts.event import Event
from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_server import NatsServer
from signalbox.provisioning.permissions import users
from tests.support.servers import open_folder

SHARDS = 2
PATIENCE_SECONDS = 5.0
HEARS: Mapping[str, tuple[type[Event], ...]] = {
    "intake": (routing.TicketRouted,),
    "router": (ticket.TicketOpened,),
    "sla": (ticket.TicketOpened, routing.TicketRouted),
}


@contextmanager
def guarded_server() -> Iterator[NatsServer]:
    """A fresh broker with everybody's rights for two shards."""
    with open_folder() as folder, DataFolder.claim(folder / "data") as claimed:
        server = NatsServer(claimed, users(SHARDS))
        server.start()
        yield server
        server.stop()


@dataclass
class User:
    """A connection as one user; `denied` is what the broker refused it, in order."""

    client: Client
    denied: list[str] = field(default_factory=list)
    refusal: asyncio.Event = field(default_factory=asyncio.Event)

    async def note(self, error: Exception) -> None:
        """The error callback of the client."""
        self.denied.append(str(error))
        self.refusal.set()

    async def is_denied(self, subject: str, payload: bytes = b"") -> bool:
        """Publish; False if the broker has not refused within some seconds."""
        self.refusal.clear()
        await self.client.publish(subject, payload)
        return await self._is_refused(f'nats: permissions violation for publish to "{subject.lower()}"')

    async def may_not_listen(self, subject: str) -> bool:
        """Subscribe; False if the broker has not refused within some seconds."""
        self.refusal.clear()
        await self.client.subscribe(subject)
        return await self._is_refused(f'nats: permissions violation for subscription to "{subject.lower()}"')

    async def _is_refused(self, with_words: str) -> bool:
        try:
            await asyncio.wait_for(self.refusal.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            return False
        return self.denied[-1] == with_words


@asynccontextmanager
async def connected(server: NatsServer, name: str) -> AsyncIterator[User]:
    """Connect as a service does: with an inbox of its own and an error callback."""
    user = User(Client())
    await user.client.connect(server.url_of(name), inbox_prefix=f"_INBOX.{name}".encode(), error_cb=user.note)
    try:
        yield user
    finally:
        await user.client.close()
