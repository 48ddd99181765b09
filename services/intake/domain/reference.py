"""The short number that people quote: a count and a check digit (decisions 28, behaviour H-7)."""

# a quasigroup of order 10 without a x = a: it finds every wrong digit and every swap of neighbours (Damm)
DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def reference(number: int) -> str:
    """The reference of the ticket with this number of the sequence, e.g. `10019` for 1001."""
    digits = str(number)
    return f"{digits}{_check(digits)}"


def is_reference(text: str) -> bool:
    """Whether this can be a reference: digits whose last one checks the others."""
    return text.isascii() and text.isdigit() and len(text) > 1 and _check(text) == 0


def _check(digits: str) -> int:
    state = 0
    for digit in digits:
        state = DAMM[state][int(digit)]
    return state
