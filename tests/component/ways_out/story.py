"""Ada's ticket, on which much is written that is not for her: each kind of it with a word of its own."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from libs.chassis.tokens import Role
from services.intake.domain.waiting import take_step
from services.intake.store import Store
from tests.component.intake.test_api import event
from tests.component.ways_out.desk import Desk
from tests.support.stack import until

ADA, BOB, EVE, MALLORY = "ada@customer.example", "bob@other.example", "eve@elsewhere.example", "mal@denied.example"
AMIRA = "Amira <amira@support.example>"
NOTE, HELD, SUSPENDED, OTHER = "zebrafish", "axolotl", "pangolin", "quokka"
HERS, OURS = "flickers", "photograph"
ROOT, BOBS_ROOT = "<root@customer.example>", "<root@other.example>"
VERIFIED = "mx.support.example.com; dkim=pass header.d=support.example; dmarc=pass header.from=support.example"


@dataclass
class Story:
    """What there is in the end. held: id of a held message with a file; suspended: receipts."""

    desk: Desk
    ticket: str = ""
    chat: str = ""
    customer: str = ""
    job: str = ""
    held: str = ""
    suspended: list[int] = field(default_factory=list)

    async def tell(self) -> None:
        """Everything in order, until all that leaves has left."""
        desk = self.desk
        self.ticket = (await desk.write(ADA, "Lamp", f"My lamp {HERS}.", message_id=ROOT))["ticket_id"]
        await desk.mailed(ADA, "Lamp")
        await desk.ask("POST", self._path("replies"), {"text": f"Please send a {OURS}."})
        answer = await desk.mailed(ADA, OURS)
        await self._notes(f"<{answer.message_id}>")
        await self._strangers()
        await self._other_customer()
        await desk.ask("POST", self._path("replies"), {"text": "Still waiting.", "submit_as": "pending"})
        await desk.mailed(ADA, "Still waiting.")
        await desk.mailed(BOB, "Still waiting.")
        await self._remind()
        await desk.ask("PATCH", f"/v1/tickets/{self.ticket}", {"status": "resolved"})
        await desk.mailed(ADA, "Resolved")
        await self._talk()
        self.customer = (await desk.ask("GET", f"/v1/tickets/{self.ticket}", None))["customer"]["id"]

    def _path(self, last: str) -> str:
        return f"/v1/tickets/{self.ticket}/{last}"

    async def _notes(self, answered: str) -> None:
        """By hand, by a job and by mail."""
        desk = self.desk
        await desk.ask("POST", self._path("notes"), {"text": f"{NOTE} by hand"})
        bulk = {"tickets": [self.ticket], "note": f"{NOTE} by job"}
        self.job = (await desk.ask("POST", "/v1/tickets/bulk", bulk))["id"]

        async def done() -> bool:
            return bool((await desk.ask("GET", f"/v1/jobs/{self.job}", None))["state"] == "done")

        await until(done)

        # the agents' addresses come from the router
        async def known() -> bool:
            async with desk.services["intake"].database.connection() as connection:
                return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM agents WHERE email LIKE 'amira@%')"))

        await until(known)
        noted = await desk.write(
            AMIRA, "Re: Lamp", f"#note {NOTE} by mail", in_reply_to=answered, authentication_results=VERIFIED
        )
        assert noted["reason"] == "a note by amira"

    async def _strangers(self) -> None:
        """Held: by a person with a file, and by their machine. Suspended: of a denied sender, and of a machine."""
        desk = self.desk
        held = await desk.write(EVE, f"Re: Lamp {HELD}", f"{HELD} mine", (f"{HELD}",), in_reply_to=ROOT)
        assert held["reason"].endswith("so it waits there for an agent")
        self.held = held["message_id"]
        away = await desk.write(EVE, f"Away {HELD}", f"{HELD} away", in_reply_to=ROOT, auto_submitted="auto-replied")
        assert away["disposition"] == "automatic"
        denied = await desk.write(MALLORY, f"Re: Lamp {SUSPENDED}", f"{SUSPENDED} sale", in_reply_to=ROOT)
        lone = await desk.write(EVE, f"Away {SUSPENDED}", f"{SUSPENDED} away", auto_submitted="auto-replied")
        assert (denied["because"], lone["because"]) == ("denied", "answers_nothing")
        self.suspended = [denied["id"], lone["id"]]

    async def _other_customer(self) -> None:
        """Bob's ticket is merged into Ada's; he gets copies, and he and his machine write on, under his subject."""
        desk = self.desk
        bobs = (await desk.write(BOB, f"My {OTHER}", f"A {OTHER} of Bob's", message_id=BOBS_ROOT))["ticket_id"]
        await desk.mailed(BOB, OTHER)
        merge = {"sources": [bobs], "confirm_requesters": True, "copy_requesters": True}
        await desk.ask("POST", self._path("merge"), merge)
        more = await desk.write(BOB, f"The {OTHER} again", f"{OTHER} still", in_reply_to=BOBS_ROOT)
        away = await desk.write(BOB, f"Away {OTHER}", f"{OTHER} away", in_reply_to=ROOT, auto_submitted="auto-replied")
        assert [more["ticket_id"], away["ticket_id"]] == [self.ticket] * 2

    async def _remind(self) -> None:
        """As four days later."""
        intake = self.desk.services["intake"]
        async with intake.transactions.begin() as transaction:
            store = Store(transaction)
            ticket = (await store.tickets([self.ticket]))[self.ticket]
            decision = take_step(ticket, store.statuses, transaction.now + timedelta(days=4))
            assert decision.say
            await store.save([decision])
        await self.desk.mailed(ADA, "Waiting for you")

    async def _talk(self) -> None:
        """A chat of Ada's, with a note and two notices."""
        desk = self.desk
        told = [
            event("started", "s", conversation_id="c1", email=ADA),
            event("message-added", "m", conversation_id="c1", seq=1, role="customer", text=f"It {HERS} too"),
            event("ticket-requested", "r", conversation_id="c1", subject="Second lamp"),
        ]
        await desk.ask("POST", "/v1/conversation-events", told, Role.SYSTEM)

        async def asked() -> str | None:
            async with desk.client("intake", Role.AGENT) as client:
                found = await client.get("/v1/conversations/shop/c1")
            return found.json().get("ticket") if found.status_code == 200 else None

        self.chat = await until(asked)
        await desk.ask("POST", f"/v1/tickets/{self.chat}/notes", {"text": f"{NOTE} in a chat"})
        # what is resolved before its targets are known is not acknowledged
        await until(partial(self._noticed, "acknowledgment"))
        await desk.ask("PATCH", f"/v1/tickets/{self.chat}", {"status": "resolved"})
        await until(partial(self._noticed, "resolved"))

    async def _noticed(self, kind: str) -> bool:
        (page,) = await self.desk.read(Role.AGENT, "/v1/notices?conversation=shop/c1", service="notifier")
        return f'"{kind}"' in page
