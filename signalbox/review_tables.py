"""A review as tables in the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from signalbox.review_words import duration, interval, number, percent

MOST = 10
"""Rows of a table of categories or tags."""


def print_review(review: dict[str, Any]) -> None:
    """To standard output; what is beyond a limit is red."""
    console = Console()
    tickets = review["tickets"]
    state = "" if review["complete"] else ", not over yet"
    console.print(f"{review['grain'].title()} {review['period']}{state}", style="bold")
    counts = (tickets[name] for name in ("created", "resolved", "reopened", "open_now"))
    console.print("{} created, {} resolved, {} reopened; {} open now".format(*counts))
    for words in review["highlights"]:
        console.print(Text(f"! {words}", style="red"))
    for table in tables(review):
        if table.row_count:
            console.print(table)


def tables(review: dict[str, Any]) -> list[Table]:
    """Every table of a review."""
    return [
        _states(review["tickets"]),
        _durations("First response", review["first_response"]),
        _durations("Resolution", review["resolution"]),
        _sla(review["sla"]),
        _reopening(review["reopening"]),
        _volume("Volume by category", review["volume"]["by_category"], "without category"),
        _volume("Volume by tag (each in full)", review["volume"]["by_tag"], "untagged"),
        _workload(review["workload"]),
        _outliers(review["outliers"]),
        _trend(review["trend"]),
    ]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return table


def _marked(text: str, highlighted: bool) -> Text:
    return Text(text, style="red" if highlighted else "")


def _states(tickets: dict[str, Any]) -> Table:
    rows = [(row["status"], row["category"], row["tickets"]) for row in tickets["by_state"]]
    return _table("Tickets by state", ("status", "category", "tickets"), rows)


def _durations(title: str, table: dict[str, Any]) -> Table:
    rows = [
        (name, row["n"], *(duration(row[column]) for column in ("mean", "p50", "p90", "p95")))
        for name, row in (
            *((row["priority"] or "no priority", row) for row in table["by_priority"]),
            ("all", table["overall"]),
        )
        if row["n"]
    ]
    return _table(title, ("priority", "n", "mean", "p50", "p90", "p95"), rows)


def _sla(sla: dict[str, Any]) -> Table:
    rows = [
        (
            f"{row['metric'] or 'all'} {row['priority'] or ''}".strip(),
            row["met"],
            row["breached"],
            _marked(percent(row["compliance"]), row["highlighted"]),
            interval(row["certainty"]),
        )
        for row in (*sla["by_metric_and_priority"], sla["overall"])
        if row["compliance"] is not None
    ]
    return _table("SLA compliance", ("clock", "met", "breached", "compliance", "95 % sure"), rows)


def _reopening(reopening: dict[str, Any]) -> Table:
    rate = _marked(percent(reopening["rate"]), reopening["highlighted"])
    row = (reopening["resolved"], reopening["reopened"], rate, interval(reopening["certainty"]))
    title = "Reopened within 7 days" + ("" if reopening["matured"] else " (may still rise)")
    return _table(title, ("resolved", "reopened", "rate", "95 % sure"), [row] if reopening["resolved"] else [])


def _volume(title: str, slices: list[dict[str, Any]], nothing: str) -> Table:
    rows = [(row["key"] or nothing, row["tickets"], percent(row["share"])) for row in slices[:MOST]]
    return _table(title, ("", "tickets", "share"), rows)


def _workload(workload: dict[str, Any]) -> Table:
    spread = workload["open_now"]
    title = f"Workload (Jain {number(spread['jain'])}, greatest to median {number(spread['greatest_to_median'])})"
    columns = ("open_now", "assigned", "replies", "resolved")
    rows = [(row["name"] or row["agent"], *(row[name] for name in columns)) for row in workload["agents"]]
    return _table(title, ("agent", "open now", "assigned", "replies", "resolved"), rows)


def _outliers(outliers: list[dict[str, Any]]) -> Table:
    rows = [(row["ticket"], row["priority"] or "", duration(row["seconds"])) for row in outliers]
    return _table("Took far longer than others", ("ticket", "priority", "resolution"), rows)


def _trend(trend: list[dict[str, Any]]) -> Table:
    rows = [
        (
            row["period"],
            row["created"],
            row["resolved"],
            percent(row["compliance"]),
            percent(row["reopen_rate"]),
            duration(row["first_response_p50"]),
        )
        for row in trend
        if row["created"] or row["resolved"]
    ]
    return _table("Before", ("period", "created", "resolved", "SLA", "reopened", "first response p50"), rows)
