"""`signalbox bench views`: folders, filters and searches over a million tickets."""

import json
import os
import sys
from dataclasses import asdict
from time import perf_counter
from typing import Annotated, Any

import typer
import uvloop

from benchmarks.pipeline.machine import available_cores
from benchmarks.views.asking import Asker, Found
from benchmarks.views.place import database_of, index_words, load, server, settle, sizes, transactions_of
from benchmarks.views.tickets import Tickets, word
from libs.chassis.clock import real_now
from libs.chassis.logs import configure_logs
from libs.embedded.postgres_server import PostgresServer
from services.intake.api.selection import Selection
from services.intake.folders import FOLDERS, Sort

MOST_MILLISECONDS = 50.0
CORES = 2

LISTS: dict[str, tuple[Selection, Sort | None]] = {
    **{f"folder {key}": (Selection(view=key), None) for key in FOLDERS},
    "all tickets": (Selection(), None),
    "all tickets, newest first": (Selection(), Sort.NEWEST),
    "my open, high": (Selection(view="my-open", priority=("high",)), None),
    "unassigned, technical, last 24 hours": (
        Selection(view="unassigned", queue=("technical",), where="created_at > -24h"),
        None,
    ),
    "where: open, critical or vip, older than 2 days": (
        Selection(where="status = open and (priority in (high, critical) or tags has vip) and created_at < -2d"),
        None,
    ),
    "search: a rare word": (Selection(q=word(9_000)), None),
    "search: a word of 1 in 100": (Selection(q=word(400)), None),
    "search: the most frequent word": (Selection(q=word(0)), None),
    "search: two words": (Selection(q=f"{word(30)} {word(40)}"), None),
    "search: a frequent word in all open": (Selection(view="all-open", q=word(3)), None),
    "search: start of an email": (Selection(q=f"{word(77)}.77@"), None),
}

app = typer.Typer()


@app.command()
def views(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    tickets: Annotated[int, typer.Option(min=1_000, help="How many there are.")] = 1_000_000,
    times: Annotated[int, typer.Option(min=10, help="How often each list is asked.")] = 60,
    plans: Annotated[bool, typer.Option("--plans", help="With the plans of PostgreSQL.")] = False,
) -> None:
    """First page, count and page 100 of each folder, of filters and of searches, warm, on two cores.

    Exit code 1 if a p95 is over 50 ms.
    """
    configure_logs("bench", "warning", "console")
    os.sched_setaffinity(0, available_cores()[:CORES])
    with server() as postgres:
        report = uvloop.run(_report(postgres, tickets, times, plans))
    typer.echo(json.dumps(report, indent=None if as_json else 1))
    if not all(report["met"].values()):
        raise typer.Exit(1)


async def _report(postgres: PostgresServer, many: int, times: int, plans: bool) -> dict[str, Any]:
    async with database_of(postgres) as database:
        began = perf_counter()
        ids = await load(database, Tickets(many, real_now()))
        loaded = perf_counter()
        _say(f"{many} tickets loaded in {loaded - began:.0f} s")
        await index_words(database, ids)
        indexed = perf_counter()
        _say(f"words indexed in {indexed - loaded:.0f} s")
        await settle(postgres)
        asker = Asker(transactions_of(database), times)
        found: dict[str, Found] = {}
        for name, (selection, sort) in LISTS.items():
            found[name] = await asker.measure(selection, sort)
            _say(f"{name}: {found[name]}")
        written = {name: await asker.plans(*asked) for name, asked in LISTS.items()} if plans else {}
    return {
        "tickets": many,
        "load_s": round(loaded - began),
        "index_us_per_ticket": round((indexed - loaded) / many * 1e6),
        "megabytes": await sizes(postgres),
        "ms": {name: asdict(each) for name, each in found.items()},
        "met": {name: _within(each) for name, each in found.items()},
        **({"plans": written} if plans else {}),
    }


def _within(found: Found) -> bool:
    spreads = [each for each in (found.first, found.count, found.deep) if each is not None]
    return all(each.p95 <= MOST_MILLISECONDS for each in spreads)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
