"""The document as tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from signalbox.demo.expecting import Verdict

Row = Mapping[str, Any]


WIDEST = 40
SETTINGS = ("category", "priority", "queue", "required_skills", "optional_skills")


class Showing:
    """Shows the finished document on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def all(self, document: Mapping[str, Any], why: Sequence[str]) -> None:
        """Every table."""
        self._tickets(document["tickets"])
        self._why(document["decisions"], why)
        self._clocks(document["clock_facts"], document["clocks"])
        self._mails(document["mails_in"], document["mails_out"])
        self._report(document["weekly_report"])

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """What was expected, and whether it happened."""
        self._title("What had to happen")
        for verdict in verdicts:
            sign = "[green]yes[/green]" if verdict.holds else "[bold red]NO [/bold red]"
            self._console.print(f"  {sign} {escape(verdict.expectation.what)}", highlight=False)

    def _tickets(self, tickets: Sequence[Row]) -> None:
        names = ("reference", "subject", "email", "priority", "category", "status", "queue", "assignee")
        self._table("Tickets", names, ([row[name] for name in names] for row in tickets))

    def _why(self, decisions: Sequence[Row], examples: Sequence[str]) -> None:
        self._title("Why a ticket is where it is")
        for example in examples:
            for row in (row for row in decisions if row["example"] == example):
                to = row["assignee"] or "nobody yet"
                head = f"{example}, {row['at']}: queue {row['queue']}, {to}: {row['explanation']}"
                self._console.print(f"  {head}", style="bold", markup=False, highlight=False)
                self._detail("rules", row["fired"])
                self._detail("set", [f"{name} {row['set'][name]}" for name in SETTINGS if name in row["set"]])
                self._detail("candidates", _by_code(row["candidates"]))

    def _detail(self, name: str, values: Sequence[str]) -> None:
        if values:
            self._console.print(f"    {name:<11}{'; '.join(values)}", markup=False, highlight=False)

    def _clocks(self, facts: Sequence[Row], clocks: Sequence[Row]) -> None:
        told = [row for row in facts if row["what"] != "met"]
        names = ("at", "example", "what", "metric", "deadline")
        self._table("Warnings and breaches", names, ([row[name] for name in names] for row in told))
        states = Counter((row["metric"], row["state"]) for row in clocks)
        self._table("SLA clocks", ("metric", "state", "clocks"), ([*key, states[key]] for key in sorted(states)))

    def _mails(self, incoming: Sequence[Row], outgoing: Sequence[Row]) -> None:
        names = ("at", "from", "subject", "disposition", "ticket_of")
        self._table("Mails in", names, ([row[name] for name in names] for row in incoming))
        rows = ([row["to"], row["subject"], "by itself" if row["automatic"] else "by a person"] for row in outgoing)
        self._table("Mails out", ("to", "subject", "written"), rows)

    def _report(self, report: Row) -> None:
        self._title(f"Weekly report {report['period']}")
        tickets, sla, again = report["tickets"], report["sla"]["overall"], report["reopening"]
        lines = [
            f"{tickets['created']} tickets, {tickets['resolved']} resolved, {tickets['open_now']} open",
            f"SLA compliance {_share(sla['compliance'])} ({sla['met']} met, {sla['breached']} breached)",
            f"reopened {_share(again['rate'])} ({again['reopened']} of {again['resolved']} resolved)",
        ]
        for line in lines:
            self._console.print(f"  {line}", highlight=False)
        for row in report["first_response"]["by_priority"]:
            text = (
                f"first response, {row['priority'] or 'no priority'}: {_minutes(row['mean'])} on average ({row['n']})"
            )
            self._console.print(f"  {text}", highlight=False)
        volume = report["volume"]["by_category"]
        self._table("By category", ("category", "tickets"), ([row["key"] or "none", row["tickets"]] for row in volume))
        names = ("agent", "assigned", "replies", "resolved", "open_now")
        self._table("By agent", names, ([row[name] for name in names] for row in report["workload"]["agents"]))
        for text in report["highlights"]:
            self._console.print(f"  [yellow]{escape(text)}[/yellow]", highlight=False)

    def _table(self, title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self._title(title)
        table = Table(*(name.replace("_", " ") for name in names), box=None, padding=(0, 1))
        for row in rows:
            table.add_row(*(escape(_cell(value)) for value in row))
        self._console.print(table)

    def _title(self, text: str) -> None:
        self._console.print(f"\n[bold]{escape(text)}[/bold]")


def _by_code(candidates: Sequence[str]) -> list[str]:
    """`amira later_turn`, `ben later_turn` → `later_turn: amira, ben`."""
    found: dict[str, list[str]] = {}
    for candidate in candidates:
        agent, _, code = candidate.partition(" ")
        found.setdefault(code, []).append(agent)
    return [f"{code}: {', '.join(agents)}" for code, agents in found.items()]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _minutes(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 60:.0f} min"
