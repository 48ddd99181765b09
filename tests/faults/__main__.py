"""`python -m tests.faults --kills 100`: the campaign of `test_kills`, for hours if need be."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from libs.chassis.logs import configure_logs
from tests.faults.harness.campaign import campaign
from tests.faults.harness.load import Rates
from tests.faults.harness.rig import running_rig


def soak(
    kills: Annotated[int, typer.Option(help="Of each part: five services, broker and database.")] = 100,
    chats: Annotated[float, typer.Option(help="Conversations that begin in a second.")] = 4.0,
    mails: Annotated[float, typer.Option(help="Mails in a second.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Decides the order.")] = 1,
    reports: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("fault-reports"),
) -> None:
    """Kill everything so many times under load; exit code 1 if anything was lost, done twice or left behind."""
    configure_logs("faults", "error", "console")
    found = asyncio.run(_soak(kills, Rates(chats, mails), seed, reports))
    raise typer.Exit(1 if found else 0)


async def _soak(kills: int, rates: Rates, seed: int, reports: Path) -> bool:
    async with running_rig() as rig:
        report = await campaign(rig, kills, rates, seed)
        report.publish(reports)
    return bool(report.findings.bad)


if __name__ == "__main__":
    typer.run(soak)
