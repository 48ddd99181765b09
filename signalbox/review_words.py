"""How a review's numbers are written for people."""


def duration(seconds: float | None) -> str:
    """In the two greatest units: 45 s, 12 min 5 s, 3 h 20 min, 2 d 4 h; an en dash for nothing."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    for size, unit, smaller, smaller_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit} {rest} {smaller_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def percent(share: float | None) -> str:
    """One decimal; an en dash for nothing."""
    return "–" if share is None else f"{share:.1%}"


def number(value: float | None) -> str:
    """Two decimals; an en dash for nothing."""
    return "–" if value is None else f"{value:.2f}"


def interval(certainty: dict[str, float] | None) -> str:
    """The 95 % interval of a share."""
    return "" if certainty is None else f"{percent(certainty['low'])} to {percent(certainty['high'])}"
