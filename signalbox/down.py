"""`signalbox down`: stop the stack of a folder."""

import json
import os
import signal
import time

import typer

from libs.embedded.data_folder import DataFolder
from signalbox.connection import DEFAULT_FOLDER, Data
from signalbox.failure import Failure

PATIENCE_SECONDS = 30.0

app = typer.Typer()


@app.command()
def down(data: Data = DEFAULT_FOLDER) -> None:
    """Ask the stack to stop and wait until its folder is free."""
    folder = DataFolder(data)
    if not folder.stack.exists():
        typer.echo(f"nothing runs in {folder.path}")
        return
    pid = json.loads(folder.stack.read_text())["pid"]
    if not folder.lock.is_taken():
        folder.stack.unlink()
        typer.echo(f"nothing runs in {folder.path}; an earlier stack did not stop in order")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while folder.lock.is_taken():
        if time.monotonic() > deadline:
            raise Failure(f"process {pid} does not stop; its log is {folder.path / 'up.log'}")
        time.sleep(0.1)
    typer.echo("stopped")
