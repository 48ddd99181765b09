"""One line of sending: claims a notice, hands it over, writes down what became of it, takes the next."""

import asyncio

import structlog

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.resources import Resources
from services.notifier.domain.outcome import Attempt, settle, too_late
from services.notifier.sender.doorbell import Doorbell, first_of
from services.notifier.sender.enclosures import Gone, NotNow, fetch_enclosures
from services.notifier.sender.ledger import Done, Ledger
from services.notifier.sender.letter import Claimed, Letter, write_letter
from services.notifier.sender.post_office import PostOffice

log = structlog.get_logger(__name__)

DATABASE_PAUSE = 0.5
LAST_TRIES = 4


class Line:
    """Never more than one notice at a time is in nobody-knows: the one this line has claimed."""

    def __init__(
        self, ledger: Ledger, office: PostOffice, doorbell: Doorbell, resources: Resources, key: bytes
    ) -> None:
        self._ledger, self._office, self._doorbell = ledger, office, doorbell
        self._resources, self._key = resources, key
        self._done: Done | None = None
        """What is not written down yet; kept while the database is away, else a mail that arrived is sent again."""

    async def run(self, over: asyncio.Event) -> None:
        """Until it is over; the notice in hand is finished first."""
        looks = 0
        while not over.is_set():
            try:
                if self._done is None and not await self._ledger.is_due():
                    looks = await self._doorbell.wait(over, looks)
                elif self._done is not None or await self._office.is_open(over):
                    await self._work(over)
                    looks = 0
            except DATABASE_TROUBLE as trouble:
                log.warning("sending waits for the database", reason=str(trouble))
                await first_of(DATABASE_PAUSE, over)
        await self._write_down_last()
        await self._office.quit()

    async def _write_down_last(self) -> None:
        """It is over in the middle of trouble: what became of the last mail is worth a few tries more."""
        for _ in range(LAST_TRIES):
            if self._done is None:
                return
            try:
                await self._ledger.turn(self._done, claim=False)
                self._done = None
            except DATABASE_TROUBLE:
                await asyncio.sleep(DATABASE_PAUSE)

    async def _work(self, over: asyncio.Event) -> None:
        """As long as something is due and the connection holds."""
        while True:
            wants_more = not over.is_set() and await self._office.is_open(over)
            notice = await self._ledger.turn(self._done, claim=wants_more)
            self._done = None
            if notice is None:
                return
            self._done = await self._send(notice)

    async def _send(self, notice: Claimed) -> Done:
        late = too_late(notice.automatic, notice.fact_at, self._ledger.now, self._ledger.retry)
        if late is not None:
            return Done(notice, late)
        attempt, reason, letter = await self._attempt(notice)
        settlement = settle(
            attempt,
            reason,
            automatic=notice.automatic,
            attempts=notice.attempts,
            fact_at=notice.fact_at,
            now=self._ledger.now,
            retry=self._ledger.retry,
        )
        return Done(notice, settlement, letter.message_id if letter else None)

    async def _attempt(self, notice: Claimed) -> tuple[Attempt, str, Letter | None]:
        intake = self._resources.settings.intake_url
        try:
            enclosures = await fetch_enclosures(self._resources.peers, intake, notice.attachments)
            letter = write_letter(notice, self._ledger.mail, self._key, enclosures)
        except NotNow as trouble:
            return Attempt.DEFERRED, str(trouble), None
        except (Gone, ValueError) as fault:
            return Attempt.IMPOSSIBLE, str(fault), None
        attempt, reason = await self._office.deliver(letter)
        return attempt, reason, letter
