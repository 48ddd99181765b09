"""routing.yaml from text to rules; every refusal says file, line, place, reason and what is allowed."""

from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from libs.conditions import marked_yaml
from libs.conditions.marked_yaml import Marked
from libs.conditions.problems import Problem, problems_of
from services.router.rules import RoutingRules

FILE = "routing.yaml"
_WITHOUT_FALLBACK = "is missing: a ticket that no rule routes must go somewhere"


def read_rules(text: str, name: str = FILE) -> RoutingRules:
    """The rules of a YAML text. ConfigurationError lists every problem as `name:line where - reason; allowed: ...`."""
    marked = marked_yaml.read(text, name)
    if not isinstance(marked.data, dict):
        raise marked.refuse([Problem((), "is no routing configuration", allowed="triage, assignment, fallback")])
    try:
        return RoutingRules.model_validate(marked.data)
    except ValidationError as error:
        raise marked.refuse([_in_full(problem) for problem in problems_of(error)]) from None


def load_rules(directory: Path) -> RoutingRules:
    """The rules of a configuration directory. ConfigurationError also for a file that is missing or no UTF-8."""
    path = directory / FILE
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise Marked(str(path), None, {}).refuse([Problem((), f"cannot be read: {unreadable}")]) from None
    return read_rules(text, str(path))


def _in_full(problem: Problem) -> Problem:
    if problem.path == ("fallback",) and problem.reason == "is missing":
        return replace(problem, reason=_WITHOUT_FALLBACK, allowed="queue: KEY")
    return problem
