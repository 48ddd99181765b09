"""The connection pool of one service: its own role, its own schema."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import gethostname
from typing import Any

import asyncpg
import structlog

from libs.chassis.array_parameters import look_at_types_only
from libs.chassis.errors import NotReady

look_at_types_only()
log = structlog.get_logger(__name__)

DATABASE_TROUBLE: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # asyncpg's own state machine, when the server vanishes under a statement
    asyncpg.InternalClientError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""Errors that say nothing about the message being handled: it is tried again, for ever, and never parked (6)."""


LONGEST_NAME = 63
"""Of a session; PostgreSQL cuts it there."""
PATIENCE_SECONDS = 30.0
"""How long anybody waits for a connection of the pool."""


async def nothing_to_reset(_: object) -> None:
    """Transactions leave no state in a session: no SET, no LISTEN, no advisory lock. The usual reset would be a round
    trip after each of them."""


class Database:
    """An asyncpg pool that outlives the server: `start` waits until it can connect, a lost connection is replaced."""

    def __init__(self, dsn: str, service: str, *, size: int = 8, statement_cache: bool = True) -> None:
        self.dsn, self.service = dsn, service
        self._size, self._cache = size, 1024 if statement_cache else 0
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._name = f"signalbox-{service} {os.getpid()}@{gethostname()}"[:LONGEST_NAME]

    @property
    def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        """NotReady before `start` has connected."""
        if self._pool is None:
            raise NotReady("the database has not been reached yet")
        return self._pool

    async def start(self) -> None:
        """Connect; retries for ever while the server is away."""
        while True:
            try:
                self._pool = await asyncpg.create_pool(
                    self.dsn,
                    min_size=1,
                    max_size=self._size,
                    command_timeout=60,
                    max_inactive_connection_lifetime=0,
                    reset=nothing_to_reset,
                    **self.options(),
                )
                return
            except DATABASE_TROUBLE as trouble:
                log.warning("postgres is away, trying again", error=str(trouble))
                await asyncio.sleep(0.5)

    def options(self) -> dict[str, Any]:
        """Connection options that every connection of the service uses, pooled or not. Their name is the process's, so
        that what a stopped one left open can be told from what others do.
        """
        return {
            "statement_cache_size": self._cache,
            "server_settings": {"application_name": self._name, "search_path": self.service},
        }

    async def stop(self) -> None:
        """Close the pool; connections that are still busy after 3 s are cut."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 3)
            except TimeoutError:
                self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """A pooled connection outside of any transaction. TimeoutError when none was free for half a minute."""
        async with self.pool.acquire(timeout=PATIENCE_SECONDS) as connection:
            yield connection  # type: ignore[misc]
