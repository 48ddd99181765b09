"""`signalbox report`: the weekly, monthly and quarterly review."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.failure import Failure

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of tables.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page to this file instead.")]


@app.callback()
def report() -> None:
    """The reviews: what came in, how fast it was answered, what was promised and kept."""


@app.command()
def weekly(
    week: Annotated[str | None, typer.Option(help="ISO week, e.g. 2026-W12; the present one if left out.")] = None,
    data: Data = DEFAULT_FOLDER,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """One week, beside the four before."""
    _show("weekly", {"week": week}, data, as_json, html)


@app.command()
def monthly(
    month: Annotated[str | None, typer.Option(help="E.g. 2026-03; the present one if left out.")] = None,
    data: Data = DEFAULT_FOLDER,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """One month, beside the four before."""
    _show("monthly", {"month": month}, data, as_json, html)


@app.command()
def quarterly(
    quarter: Annotated[str | None, typer.Option(help="E.g. 2026-Q1; the present one if left out.")] = None,
    data: Data = DEFAULT_FOLDER,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """One quarter, beside the four before."""
    _show("quarterly", {"quarter": quarter}, data, as_json, html)


def _show(name: str, period: dict[str, str | None], data: Path, as_json: bool, html: Path | None) -> None:
    given = {key: value for key, value in period.items() if value is not None}
    with connect(data).client("reporting") as client:
        review: dict[str, Any] = ask(client, "GET", f"/v1/reports/{name}", params=given).json()
    if html is not None:
        _write(html, review)
    if as_json:
        typer.echo(json.dumps(review, ensure_ascii=False))
    elif html is None:
        from signalbox.review_tables import print_review

        print_review(review)


def _write(path: Path, review: dict[str, Any]) -> None:
    from signalbox.review_page import page

    try:
        path.write_text(page(review), encoding="utf-8")
    except OSError as fault:
        raise Failure(f"{path}: {fault.strerror}") from None
