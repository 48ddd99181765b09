"""What a decision is: the ticket as it becomes, the messages it gains, the facts to say about it."""

from dataclasses import dataclass

from libs.contracts.event import Event
from services.intake.domain.message import Message
from services.intake.domain.ticket import Ticket
from services.intake.domain.via import Via, through


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a decision happen, and through what.

    actor: `agent:<key>`, `customer`, `source:<name>`, `system` or `service:<name>`. agent: the key, for human agents.
    person: whether a person chose the fields, so that routing leaves them alone. cause: what came, as `through` names
    it, or the routing decision that is applied. trace: of what came. role: what they may do with fields (V-5).
    """

    actor: str
    agent: str | None = None
    person: bool = False
    cause: str | None = None
    trace: str | None = None
    role: str = "system"

    @classmethod
    def agent_named(cls, key: str) -> "By":
        """A human agent or lead."""
        return cls(f"agent:{key}", agent=key, person=True)


SYSTEM = By("system")
TIMER = By("system", cause=through(Via.TIMER, "auto_close"))
CUSTOMER = By("customer")


@dataclass(frozen=True, slots=True)
class Say:
    """A fact to say; `ticket` is as the fact leaves it, so its version is the fact's number, and it happened when the
    ticket was updated.
    """

    event: Event
    ticket: Ticket
    by: By


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from one thing that happened to one ticket. Nothing was decided where `say` is empty."""

    ticket: Ticket
    say: tuple[Say, ...] = ()
    messages: tuple[Message, ...] = ()

    def then(self, other: "Decision") -> "Decision":
        """This, and what was decided after it about the same ticket."""
        return Decision(other.ticket, self.say + other.say, self.messages + other.messages)


class Refused(ValueError):
    """The ticket does not allow this. `allowed`: the statuses it may change to (behaviour S-7)."""

    def __init__(self, reason: str, allowed: list[str]) -> None:
        self.allowed = allowed
        super().__init__(reason)
