"""Shares with what is known of their certainty, and how evenly work is spread."""

from collections.abc import Sequence
from math import sqrt
from statistics import median

Z95 = 1.959964
"""Standard deviations that hold 95 % of a normal distribution."""


def share(part: int, whole: int) -> float | None:
    """0 to 1; None of nothing."""
    return part / whole if whole > 0 else None


def wilson(part: int, whole: int) -> tuple[float, float] | None:
    """The 95 % interval of a share by Wilson, which stays within 0 to 1 and honest for small numbers; None of none."""
    if whole <= 0:
        return None
    p, square = part / whole, Z95 * Z95
    scale = 1 + square / whole
    middle = (p + square / (2 * whole)) / scale
    half = Z95 * sqrt(p * (1 - p) / whole + square / (4 * whole * whole)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def jain(loads: Sequence[float]) -> float | None:
    """Jain's index of fairness: 1 when all carry the same, 1/n when one carries all; None where nobody carries."""
    squares = sum(load * load for load in loads)
    return sum(loads) ** 2 / (len(loads) * squares) if squares else None


def greatest_to_median(loads: Sequence[float]) -> float | None:
    """The greatest load as a multiple of the median one: Jain forgives a single agent with twice the load. None
    without a median above 0."""
    middle = median(loads) if loads else 0
    return max(loads) / middle if middle else None
