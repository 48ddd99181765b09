"""The demo as a user runs it: a day of support from `examples/`, told by what the APIs say, and nothing left behind."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import open_folder

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SUBJECT = "Where is my parcel? Order LL-48213"
MARK = "SIGNALBOX_TEST_DEMO"


@dataclass(frozen=True)
class Run:
    """One run of the command. left: the processes that it has left behind."""

    code: int
    out: str
    err: str
    left: list[str]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def demo(folder: Path, *arguments: str) -> Run:
    """Run `signalbox demo` with a place of its own for what it keeps."""
    folder.mkdir()
    folder.chmod(0o711)
    mark = f"{os.getpid()}-{folder.name}"
    done = subprocess.run(
        [sys.executable, "-m", "signalbox", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), MARK: mark},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    left = list(_marked(f"{MARK}={mark}"))
    return Run(done.returncode, done.stdout, done.stderr, left)


def _marked(mark: str) -> Iterator[str]:
    """Processes that inherited the mark, whoever is their parent by now."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                yield f"{process.name} {(process / 'cmdline').read_bytes()!r}"
        except OSError:
            continue


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Where the runs keep their files."""
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def told(place: Path) -> Run:
    """The demo as it ships."""
    return demo(place / "told")


@pytest.fixture(scope="module")
def changed(place: Path) -> Run:
    """The demo with other examples: one subject, one rule of the day's own, and one expectation that cannot hold."""
    examples = place / "examples"
    shutil.copytree(EXAMPLES, examples)
    mail = examples / "mails" / "parcel.eml"
    mail.write_text(mail.read_text().replace(SUBJECT, "Invoice for LL-48213 was never sent"))
    day = examples / "day.yaml"
    day.write_text(day.read_text() + "  - {what: the moon was seen, in: tickets, where: {subject: moon}}\n")
    return demo(place / "changed", "--json", "--examples", str(examples))


def test_the_demo_ends_well_and_shows_the_day(told: Run) -> None:
    assert told.code == 0, told.err
    for text in (
        SUBJECT,
        "注文 LL-48311",
        "Why a ticket is where it is",
        "later_turn",
        "80 % of the time for the first response is over",
        "BREACH",
        "the fallback",
        "Weekly report 2026-W38",
        "SLA compliance",
    ):
        assert text in told.out
    assert " NO " not in told.out


def test_the_demo_leaves_no_process_and_no_folder(told: Run, changed: Run, place: Path) -> None:
    assert told.left == []
    assert changed.left == []
    assert [path.name for name in ("told", "changed") for path in (place / name).iterdir()] == []


def test_what_the_demo_shows_follows_from_its_examples(told: Run, changed: Run) -> None:
    (ticket,) = [ticket for ticket in changed.document["tickets"] if ticket["example"] == "parcel"]
    assert ticket["subject"] == "Invoice for LL-48213 was never sent"
    assert (ticket["category"], ticket["queue"]) == ("billing", "billing")
    assert "never sent" not in told.out


def test_the_demo_fails_and_names_what_did_not_happen(changed: Run) -> None:
    assert changed.code == 1
    assert "the moon was seen (found 0)" in changed.err
    assert len(changed.err.splitlines()) == 1
    missing = [each["what"] for each in changed.document["expectations"] if not each["holds"]]
    assert missing == ["the moon was seen"]


def test_decisions_14_the_demo_takes_at_most_600_ticks(changed: Run) -> None:
    assert changed.document["ticks"] <= 600


def test_L1_the_clocks_of_the_day_add_up_to_the_report(changed: Run) -> None:
    """The weekly review counts exactly the verdicts that sla said."""
    report = changed.document["weekly_report"]
    verdicts = [fact["what"] for fact in changed.document["clock_facts"] if fact["what"] != "warned"]
    overall = report["sla"]["overall"]
    assert report["tickets"]["created"] == len(changed.document["tickets"])
    assert overall["breached"] == verdicts.count("breached") > 0
    assert overall["met"] + overall["breached"] <= len(verdicts)


def test_a_day_that_cannot_be_played_is_refused_before_anything_starts(place: Path) -> None:
    examples = place / "broken"
    shutil.copytree(EXAMPLES, examples)
    (examples / "mails" / "parcel.eml").unlink()
    run = demo(place / "refused", "--examples", str(examples))
    assert (run.code, run.out) == (1, "")
    assert "parcel.eml: there is no such example" in run.err
