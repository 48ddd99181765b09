"""`signalbox spool DIR`: the embedded stack's mail server on its own, for a deployment without one."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from signalbox.spool import Spool

app = typer.Typer()


@app.command()
def spool(
    folder: Annotated[Path, typer.Argument(help="Each mail becomes a file in it.")],
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 2525,
) -> None:
    """Take mails and deliver none, until SIGTERM."""
    asyncio.run(_serve(Spool(folder, host, port)))


async def _serve(server: Spool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await server.start()
    typer.echo(f"mails to {server.url} are kept in {server.folder}")
    await stopping.wait()
    await server.stop()
