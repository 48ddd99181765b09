"""`signalbox worktime`: business time from the command line."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from libs.worktime.cases import CaseError, answers

FAILED = 1
WRONG_USE = 2

app = typer.Typer(no_args_is_help=True)


@app.callback()
def worktime() -> None:
    """Business time: deadlines and working seconds of a calendar."""


@app.command()
def compute(
    file: Annotated[str, typer.Argument(help="A JSON array or JSON lines of cases; - reads standard input.")],
) -> None:
    """Answer every case with one JSON line: {"id", "due"} or {"id", "seconds"}.

    A case that cannot be answered is named on standard error, the others are answered, and the exit code is 1.
    """
    failed = False
    for answer in answers(_read(file)):
        if isinstance(answer, CaseError):
            failed = True
            typer.echo(f"error: {answer}", err=True)
        else:
            typer.echo(json.dumps(answer, ensure_ascii=False))
    if failed:
        raise typer.Exit(FAILED)


def _read(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        typer.echo(f"error: {file}: {error.strerror}", err=True)
        raise typer.Exit(WRONG_USE) from error
    except UnicodeDecodeError as error:
        typer.echo(f"error: {file}: not UTF-8: {error.reason}", err=True)
        raise typer.Exit(FAILED) from error
