"""`signalbox rules`: check the routing rules, and ask them about tickets."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.chassis.clock import WallClock
from libs.conditions import relative_time
from libs.conditions.marked_yaml import ConfigurationError
from libs.conditions.reading import Context, FactError
from services.router.engine import RuleEngine
from services.router.network import EngineBroken
from services.router.rule_file import FILE, load_rules
from services.router.rules import RoutingRules

FAILED = 1
WRONG_USE = 2

app = typer.Typer(no_args_is_help=True)


@app.callback()
def rules() -> None:
    """Routing rules: check them, ask them."""


@app.command()
def check(
    directory: Annotated[Path, typer.Argument(help=f"Configuration directory with {FILE}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Validate the rules and compile them. Every problem is one line: file:line where - reason; allowed: ..."""
    _needs_directory(directory)
    try:
        found = load_rules(directory)
        RuleEngine(found).close()
    except (ConfigurationError, EngineBroken) as refused:
        if as_json:
            typer.echo(json.dumps({"ok": False, "problems": str(refused).splitlines()}))
        else:
            typer.echo(refused, err=True)
        raise typer.Exit(FAILED) from None
    counts = {"triage": len(found.triage), "assignment": len(found.assignment), "version": found.fingerprint}
    if as_json:
        typer.echo(json.dumps({"ok": True, **counts, "problems": []}))
    else:
        typer.echo(f"{directory / FILE}: {counts['triage']} triage and {counts['assignment']} assignment rules, valid")


@app.command()
def decide(
    file: Annotated[str, typer.Argument(help="JSON lines of ticket fields, with `now`; - reads standard input.")],
    config: Annotated[Path, typer.Option(help=f"Configuration directory with {FILE}.")] = Path("config"),
) -> None:
    """Decide every ticket with the rule engine: one JSON line with fired, set, set_by and overridden for each.

    A field `kept` lists the fields that a person set. `id` is repeated. Without `now` a ticket is decided as of now.
    """
    engine = RuleEngine(_loaded(config))
    failed = False
    for number, line in _lines(file):
        try:
            typer.echo(json.dumps(_decided(engine, line)))
        except (FactError, ValueError) as refused:
            failed = True
            typer.echo(f"{file}:{number} {refused}", err=True)
    engine.close()
    raise typer.Exit(FAILED if failed else 0)


def _needs_directory(directory: Path) -> None:
    if not directory.is_dir():
        typer.echo(f"{directory}: is no directory", err=True)
        raise typer.Exit(WRONG_USE)


def _loaded(directory: Path) -> RoutingRules:
    _needs_directory(directory)
    try:
        return load_rules(directory)
    except ConfigurationError as refused:
        typer.echo(refused, err=True)
        raise typer.Exit(FAILED) from None


def _lines(file: str) -> Iterator[tuple[int, str]]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        typer.echo(f"{file}: cannot be read: {unreadable}", err=True)
        raise typer.Exit(WRONG_USE) from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _decided(engine: RuleEngine, line: str) -> dict[str, Any]:
    facts = json.loads(line)
    if not isinstance(facts, dict):
        raise ValueError("a ticket is one JSON object a line")
    now = facts.get("now")
    moment = WallClock().now() if now is None else relative_time.instant(now)
    if moment is None:
        raise ValueError(f"now: {now!r} is no timestamp with its offset")
    kept = facts.get("kept", [])
    if not isinstance(kept, list) or not all(isinstance(key, str) for key in kept):
        raise ValueError("kept: must be a list of field names")
    decision = engine.decide(facts, Context(now=moment), frozenset(kept)).plain()
    return {"id": facts["id"], **decision} if "id" in facts else decision
