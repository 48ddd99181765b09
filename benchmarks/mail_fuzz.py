"""Damaged mails by the hundred thousand: nothing raises, nothing hangs, nothing is lost (behaviour E-1).

    signalbox bench mail-fuzz --mails 100000 --seed 1

First each mail is read alone, as far as its message, and timed; then all are taken in and settled on a real PostgreSQL,
and the ledger is reconciled. Prints one JSON document; exit code 1 when something went wrong, with the number of the
mail: the same seed makes the same mails.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import typer
import uvloop

from benchmarks.mail_intake import Bench, postgres, running
from benchmarks.mutated_mails import mutated_mails
from libs.chassis.logs import configure_logs
from libs.chassis.storing import attempt
from libs.contracts.ticket import MessageKind
from services.intake.acceptance import Arrivals, Incoming, insert_received
from services.intake.inbound import contents
from services.intake.inbound.letter import Letter, Received, read
from services.intake.inbound.outcome import Because
from services.intake.inbound.reconciling import differences
from services.intake.inbound.worker import MailWorker
from services.intake.mail_file import MailPolicy

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KEY = b"a key of more than sixteen bytes"
POLICY = MailPolicy()
BATCH = 500
SLOW = 0.2
AGAIN = 2
NAMED = 10

app = typer.Typer()


@app.command()
def main(
    mails: Annotated[int, typer.Option(help="How many.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same mails.")] = 1,
    folder: Annotated[Path | None, typer.Option(help="Further mails (.eml) to damage.")] = None,
    settle: Annotated[bool, typer.Option(help="Also take them in and settle them.")] = True,
    json_: Annotated[bool, typer.Option("--json", help="For scripts; the output is JSON in any case.")] = False,
) -> None:
    """Damage mails, read them, settle them, compare."""
    configure_logs("bench", "error", "console")
    result = {"mails": mails, "seed": seed, **uvloop.run(reading(mutated_mails(mails, seed, folder)))}
    if settle:
        with postgres() as server:
            result["settled"] = uvloop.run(_settled(server, mutated_mails(mails, seed, folder)))
    typer.echo(json.dumps(result))
    settled = result.get("settled", {})
    if result["raised"] or result["slow"] or settled.get("faults") or settled.get("lost") or settled.get("differences"):
        raise typer.Exit(1)


def whole(raw: bytes) -> Letter:
    """Everything that is done with the bytes of a mail, whatever becomes of it."""
    letter = read(Received(1, raw, NOW), POLICY, [KEY])
    message = contents.message(letter, "m1", MessageKind.CUSTOMER, None, NOW, joins=True)
    contents.with_files(message, letter, POLICY)
    return letter


async def _whole(raw: bytes) -> None:
    whole(raw)


async def _timed(raw: bytes) -> tuple[str | None, float]:
    began = process_time()
    fault = await attempt(partial(_whole, raw))
    return fault, process_time() - began


async def reading(mails: Iterator[bytes]) -> dict[str, Any]:
    """What reading each alone took in seconds of CPU, which raised and which took longer than 0.2 s."""
    raised: list[str] = []
    slow: list[dict[str, float]] = []
    times: list[float] = []
    for number, raw in enumerate(mails):
        fault, seconds = await _timed(raw)
        if seconds > SLOW:
            # others use the machine as well: what is slow is slow again
            seconds = min(seconds, *[(await _timed(raw))[1] for _ in range(AGAIN)])
        times.append(seconds)
        if fault is not None:
            raised.append(f"{number}: {fault}")
        if times[-1] > SLOW:
            slow.append({"mail": number, "bytes": len(raw), "seconds": round(times[-1], 3)})
    times.sort()
    return {
        "raised": raised[:NAMED],
        "slow": slow[:NAMED],
        "ms": {"mean": round(sum(times) / len(times) * 1e3, 3), "longest": round(times[-1] * 1e3, 1)},
    }


async def _settled(server: Any, mails: Iterator[bytes]) -> dict[str, Any]:
    async with running(server) as bench:
        worker, sent = MailWorker(Arrivals(), Arrivals(), [KEY]), 0
        while batch := [Incoming(raw, "import", None, ("help@support.example.com",)) for raw in islice(mails, BATCH)]:
            async with bench.transactions.begin() as transaction:
                await insert_received(transaction.connection, batch, transaction.now)
            sent += len(batch)
            while await worker.work_off(bench.transactions):
                continue
        return await _compared(bench, sent)


async def _compared(bench: Bench, sent: int) -> dict[str, Any]:
    query = "SELECT disposition, count(*) AS mails FROM inbound_mail GROUP BY disposition ORDER BY 1"
    faults = "SELECT id, reason FROM inbound_mail WHERE because = $1 ORDER BY id LIMIT 10"
    async with bench.database.connection() as connection:
        counts = {row["disposition"]: row["mails"] for row in await connection.fetch(query)}
        failed = [f"{row['id'] - 1}: {row['reason']}" for row in await connection.fetch(faults, Because.FAULT.value)]
        found = await differences(connection, NOW)
    return {
        "dispositions": counts,
        "lost": sent - sum(counts.values()) + counts.get("received", 0),
        "faults": failed,
        "differences": [f"{each.what}: {each.count} ({', '.join(each.which)})" for each in found],
    }


if __name__ == "__main__":
    app()
