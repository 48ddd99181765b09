"""What `signalbox tickets verify` asks and says."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from signalbox.connection import ask

PAGE = 1000
BLOCKS = 200


@dataclass
class Check:
    """What was checked. unsealed: events after the last block, which the next seconds seal. hash: of the last block."""

    tickets: int = 0
    events: int = 0
    sealed: int = 0
    blocks: int = 0
    unsealed: int = 0
    hash: str | None = None
    faults: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"sound": not self.faults, **asdict(self)}

    def __str__(self) -> str:
        said = f"{self.tickets} tickets, {self.sealed} of {self.events} events sealed"
        return said if self.hash is None else f"{said} in {self.blocks} blocks, the last is {self.hash}"


def verified(client: httpx.Client, ticket: str | None) -> Check:
    """Check one ticket, or every ticket and every block."""
    check = Check()
    if ticket is not None:
        _add(check, ask(client, "GET", f"/v1/tickets/{ticket}/audit").json())
        return check
    for item in _walk(client, "/v1/audit/blocks", BLOCKS):
        check.blocks += 1
        check.hash = item["hash"]
        if item["fault"] is not None:
            check.faults.append(f"block {item['id']}: {item['fault']}")
    for item in _walk(client, "/v1/audit/tickets", PAGE):
        _add(check, item)
    check.unsealed = ask(client, "GET", "/v1/audit").json()["unsealed"]
    return check


def _add(check: Check, item: dict[str, Any]) -> None:
    check.tickets += 1
    check.events += item["events"]
    check.sealed += item["sealed"]
    if item["fault"] is not None:
        check.faults.append(f"ticket {item['ticket']}: {item['fault']}")


def _walk(client: httpx.Client, path: str, limit: int) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = ask(client, "GET", path, params={"limit": limit, **cursor}).json()
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}
