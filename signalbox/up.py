"""`signalbox up`: the embedded stack in the foreground, or detached."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.chassis.logs import configure_logs
from libs.embedded.data_folder import DataFolder
from signalbox.connection import DEFAULT_FOLDER, Data
from signalbox.failure import Failure
from signalbox.stack.stack import Stack, StackOptions

DETACH_SECONDS = 90.0
READY = "ready; Ctrl-C stops"
CONFIGURATION = Path(__file__).parents[1] / "config"

app = typer.Typer()


@app.command()
def up(
    data: Data = DEFAULT_FOLDER,
    port: Annotated[int | None, typer.Option(help="Port of intake's API; the other services follow.")] = None,
    smtp_port: Annotated[int | None, typer.Option(help="Port of intake's SMTP door.")] = None,
    simulated: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="Simulated time begins here.")
    ] = None,
    shards: Annotated[int, typer.Option(help="1, 2, 4, 8 or 16.")] = 1,
    replicas: Annotated[int, typer.Option(min=1, max=8, help="Processes of each service.")] = 1,
    configuration: Annotated[Path, typer.Option("--config", help="Configuration folder.")] = CONFIGURATION,
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything is ready.")] = False,
) -> None:
    """Start nats-server, PostgreSQL and the five services from this folder's data; Ctrl-C stops them in order."""
    if detach:
        _detached(data)
        return
    options = StackOptions(
        configuration, http_port=port, smtp_port=smtp_port, start=simulated, shards=shards, replicas=replicas
    )
    configure_logs("stack", "warning", "console", sys.stderr)
    asyncio.run(_serve(data, options))


async def _serve(data: Path, options: StackOptions) -> None:
    console = Console(stderr=True)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with Stack.up(data, options, report=lambda line: console.print(f"[dim]{line}[/dim]")) as stack:
        for name, url in stack.urls.items():
            console.print(f"{name:<10} {url}/docs")
        console.print(f"{'mail in':<10} smtp://127.0.0.1:{stack.smtp_port}   mail out: signalbox mail outbox")
        console.print(READY)
        keeping = asyncio.ensure_future(stack.keep(stopping))
        await stopping.wait()
        await keeping


def _detached(data: Path) -> None:
    """Start this same command in the background and wait until it has written down what runs."""
    folder = DataFolder(data)
    arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "signalbox", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=dict(os.environ),
        )
    deadline = time.monotonic() + DETACH_SECONDS
    while READY not in _said(data):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"the stack did not come up:\n{_said(data)}")
        time.sleep(0.1)
    typer.echo(f"up in {folder.path} (pid {process.pid}); `signalbox down` stops it")


def _said(data: Path) -> str:
    """The end of what the detached process printed."""
    return (data / "up.log").read_text(errors="replace")[-2000:]
