"""docs/roles.md, read: who may call which route of which service."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from libs.chassis.tokens import Role

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
EVERY_SERVICE, EVERY_SPEAKER = "every service", "every speaker"
ANYONE, SIGNATURE = "anyone", "signature"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a table. who: role names, `anyone`, or `signature` beside roles; scope: - where no token is needed."""

    method: str
    path: str
    who: frozenset[str]
    scope: str

    @property
    def roles(self) -> frozenset[Role]:
        """The roles whose tokens pass."""
        return frozenset(Role(name) for name in self.who - {ANYONE, SIGNATURE})


def entries() -> dict[str, list[Entry]]:
    """The lines of the page by heading: a service, `every service` or `every speaker`."""
    found: dict[str, list[Entry]] = {}
    heading = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").strip()
        elif line.startswith("| `"):
            found.setdefault(heading, []).append(_entry(line))
    return found


def of_service(service: str, speaks: bool) -> Iterator[Entry]:
    """What a service serves."""
    page = entries()
    yield from page.get(service, ())
    yield from page[EVERY_SERVICE]
    if speaks:
        yield from page[EVERY_SPEAKER]


def _entry(line: str) -> Entry:
    route, who, scope = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
    method, _, path = route.partition(" ")
    return Entry(method, path, frozenset(name.strip() for name in who.split(",")), scope)
