"""Kills with -9 at a chosen moment, and remembers which it was."""

import asyncio
import random
import signal
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from libs.chassis.clock import real_now
from signalbox.services import SERVICES
from signalbox.stack.service_child import ServiceChild
from tests.faults.harness.doors import SMTP_TROUBLE, write_mail
from tests.faults.harness.load import Load
from tests.faults.harness.moments import Moment, is_now
from tests.faults.harness.rig import Rig

BROKER, DATABASE = "nats-server", "PostgreSQL"
VICTIMS = (*SERVICES, BROKER, DATABASE)
WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Kill:
    """One kill. `victim`: a service's label, nats-server or PostgreSQL. `back`: seconds until it was ready again."""

    victim: str
    moment: Moment
    at: datetime
    back: float


def moments_of(victim: str) -> tuple[Moment, ...]:
    """What a kill of this victim can fall into."""
    if victim == "reporting":
        return (Moment.TRANSACTION,)
    if victim in ("intake", "notifier"):
        return (Moment.TRANSACTION, Moment.PUBLISH, Moment.DATA)
    return (Moment.TRANSACTION, Moment.PUBLISH)


class Killer:
    """Kills parts of a rig that is under load."""

    def __init__(self, rig: Rig, load: Load) -> None:
        self._rig, self._load = rig, load
        self.kills: list[Kill] = []

    async def kill(self, victim: str, moment: Moment) -> Kill:
        """Wait for the moment, kill, wait until the victim is back."""
        await self._strike(victim, moment)
        at, since = real_now(), monotonic()
        await self._back(victim)
        kill = Kill(victim, moment, at, monotonic() - since)
        self.kills.append(kill)
        return kill

    async def _strike(self, victim: str, moment: Moment) -> None:
        if victim == BROKER:
            await self._when(moment)
            self._rig.stack.nats.child.signal(signal.SIGKILL)
        elif victim == DATABASE:
            await self._when(moment)
            self._rig.stack.postgres.child.signal(signal.SIGKILL)
        elif moment is Moment.DATA:
            await (self._in_our_data(victim) if victim == "intake" else self._in_its_data(victim))
        else:
            await self.freeze(self._rig.stack.child(victim), moment)
            self._rig.stack.child(victim).signal(signal.SIGKILL)

    async def freeze(self, child: ServiceChild, moment: Moment) -> None:
        """Stop a service in the middle of it: time stands still for it while we look, so the moment is certain."""
        deadline = monotonic() + WAIT_SECONDS
        while True:
            child.signal(signal.SIGSTOP)
            if await is_now(self._rig, moment, child.name):
                return
            child.signal(signal.SIGCONT)
            assert monotonic() < deadline, f"{child.label} was never seen in: {moment}"
            await asyncio.sleep(random.uniform(0.002, 0.03))

    async def _when(self, moment: Moment) -> None:
        """The moment is now for some service."""
        deadline = monotonic() + WAIT_SECONDS
        while not await is_now(self._rig, moment, *SERVICES):
            assert monotonic() < deadline, f"nobody was ever seen in: {moment}"
            await asyncio.sleep(random.uniform(0.001, 0.01))

    async def _in_our_data(self, victim: str) -> None:
        """Half of a mail is with intake; whoever sends it sends it again as a whole."""
        mail = self._load.next_mail()
        content = write_mail(mail.mark, mail.sender)
        deadline = monotonic() + WAIT_SECONDS
        while True:
            try:
                client = await self._load.doors.half_a_mail(content)
                break
            except SMTP_TROUBLE:
                assert monotonic() < deadline, "nobody takes mail"
                await asyncio.sleep(0.1)
        self._rig.stack.child(victim).signal(signal.SIGKILL)
        client.close()
        await self._load.doors.send(content)
        self._load.accepted.mails.append(mail)

    async def _in_its_data(self, victim: str) -> None:
        """The next mail server has a mail of the notifier's and has not said so yet."""
        by_hand = sum(kill.moment is Moment.DATA for kill in self.kills) % 2 == 0
        trap = self._rig.stack.spool.set_trap(by_hand=by_hand)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await trap.caught.wait()
            self._rig.stack.child(victim).signal(signal.SIGKILL)
            await self._rig.stack.child(victim).gone(5)
        finally:
            self._rig.stack.spool.disarm(trap)

    async def _back(self, victim: str) -> None:
        stack = self._rig.stack
        if victim in (BROKER, DATABASE):
            server = stack.nats if victim == BROKER else stack.postgres
            dead = server.pid
            async with asyncio.timeout(60):
                while not server.running or server.pid == dead:
                    await asyncio.sleep(0.02)
            await self._rig.all_ready()
        else:
            child = stack.child(victim)
            await child.gone(5)
            await self._rig.ready(child)
