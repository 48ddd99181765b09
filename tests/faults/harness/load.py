"""Customers and agents who keep the system busy."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from libs.contracts.conversation import ConversationMessageAdded, ConversationStarted, HandedOff, Role
from tests.faults.harness.accepted import Accepted, Chat, Mail, Reply
from tests.faults.harness.doors import Doors, write_mail
from tests.faults.harness.rig import Rig

MOST_AT_ONCE = 150
FINISH_SECONDS = 120.0


@dataclass(frozen=True)
class Rates:
    """How many begin in a second; every `replied`-th chat is answered by an agent."""

    chats: float = 4.0
    mails: float = 2.0
    replied: int = 2


class Load:
    """Tells stories: chats that are handed off and answered, mails. What is accepted is noted in `accepted`."""

    def __init__(self, rig: Rig, rates: Rates) -> None:
        self.accepted = Accepted()
        self.doors = Doors(rig, self.accepted)
        self._rates = rates
        self._stories: set[asyncio.Task[None]] = set()
        self._tellers: list[asyncio.Task[None]] = []
        self._faults: list[BaseException] = []
        self._run = token_hex(3)
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Begin telling."""
        self._tellers = [
            asyncio.ensure_future(self._every(1 / self._rates.chats, self.chat)),
            asyncio.ensure_future(self._every(1 / self._rates.mails, self.mail)),
        ]

    async def stop(self) -> None:
        """Begin nothing more, and wait until everything begun is accepted. What went wrong is raised here."""
        for teller in self._tellers:
            teller.cancel()
        if self._stories:
            _, late = await asyncio.wait(self._stories, timeout=FINISH_SECONDS)
            for story in late:
                story.cancel()
            assert not late, f"{len(late)} clients were not answered within {FINISH_SECONDS:g} s"
        await self.doors.close()
        if self._faults:
            raise self._faults[0]

    async def chat(self) -> None:
        """A chat is handed to people; some are answered, and the customer writes once more."""
        number = next(self._numbers)
        chat = Chat(f"chat-{self._run}-{number}", f"chat{number}@customers.example")
        self.accepted.chats.append(chat)
        await self.doors.say(ConversationStarted(conversation_id=chat.id, name="Kim", email=chat.email))
        await self._write(chat, 1, Role.CUSTOMER)
        await self._write(chat, 2, Role.AI)
        await self.doors.say(HandedOff(conversation_id=chat.id, reason="wants a person"))
        chat.asked = True
        if number % self._rates.replied == 0:
            await self._answered(chat)
        await self._write(chat, 3, Role.CUSTOMER)

    async def mail(self) -> Mail:
        """A customer writes a mail."""
        mail = self.next_mail()
        await self.doors.send(write_mail(mail.mark, mail.sender))
        self.accepted.mails.append(mail)
        return mail

    def next_mail(self) -> Mail:
        """A mail that nobody has sent yet."""
        number = next(self._numbers)
        mark = f"mark-{self._run}-{number}-"
        return Mail(mark, f"{mark}@customers.example", f"mail{number}@customers.example")

    async def _answered(self, chat: Chat) -> None:
        ticket = await self.doors.ticket_of(chat.id)
        await self.doors.address_of(ticket)
        mark = f"reply-{self._run}-{next(self._numbers)}-"
        message_id = await self.doors.reply(ticket, f"We are looking into it. {mark}")
        self.accepted.replies.append(Reply(mark, ticket, message_id))

    async def _write(self, chat: Chat, seq: int, role: Role) -> None:
        text = f"{chat.id} says {seq}"
        await self.doors.say(ConversationMessageAdded(conversation_id=chat.id, seq=seq, role=role, text=text))
        chat.messages[seq] = text

    async def _every(self, seconds: float, story: Any) -> None:
        while True:
            if len(self._stories) < MOST_AT_ONCE:
                self._begin(story())
            await asyncio.sleep(seconds)

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(story)
        self._stories.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._stories.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._faults.append(fault)


@asynccontextmanager
async def under_load(rig: Rig, rates: Rates | None = None) -> AsyncIterator[Load]:
    """Load until the block ends; then everything begun has been accepted."""
    load = Load(rig, rates or Rates())
    load.start()
    yield load
    await load.stop()
