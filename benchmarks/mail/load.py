"""The load generator, a process of its own: `python -m benchmarks.mail.load`, configured by LOAD_ variables.

It says READY when everything is prepared, waits for a line, sends everything by one door as fast as it is taken, and
says DONE when what it did is in the file LOAD_RESULT. Every mail has its 250, or 201, before another takes its place.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import httpx
import uvloop
from pydantic_core import from_json, to_json

from benchmarks.mail.order import BATCH, CONNECTIONS, DONE, ORDER, READY, RESULT, Delivery, Order
from benchmarks.pipeline.generator import signal
from services.intake.mail_frames import MEDIA_TYPE, framed, unframed

SENDER = "customer@shop-customers.example"


class Refused(Exception):
    """The door did not take a mail."""


class Load:
    """Sends all mails of an order."""

    def __init__(self, order: Order, mails: Sequence[bytes]) -> None:
        self._order, self._mails = order, mails
        self._stored = [0.0] * len(mails)
        self._answered: list[float] = []

    async def run(self) -> Delivery:
        """Return when all are answered; Refused when one is not taken."""
        begun = time.time()
        async with asyncio.TaskGroup() as group:
            if self._order.door == "smtp":
                places = iter(range(len(self._mails)))
                for _ in range(CONNECTIONS):
                    group.create_task(self._by_smtp(places))
            else:
                batches = iter(range(0, len(self._mails), BATCH))
                for _ in range(2):
                    group.create_task(self._by_import(batches))
        return Delivery(begun, self._stored, self._answered)

    async def _by_smtp(self, places: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection(self._order.host, self._order.port, limit=1 << 20)
        await _answer(reader, b"220")
        writer.write(b"EHLO load\r\n")
        await _answer(reader, b"250")
        # as mail servers do where PIPELINING is announced
        head = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{self._order.recipient}>\r\nDATA\r\n".encode()
        for place in places:
            writer.write(head)
            for code in (b"250", b"250", b"354"):
                await _answer(reader, code)
            ended = time.time()
            writer.write(self._mails[place] + b".\r\n")
            await _answer(reader, b"250")
            self._stored[place] = time.time()
            self._answered.append(self._stored[place] - ended)
        writer.write(b"QUIT\r\n")
        await _answer(reader, b"221")
        writer.close()

    async def _by_import(self, batches: Iterator[int]) -> None:
        headers = {"Authorization": f"Bearer {self._order.token}", "Content-Type": MEDIA_TYPE}
        async with httpx.AsyncClient(base_url=self._order.url, headers=headers, timeout=120) as client:
            for first in batches:
                batch = self._mails[first : first + BATCH]
                answer = await client.post("/v1/mail/import", content=framed(batch))
                if answer.status_code != 201 or answer.json()["mails"] != len(batch):
                    raise Refused(answer.text)
                self._stored[first : first + BATCH] = [time.time()] * len(batch)


async def _answer(reader: asyncio.StreamReader, wanted: bytes) -> None:
    """The last line of an answer."""
    while True:
        line = await reader.readline()
        if not line.startswith(wanted):
            raise Refused(line.decode("utf-8", "replace"))
        if line[3:4] == b" ":
            return


def _prepared(order: Order) -> list[bytes]:
    mails = list(unframed(Path(order.mails).read_bytes()))
    if order.door == "smtp":
        mails = [b"." + raw if raw.startswith(b".") else raw for raw in mails]
        mails = [raw.replace(b"\r\n.", b"\r\n..") for raw in mails]
    return mails


def main() -> None:
    """Prepare, wait, send, write down."""
    order = Order(**from_json(os.environ[ORDER]))
    load = Load(order, _prepared(order))
    signal(READY)
    sys.stdin.readline()
    Path(os.environ[RESULT]).write_bytes(to_json(asdict(uvloop.run(load.run()))))
    signal(DONE)


if __name__ == "__main__":
    main()
