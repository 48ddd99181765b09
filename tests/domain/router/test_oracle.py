"""The rule engine and the plain evaluator decide alike, on random rules and random tickets.

SIGNALBOX_ORACLE_FILES and SIGNALBOX_ORACLE_TICKETS (for each file) make it longer.
"""

import os

from benchmarks.rule_oracle import compare

FILES = int(os.environ.get("SIGNALBOX_ORACLE_FILES", "100"))
TICKETS = int(os.environ.get("SIGNALBOX_ORACLE_TICKETS", "100"))


def test_no_difference_between_the_engine_and_the_evaluator() -> None:
    tally, different = compare(FILES, TICKETS, seed=2026)
    assert different == []
    assert tally.by_reference == 0
    assert tally.tickets == FILES * TICKETS
    assert tally.firings > tally.tickets  # else the tickets never met the rules
