"""`signalbox events`: the contracts, written out, and a check of what somebody wants to publish."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.contracts import schema_files
from libs.contracts.asyncapi import asyncapi as asyncapi_document
from libs.contracts.conformance import Fault, faults, structured_events
from libs.contracts.event_table import event_table
from signalbox.applications import documents
from signalbox.services import installed

FAILED = 1
WRONG_USE = 2
OPENAPI = Path(__file__).resolve().parents[1] / "docs" / "openapi"

app = typer.Typer(no_args_is_help=True)

OutputFile = Annotated[Path | None, typer.Argument(dir_okay=False, help="Where to; else standard output.")]


@app.callback()
def events() -> None:
    """What is said on NATS: schemas, AsyncAPI, conformance."""


@app.command()
def schemas(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", file_okay=False)] = schema_files.SCHEMAS,
    release: Annotated[bool, typer.Option("--release", help="Promise them: add snapshots to DIR/released.")] = False,
) -> None:
    """Write the JSON Schema of every event into DIR (default: where they are kept) and say how many."""
    typer.echo(f"{len(schema_files.write_schemas(folder))} schemas in {folder}")
    if release:
        for path in schema_files.release(folder / "released"):
            typer.echo(f"released {path.relative_to(folder)}")


@app.command()
def asyncapi(file: OutputFile = None) -> None:
    """Write the AsyncAPI 3.0 document of all events, with who says and who hears them."""
    _write(schema_files.written(asyncapi_document(installed())), file)


@app.command()
def openapi(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", file_okay=False)] = OPENAPI,
) -> None:
    """Write the OpenAPI document of every service into DIR (default: where they are kept)."""
    folder.mkdir(parents=True, exist_ok=True)
    for service, document in documents().items():
        (folder / f"{service}.json").write_text(schema_files.written(document), encoding="utf-8")
        typer.echo(f"{folder / service}.json")


@app.command()
def catalogue(file: OutputFile = None) -> None:
    """Write the catalogue of events as a Markdown page."""
    _write(event_table(installed()), file)


@app.command()
def validate(
    file: Annotated[str, typer.Argument(help="CloudEvents as JSON: one, an array, or JSON lines; - reads stdin.")],
    strict: Annotated[bool, typer.Option("--strict", help="Refuse fields that no reader knows.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check events before they are published: every fault with its JSON pointer and reason; exit 1 if there is one."""
    documents = _events(file)
    found = faults(documents, strict=strict)
    if as_json:
        typer.echo(json.dumps({"events": len(documents), "faults": [asdict(fault) for fault in found]}))
    else:
        _report(found, len(documents))
    if found:
        raise typer.Exit(FAILED)


def _report(found: list[Fault], events: int) -> None:
    for fault in found:
        typer.echo(f"error: {fault}", err=True)
    if not found:
        typer.echo(f"{events} events are valid")


def _events(file: str) -> list[Any]:
    try:
        document = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        typer.echo(f"error: {file}: {error.strerror}", err=True)
        raise typer.Exit(WRONG_USE) from None
    try:
        return structured_events(document)
    except ValueError as error:
        typer.echo(f"error: {file}: not JSON: {error}", err=True)
        raise typer.Exit(FAILED) from None


def _write(text: str, file: Path | None) -> None:
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
