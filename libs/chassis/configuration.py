"""The configuration in force: applied as one bundle, copied into the service's schema, then swapped (decisions 15)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from libs.chassis.database import Database
from libs.chassis.errors import NotReady

log = structlog.get_logger(__name__)

BUCKET, KEY = "CONFIG", "bundle"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What `signalbox config apply` wrote: a version that only rises and the parsed files by name.

    files: e.g. {"routing.yaml": {...}, "templates/acknowledgment.en.txt": "..."}.
    """

    version: int
    files: Mapping[str, Any]

    def encode(self) -> bytes:
        """JSON, as the bucket and the schemas hold it."""
        return to_json({"version": self.version, "files": self.files})

    @classmethod
    def decode(cls, document: bytes | str) -> "Bundle":
        """The inverse of `encode`. ValueError for anything else."""
        content = _DOCUMENT.validate_python(from_json(document))
        return cls(version=int(content["version"]), files=content["files"])


_DOCUMENT = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Configuration:
    """A bundle as one service understands it. `parsed` is what the service's own parser made of the files."""

    version: int
    parsed: Any
    files: Mapping[str, Any] = field(default_factory=dict, repr=False)


class ConfigurationHolder:
    """Holds the configuration in force and swaps it when a newer bundle is found.

    A bundle that this service cannot parse never replaces a good one: it is logged and named by `problem`.
    """

    def __init__(self, database: Database, parse: Callable[[Mapping[str, Any]], Any]) -> None:
        self._database, self._parse = database, parse
        self._current: Configuration | None = None
        self.problem: str | None = "no configuration yet: run `signalbox config apply DIR`"

    @property
    def current(self) -> Configuration:
        """What is in force; NotReady before the first bundle."""
        if self._current is None:
            raise NotReady(self.problem)
        return self._current

    @property
    def ready(self) -> bool:
        return self._current is not None

    async def load(self) -> None:
        """Take the newest bundle that this service's schema has a copy of."""
        async with self._database.connection() as connection:
            document = await connection.fetchval("SELECT bundle FROM configuration ORDER BY version DESC LIMIT 1")
        if document is not None:
            self.swap(Bundle.decode(document))

    async def offer(self, bundle: Bundle) -> bool:
        """Copy a newer bundle into the schema, then swap. True if it is in force now."""
        if self._current is not None and bundle.version <= self._current.version:
            return False
        understood = self._understood(bundle)
        if understood is None:
            return False
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO configuration (version, bundle) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                bundle.version,
                bundle.encode().decode(),
            )
        self._put_in_force(understood)
        return True

    def swap(self, bundle: Bundle) -> bool:
        """Put a bundle in force if this service can parse it."""
        understood = self._understood(bundle)
        if understood is not None:
            self._put_in_force(understood)
        return understood is not None

    def _understood(self, bundle: Bundle) -> Configuration | None:
        try:
            return Configuration(bundle.version, self._parse(bundle.files), bundle.files)
        except ValueError as fault:
            self.problem = f"bundle {bundle.version} refused: {fault}"
            log.error("configuration refused", version=bundle.version, reason=str(fault))
            return None

    def _put_in_force(self, configuration: Configuration) -> None:
        self._current, self.problem = configuration, None
        log.info("configuration in force", version=configuration.version)
