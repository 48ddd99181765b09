"""Test data that other people wrote. It is not shipped: a checkout may have it beside itself, in ../shared/data."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ROOT.parent / "shared" / "data"


def outside(relative: str) -> Path:
    """The path of that data. Skips the test, naming the folder that is missing, when it is not there."""
    path = OUTSIDE / relative
    if not path.exists():
        pytest.skip(f"OUTSIDE DATA MISSING: {relative} is not in {OUTSIDE}; nothing was checked against it")
    return path
