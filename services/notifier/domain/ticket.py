"""What the notifier remembers of a ticket: whom to write to, in which language, and what was promised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from libs.contracts.sla import Metric, TargetState
from libs.contracts.ticket_state import StatusCategory

Data = Mapping[str, Any]
"""The data of a fact, or a part of it, as it travels: what has its default may be missing."""

DONE = frozenset({StatusCategory.RESOLVED.value, StatusCategory.CLOSED.value})
REMEMBERED = frozenset({"assignee", "queue", "language", "spam", "status_category"})
"""Changes that matter here."""
UNPROMISED: Data = {"state": TargetState.NONE.value}
ERASED = "erased"
"""Why a ticket is silenced of whose customer nothing is left."""
THREAD = 20
"""References in a mail (behaviour E-8)."""


@dataclass(slots=True)
class Promise:
    """The first response clock when its targets became final (decisions 11), and the fact that said so."""

    cause: str
    said_at: datetime
    state: str
    deadline: datetime | None = None
    schedule: str | None = None


@dataclass(slots=True)
class Ticket:
    """One ticket. opened_at is None until its opening was heard: facts of sla may come before it.

    silenced: why nothing automatic goes to the customer any more: spam, deleted, erased, merged.
    acknowledged: the acknowledgment was decided, whatever became of it (behaviour T-3).
    thread: Message-IDs so far, oldest first. is_opening_new: what is known from the opening has to be stored.
    stored: what of it changes, as it was loaded; None for a new one.
    """

    id: str
    opened_at: datetime | None = None
    reference: str = ""
    channel: str = ""
    language: str | None = None
    mailbox: str | None = None
    subject: str = ""
    customer_name: str | None = None
    customer_email: str | None = None
    return_path: str | None = None
    message_id: str | None = None
    conversation_source: str | None = None
    conversation_id: str | None = None
    suppress_reply: bool = False
    by_hand: bool = False
    thread: tuple[str, ...] = ()
    assignee: str | None = None
    queue: str | None = None
    silenced: str | None = None
    undeliverable: bool = False
    done: bool = False
    acknowledged: bool = False
    promise: Promise | None = None
    stored: str | None = field(default=None, compare=False)
    is_opening_new: bool = field(default=False, compare=False)

    def open(self, said: Data, state: Data) -> None:
        """Keep what an acknowledgment needs. said: of TicketOpened; state: of TicketState."""
        self.is_opening_new = True
        self.opened_at = datetime.fromisoformat(state["created_at"])
        self.reference = state.get("reference") or self.id
        self.channel, self.mailbox = said["channel"], state.get("mailbox")
        self.subject = " ".join(said.get("subject", "").split())
        customer = said.get("customer") or {}
        self.customer_name, self.customer_email = customer.get("name"), customer.get("email")
        conversation = said.get("conversation") or {}
        self.conversation_source = conversation.get("source")
        self.conversation_id = conversation.get("conversation_id")
        self.suppress_reply = said.get("suppress_reply", False) or state.get("suppress_reply", False)
        self.by_hand = said.get("created_by") is not None or not said.get("opened_by_customer", True)
        self.assignee, self.queue, self.language = state.get("assignee"), state.get("queue"), state.get("language")
        self.silenced = "spam" if state.get("spam") else self.silenced
        if mail := said.get("mail"):
            self._open_by(mail)

    def _open_by(self, mail: Data) -> None:
        self.return_path, self.message_id = mail.get("return_path"), mail.get("message_id")
        if self.message_id:
            self.thread = (*mail.get("references", ()), self.message_id)[-THREAD:]
        self.suppress_reply = self.suppress_reply or self.return_path == ""

    def erase(self) -> None:
        """Forget who wrote, and about what."""
        self.subject, self.customer_name, self.customer_email, self.return_path = "", None, None, None
        self.message_id, self.thread = None, ()
        self.is_opening_new = self.opened_at is not None

    def change(self, changes: Mapping[str, Data]) -> bool:
        """Follow the changes that matter here; whether the ticket is resolved now and was not before."""
        if "assignee" in changes:
            self.assignee = changes["assignee"].get("new")
        if "queue" in changes:
            self.queue = changes["queue"].get("new")
        if "language" in changes:
            self.language = changes["language"].get("new")
        if "spam" in changes:
            self.silenced = "spam" if changes["spam"].get("new") else None
        if "status_category" not in changes:
            return False
        was_done, category = self.done, changes["status_category"].get("new")
        self.done = category in DONE
        return category == StatusCategory.RESOLVED.value and not was_done

    def promised(self, said: Data, cause: str, said_at: datetime) -> None:
        """Keep what final targets (TargetsSet) say of the first response. Only the first final word counts."""
        if self.promise is not None:
            return
        first = next((target for target in said["targets"] if target["metric"] == Metric.FIRST_RESPONSE), UNPROMISED)
        due = first.get("deadline")
        deadline = None if due is None else datetime.fromisoformat(due)
        self.promise = Promise(cause, said_at, first["state"], deadline, said.get("schedule"))
