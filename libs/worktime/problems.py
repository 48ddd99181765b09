"""What is wrong with something that was written, in one line."""

from pydantic import ValidationError


def first_problem(error: ValidationError, prefix: str = "") -> str:
    """The first problem as `field.path: reason`, the path below `prefix`."""
    problem = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(step) for step in (prefix, *problem["loc"]) if step not in ("", "[key]"))
    reason = problem["msg"].removeprefix("Value error, ")
    return " ".join(f"{path or 'schedule'}: {reason}".split())
