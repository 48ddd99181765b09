"""What a service cannot work without: a migrated schema, the broker, a configuration. It waits for them at its start,
and says which is missing."""

import asyncio
import contextlib
from pathlib import Path

import structlog

from libs.chassis.broker import Connection
from libs.chassis.configuration import ConfigurationHolder
from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.health import Checks
from libs.chassis.migrations import at_head
from libs.chassis.pause import pause

log = structlog.get_logger(__name__)

SCHEMA_SECONDS = 1.0
FIRST_CONFIGURATION_SECONDS = 0.2
CONFIGURATION_SECONDS = 1.0
NOT_MIGRATED = "the schema is not migrated: run `signalbox migrate`"


class Readiness:
    """Of one service. `checks`: what a probe asks. migrations: the folder of its versions."""

    def __init__(
        self, name: str, migrations: Path, database: Database, link: Connection, configuration: ConfigurationHolder
    ) -> None:
        self._name, self._migrations, self._database = name, migrations, database
        self._link, self._configuration = link, configuration
        self.checks = Checks()
        self.checks.add("postgres", self._postgres_problem)
        self.checks.add("nats", link.problem)
        self.checks.add("configuration", self._configuration_problem)

    async def migrated(self) -> None:
        """Wait for a migrated schema, and take the configuration that is copied there."""
        while True:
            try:
                if await self._at_head():
                    await self._configuration.load()
                    return
                log.warning(NOT_MIGRATED)
            except DATABASE_TROUBLE as trouble:
                log.warning("the start waits for the database", reason=str(trouble))
            await asyncio.sleep(SCHEMA_SECONDS)

    async def configured(self) -> None:
        """Wait for a first configuration; without one nothing can be decided."""
        while True:
            with contextlib.suppress(*DATABASE_TROUBLE):
                await self._link.fetch_configuration(self._configuration)
            if self._configuration.ready:
                return
            await asyncio.sleep(FIRST_CONFIGURATION_SECONDS)

    async def watch_configuration(self, over: asyncio.Event) -> None:
        """Take each newer configuration until it is over."""
        while not over.is_set():
            await self._link.fetch_configuration(self._configuration)
            await pause(over, CONFIGURATION_SECONDS)

    async def problems(self) -> dict[str, str]:
        """What keeps the service from being ready, by name."""
        return {name: reason for name, reason in (await self.checks.run()).items() if reason is not None}

    async def _at_head(self) -> bool:
        async with self._database.connection() as connection:
            return await at_head(connection, self._name, self._migrations)

    async def _postgres_problem(self) -> str | None:
        return None if await self._at_head() else NOT_MIGRATED

    async def _configuration_problem(self) -> str | None:
        return None if self._configuration.ready else self._configuration.problem
