"""`signalbox bench pipeline`: Signalbox and the naive variant under the same load, in one run."""

import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.pipeline.checks import Account, account
from benchmarks.pipeline.configuration import write_configuration
from benchmarks.pipeline.figures import (
    Figures,
    Naive,
    by_conversation,
    latency,
    met,
    microseconds_per_ticket,
    naive_figures,
    tickets_per_second,
)
from benchmarks.pipeline.journeys import Journey, read_journeys
from benchmarks.pipeline.load import Order
from benchmarks.pipeline.machine import Cores, available_cores
from benchmarks.pipeline.naive import naive_up
from benchmarks.pipeline.remarks import on_trial, remarks
from benchmarks.pipeline.report import printed
from benchmarks.pipeline.stack import signalbox_up
from benchmarks.pipeline.system import SERVICES
from benchmarks.pipeline.trial import Trial, run_trial
from benchmarks.pipeline.wait import until_at_rest
from libs.chassis.logs import configure_logs


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what."""

    warm_up: int
    tickets: int
    slow_seconds: int
    fast_seconds: int
    naive: int


FULL = Plan(warm_up=1_000, tickets=20_000, slow_seconds=30, fast_seconds=20, naive=300)
QUICK = Plan(warm_up=500, tickets=5_000, slow_seconds=8, fast_seconds=5, naive=100)

app = typer.Typer()


@app.command()
def pipeline(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the time, for a first look.")] = False,
    tickets: Annotated[int | None, typer.Option(min=100, help="Tickets of the run for throughput and CPU.")] = None,
    naive: Annotated[bool, typer.Option(help="Run the naive variant as well.")] = True,
    profile: Annotated[
        str | None, typer.Option(help=f"Profile one of {', '.join(SERVICES)}; nothing else runs.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the profile goes.")] = Path("signalbox.prof"),
) -> None:
    """CPU, throughput and latency of a ticket from its conversation to the counters, nothing lost, nothing twice.

    Exit code 1 when a ticket was lost or duplicated. Figures of a machine that does other work meanwhile are worthless.
    """
    if profile is not None and profile not in SERVICES:
        raise typer.BadParameter(f"{profile!r} is none of {', '.join(SERVICES)}", param_hint="--profile")
    configure_logs("bench", "warning", "console", sys.stderr)
    plan = QUICK if quick else FULL
    if tickets is not None:
        plan = replace(plan, tickets=tickets)
    if profile is not None:
        asyncio.run(_profile(plan, profile, output.resolve()))
        return
    figures = asyncio.run(_figures(plan, naive=naive))
    typer.echo(json.dumps(asdict(figures)) if as_json else printed(figures))
    if figures.lost or figures.duplicated:
        raise typer.Exit(1)


async def _figures(plan: Plan, *, naive: bool) -> Figures:
    cores = Cores.divided(available_cores())
    with temporary_folder() as folder:
        configuration = write_configuration(folder / "config")
        figures = await _signalbox(plan, folder, configuration, cores)
        if naive:
            beside, more = await _naive(plan.naive, folder, configuration, cores)
            figures = replace(figures, naive=beside, notes=[*figures.notes, *more])
    return replace(figures, met=met(figures))


async def _signalbox(plan: Plan, folder: Path, configuration: Path, cores: Cores) -> Figures:
    async with signalbox_up(folder / "signalbox", configuration, cores) as system:
        trials = {}
        for order in _orders(plan):
            progress(f"{order.tickets} tickets, {order.rate or 'all'} a second ({order.run})")
            await until_at_rest(system.intake)
            trials[order.run] = await run_trial(system, order, cores)
        progress("reading what became of them")
        journeys = await read_journeys(system)
    return _summed(trials, journeys, cores)


def _orders(plan: Plan) -> Iterator[Order]:
    yield Order("warmup", plan.warm_up, None)
    yield Order("slow", 100 * plan.slow_seconds, 100)
    yield Order("fast", 1_000 * plan.fast_seconds, 1_000)
    yield Order("full", plan.tickets, None)


def _summed(trials: dict[str, Trial], found: list[Journey], cores: Cores) -> Figures:
    journeys, balance = by_conversation(found), _account(trials, found)
    full = trials["full"]
    return Figures(
        tickets_per_s=tickets_per_second(full, journeys),
        cpu_us_per_ticket=microseconds_per_ticket(full),
        latency_ms={
            "100_per_s": latency(trials["slow"], journeys),
            "1000_per_s": latency(trials["fast"], journeys),
        },
        busy_at_100_per_s=round(trials["slow"].busy, 3),
        naive=None,
        lost=balance.lost,
        duplicated=balance.duplicated,
        facts_per_ticket=round(sum(sum(each.facts.values()) for each in found) / max(1, len(found)), 2),
        machine={
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "system_on": cores.system,
            "load_on": cores.load,
            "round_ns": full.round_ns,
        },
        notes=remarks(cores, trials),
    )


async def _naive(tickets: int, folder: Path, configuration: Path, cores: Cores) -> tuple[Naive, list[str]]:
    async with naive_up(folder / "naive", configuration, cores) as system:
        progress(f"the naive variant: {tickets} tickets")
        trials = {
            order.run: await run_trial(system, order, cores)
            for order in (Order("warmup", max(20, tickets // 10), None), Order("naive", tickets, None))
        }
        found = await read_journeys(system)
    figures = naive_figures(trials["naive"], by_conversation(found), _account(trials, found))
    return figures, list(on_trial("naive", trials["naive"]))


def _account(trials: dict[str, Trial], journeys: list[Journey]) -> Account:
    return account([each for trial in trials.values() for each in trial.delivery.due], journeys)


async def _profile(plan: Plan, service: str, output: Path) -> None:
    cores = Cores.divided(available_cores())
    with temporary_folder() as folder:
        configuration = write_configuration(folder / "config")
        async with signalbox_up(folder / "signalbox", configuration, cores, (service, output)) as system:
            trial = await run_trial(system, Order("profiled", plan.tickets, None), cores)
    typer.echo(
        f"{output}: {trial.order.tickets} tickets, {microseconds_per_ticket(trial)} us a ticket, profiler included"
    )


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for data that PostgreSQL's own user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def progress(line: str) -> None:
    """Tell who waits what is being done."""
    Console(stderr=True).print(f"[dim]{line}[/dim]")
