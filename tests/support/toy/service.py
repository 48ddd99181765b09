"""The smallest services that exercise the chassis: one that speaks as intake, one that hears as sla."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.chassis.timers import Due, TimerKind
from libs.chassis.transaction import Transaction
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact
from libs.contracts.sla import TargetsSet
from libs.contracts.ticket import TicketChanged, TicketNoteAdded, TicketOpened

VERSIONS = Path(__file__).parent / "versions"
HEARS: dict[str, tuple[type[Event], ...]] = {"intake": (TargetsSet,), "sla": (TicketOpened, TicketChanged)}

SEEN = """
INSERT INTO seen (subject, n, type)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
"""


def versions(_: str) -> Path:
    return VERSIONS


def speaking(settings: Settings, **changes: Any) -> Service:
    """Says whatever a test asks it to, as intake."""
    given: Mapping[str, Any] = {"says": (TicketOpened, TicketChanged), "migrations": VERSIONS, **changes}
    return Service(name="intake", version="0", settings=settings, speaker=Speaker.INTAKE, **given)


class Listener:
    """Notes every fact it hears; answers `opened` with a fact of its own; refuses tickets in `poisoned`."""

    def __init__(self) -> None:
        self.poisoned: set[str] = set()
        self.fired: list[Due] = []

    async def handle(self, facts: Sequence[Fact[Event]], transaction: Transaction) -> None:
        if bad := [fact for fact in facts if fact.subject in self.poisoned]:
            raise RuntimeError(f"cannot digest {bad[0].subject}")
        await transaction.connection.execute(
            SEEN, [fact.subject for fact in facts], [fact.n for fact in facts], [fact.type for fact in facts]
        )
        for fact in facts:
            if isinstance(fact.data, TicketOpened):
                transaction.say(TargetsSet(targets=(), final=True), fact.subject, cause=fact.id, trace=fact.trace)
            if isinstance(fact.data, TicketChanged):
                transaction.arm(fact.subject, "wink", transaction.now + timedelta(milliseconds=50))

    async def lock(self, keys: Sequence[str], transaction: Transaction) -> None:
        await transaction.connection.execute("SELECT 1")

    async def fire(self, due: Sequence[Due], transaction: Transaction) -> None:
        self.fired.extend(due)

    def service(self, settings: Settings, **changes: Any) -> Service:
        """The listener as the service sla."""
        given: Mapping[str, Any] = {
            "says": (TargetsSet,),
            "hears": HEARS["sla"],
            "handle": self.handle,
            "timers": {"wink": TimerKind(self.lock, self.fire)},
            "migrations": VERSIONS,
            **changes,
        }
        return Service(name="sla", version="0", settings=settings, speaker=Speaker.SLA, **given)


async def say(transaction: Transaction, subject: str, n: int) -> None:
    """One fact of the speaking toy."""
    if n == 1:
        transaction.say(TicketOpened(channel="chat", text="hello"), subject, n=n)
    else:
        transaction.say(TicketNoteAdded(message_id=f"m{n}"), subject, n=n)
