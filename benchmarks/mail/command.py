"""`signalbox bench mail`: mails by SMTP and by import, everything sent twice."""

import asyncio
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml

from benchmarks.generated_mails import Generated, generated
from benchmarks.mail.figures import Figures, mails_per_second, met, microseconds_per_mail, printed
from benchmarks.mail.journeys import account, read_outcome
from benchmarks.mail.order import CONNECTIONS
from benchmarks.mail.trial import MAILBOX, Trial, run_trial, send_again
from benchmarks.pipeline.command import progress, temporary_folder
from benchmarks.pipeline.configuration import write_configuration
from benchmarks.pipeline.figures import Spread
from benchmarks.pipeline.machine import Cores, available_cores
from benchmarks.pipeline.remarks import remarks
from benchmarks.pipeline.stack import signalbox_up
from benchmarks.pipeline.system import SERVICES, System
from benchmarks.pipeline.wait import until_at_rest
from libs.chassis.logs import configure_logs

UNLIMITED = {"tickets": 1_000_000, "minutes": 1}

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Plan:
    """How many mails by each door."""

    warm_up: int
    mails: int


FULL, QUICK = Plan(500, 8_000), Plan(300, 2_000)


@app.command()
def mail(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the mails, for a first look.")] = False,
    mails: Annotated[int | None, typer.Option(min=100, help="Mails by each door.")] = None,
    profile: Annotated[
        str | None, typer.Option(help=f"Profile one of {', '.join(SERVICES)} under SMTP; nothing else runs.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the profile goes.")] = Path("signalbox.prof"),
) -> None:
    """Throughput, CPU and latency of mails by SMTP on 4 connections and by import, until their tickets are routed and
    timed. Then every mail comes again by the other door: nothing lost, nothing twice.

    Exit code 1 when a mail was lost or duplicated. Figures of a machine that does other work meanwhile are worthless.
    """
    if profile is not None and profile not in SERVICES:
        raise typer.BadParameter(f"{profile!r} is none of {', '.join(SERVICES)}", param_hint="--profile")
    configure_logs("bench", "warning", "console", sys.stderr)
    plan = QUICK if quick else FULL
    if mails is not None:
        plan = replace(plan, mails=mails)
    if profile is not None:
        asyncio.run(_profile(plan, profile, output.resolve()))
        return
    figures = asyncio.run(_figures(plan))
    typer.echo(json.dumps(asdict(figures)) if as_json else printed(figures))
    if figures.lost or figures.duplicated:
        raise typer.Exit(1)


async def _figures(plan: Plan) -> Figures:
    cores = Cores.divided(available_cores())
    progress(f"writing {2 * plan.mails} mails")
    warm_up, by_smtp, by_import = _mails(plan.warm_up, "w"), _mails(plan.mails, "s"), _mails(plan.mails, "i")
    with temporary_folder() as folder:
        configuration = _configuration(folder / "config")
        async with signalbox_up(folder / "signalbox", configuration, cores) as system:
            await run_trial(system, warm_up, "smtp", cores)
            await until_at_rest(system.intake)
            progress(f"{plan.mails} mails by SMTP on {CONNECTIONS} connections")
            smtp = await run_trial(system, by_smtp, "smtp", cores)
            await until_at_rest(system.intake)
            progress(f"{plan.mails} mails by import")
            imported = await run_trial(system, by_import, "import", cores)
            progress("all of them again, each by the other door")
            await send_again(system, [*warm_up, *by_smtp], "import", cores)
            await send_again(system, by_import, "smtp", cores)
            await _until_settled(system)
            progress("reading what became of them")
            outcome = await read_outcome(system)
    balance = account([*warm_up, *by_smtp, *by_import], outcome)
    figures = Figures(
        mails_per_s=mails_per_second(smtp, outcome),
        import_mails_per_s=mails_per_second(imported, outcome),
        cpu_us_per_mail=microseconds_per_mail(smtp),
        import_cpu_us_per_mail=microseconds_per_mail(imported),
        latency_250_ms=Spread.of(smtp.delivery.answered),
        lost=balance.lost,
        duplicated=balance.duplicated,
        ledger=outcome.ledger,
        machine=_machine(cores, smtp),
        notes=remarks(cores, {"SMTP": smtp, "import": imported}),
    )
    return replace(figures, met=met(figures))


def _machine(cores: Cores, trial: Trial) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "system_on": cores.system,
        "load_on": cores.load,
        "round_ns": trial.round_ns,
    }


def _mails(count: int, seed: str) -> list[Generated]:
    return generated(count, seed, MAILBOX)


def _configuration(folder: Path) -> Path:
    """That of the other benchmark; nobody is held back for writing much."""
    write_configuration(folder)
    file = folder / "mail.yaml"
    written: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    written["inbound"]["sender_limit"] = UNLIMITED
    written["acknowledgment"]["per_domain_and_hour"] = None
    file.write_text(yaml.safe_dump(written, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


async def _until_settled(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.intake, headers={"Authorization": f"Bearer {system.token}"}) as client:
        answer = await client.get("/v1/mail/settled", params={"wait": "300"}, timeout=310)
        answer.raise_for_status()


async def _profile(plan: Plan, service: str, output: Path) -> None:
    cores, mails = Cores.divided(available_cores()), _mails(plan.mails, "p")
    with temporary_folder() as folder:
        configuration = _configuration(folder / "config")
        async with signalbox_up(folder / "signalbox", configuration, cores, (service, output)) as system:
            trial = await run_trial(system, mails, "smtp", cores)
    typer.echo(f"{output}: {len(mails)} mails, {microseconds_per_mail(trial)} us a mail, profiler included")
