"""`signalbox demo`."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from libs.chassis.logs import configure_logs
from signalbox.demo.day import Day, read_day
from signalbox.demo.expecting import Verdict, judge
from signalbox.demo.performance import Performance
from signalbox.demo.showing import Showing
from signalbox.demo.stage import set_up
from signalbox.failure import Failure

ROOT = Path(__file__).parents[2]
MOST_TICKS = 600
WIDTH = 140

app = typer.Typer()


@app.command()
def demo(
    examples: Annotated[Path, typer.Option(help="Folder with day.yaml, mails/ and chats/.")] = ROOT / "examples",
    configuration: Annotated[Path, typer.Option("--config", help="Configuration folder.")] = ROOT / "config",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of the story.")] = False,
) -> None:
    """Play a day of support in seconds, on real servers and simulated time, and show what came of it.

    Everything runs in a folder of its own, which is gone afterwards. Exit code 1 names what did not happen.
    """
    configure_logs("demo", "error", "console", sys.stderr)
    began = time.monotonic()
    day = read_day(examples)
    console = Console(quiet=as_json, width=None if sys.stdout.isatty() else WIDTH)
    document = asyncio.run(_perform(day, examples, configuration, console))
    verdicts = judge(day.expect, document)
    document |= {"expectations": _plain(verdicts), "seconds": round(time.monotonic() - began, 1)}
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        showing = Showing(console)
        showing.all(document, day.why)
        showing.verdicts(verdicts)
        console.print(f"\n{document['ticks']} ticks of simulated time in {document['seconds']} s", highlight=False)
    _complain(verdicts, document["ticks"])


async def _perform(day: Day, examples: Path, configuration: Path, console: Console) -> dict[str, Any]:
    async with set_up(configuration, day.begins, lambda line: console.print(line, style="dim")) as stage:
        document = await Performance(day, examples, stage, console).play()
        return document | {"ticks": stage.driver.ticks}


def _plain(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    return [{"what": each.expectation.what, "found": each.found, "holds": each.holds} for each in verdicts]


def _complain(verdicts: Sequence[Verdict], ticks: int) -> None:
    """Failure naming what did not happen."""
    missing = [f"{each.expectation.what} (found {each.found})" for each in verdicts if not each.holds]
    if ticks > MOST_TICKS:
        missing.append(f"at most {MOST_TICKS} ticks (took {ticks})")
    if missing:
        raise Failure(f"did not happen: {'; '.join(missing)}")
