"""`signalbox reporting`: rebuild the numbers from the log."""

import json
import time
from typing import Annotated, Any
from uuid import uuid4

import httpx
import typer
from rich.console import Console

from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.failure import Failure

POLL_SECONDS = 0.3

app = typer.Typer(no_args_is_help=True)


@app.callback()
def reporting() -> None:
    """The numbers behind the reviews."""


@app.command()
def rebuild(
    data: Data = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of words.")] = False,
) -> None:
    """Count everything again from what the services said, compare, and put the new numbers in force.

    The numbers in force can be read meanwhile and stay current. When the rebuild fails they stay as they were.
    """
    with connect(data).client("reporting") as client:
        asked = ask(client, "POST", "/v1/rebuilds", headers={"Idempotency-Key": str(uuid4())}).json()
        done = _finished(client, asked["id"])
    if done["fault"]:
        raise Failure(f"rebuild {done['id']}: {done['fault']}")
    if as_json:
        typer.echo(json.dumps(done))
        return
    differing = done["differences"]
    outcome = "all numbers are as they were" if differing == 0 else f"{differing} numbers were not the same before"
    typer.echo(f"{done['facts']} facts counted again: {outcome}")


def _finished(client: httpx.Client, rebuild_id: int) -> dict[str, Any]:
    """Wait for the end; shows how many facts were counted where standard error is a terminal."""
    with Console(stderr=True).status("rebuilding") as status:
        while True:
            shown: dict[str, Any] = ask(client, "GET", f"/v1/rebuilds/{rebuild_id}").json()
            if shown["finished_at"]:
                return shown
            status.update(f"rebuilding: {shown['facts']} facts counted")
            time.sleep(POLL_SECONDS)
