"""What is wrong with a condition that a person wrote: where, which field, why, and what would be right."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal. `path` leads to the offending value; `field` and `allowed` are empty where nothing applies."""

    path: Path
    reason: str
    field: str = ""
    allowed: str = ""

    @property
    def where(self) -> str:
        """The path as people write it: `when.all[0].operator`."""
        return written(self.path)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.path else ""
        about = f"{self.field} - " if self.field else ""
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{place}{about}{self.reason}{allowed}"


class ConditionError(ValueError):
    """A condition was refused; `problems` holds every reason, in the order of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def written(path: Path) -> str:
    """A path as text: names joined by dots, positions in brackets."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def problems_of(error: ValidationError) -> list[Problem]:
    """The refusals inside a pydantic error of any model that holds conditions."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails) -> Problem:
    context = detail.get("ctx", {})
    path = (*(step for step in detail["loc"] if not _is_tag(step)), *context.get("within", ()))
    match detail["type"]:
        case "extra_forbidden":
            return Problem(path, "is not known here")
        case "missing":
            return Problem(path, "is missing")
        case "too_short":
            return Problem(path, "is empty", allowed="at least one entry")
        case "model_type" | "model_attributes_type" if "<leaf>" in detail["loc"]:
            return Problem(path, "is no condition", allowed="a mapping with all, any, not, or field and operator")
        case "literal_error":
            return Problem(path, f"{detail['input']!r} is not one of the choices", allowed=context["expected"])
        case "value_error":
            return Problem(path, str(context["error"]))
    return Problem(path, detail["msg"], context.get("field", ""), context.get("allowed", ""))


def _is_tag(step: str | int) -> bool:
    return isinstance(step, str) and step.startswith("<")
