"""`signalbox run SERVICE`: what a container runs."""

import os
from cProfile import Profile
from typing import Annotated

import typer
import uvloop

from signalbox.services import SERVICES, build

PROFILE = "SIGNALBOX_PROFILE"
"""`<service>:<file>`: that service runs under cProfile and writes what it found when it stops."""

app = typer.Typer()


@app.command()
def run(service: Annotated[str, typer.Argument(help=" | ".join(SERVICES))]) -> None:
    """Run one service until SIGTERM; it is configured by SIGNALBOX_... variables."""
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(SERVICES)}")
    profiled, _, file = os.environ.get(PROFILE, "").partition(":")
    if profiled == service:
        _profiled(service, file)
    else:
        _run(service)


def _run(service: str) -> None:
    uvloop.run(build(service).run())


def _profiled(service: str, file: str) -> None:
    profile = Profile()
    try:
        profile.runcall(_run, service)
    finally:
        profile.dump_stats(file)
