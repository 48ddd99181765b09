"""Half-open spans [start, end) of whole numbers: minutes of a day and microseconds of history alike."""

from collections.abc import Iterable

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as sorted spans that neither overlap nor touch; empty and inverted spans vanish."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """What is left of merged `spans` when every hole is cut out."""
    left = list(spans)
    for hole_start, hole_end in merged(holes):
        cut = [((start, min(end, hole_start)), (max(start, hole_end), end)) for start, end in left]
        left = [part for parts in cut for part in parts if part[0] < part[1]]
    return left


def clipped(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """The part of `spans` that lies inside [start, end)."""
    inside = [(max(low, start), min(high, end)) for low, high in spans]
    return [span for span in inside if span[0] < span[1]]
