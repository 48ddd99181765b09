"""YAML that remembers its lines, so that a refusal can point at the text a person wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from libs.conditions.problems import Path, Problem

MAX_DEPTH = 40
MAX_NODES = 500_000


class ConfigurationError(ValueError):
    """A file was refused. `problems` holds every reason; the text has one line each: `file:line where - reason`."""

    def __init__(self, lines: Sequence[str], problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Marked:
    """Plain data with the line of every key and entry. `name` is the file as it is shown to people."""

    name: str
    data: Any
    lines: dict[Path, int]

    def refuse(self, problems: Sequence[Problem]) -> ConfigurationError:
        """The error that says where in the file each problem is."""
        return ConfigurationError([self._shown(problem) for problem in problems], problems)

    def _shown(self, problem: Problem) -> str:
        field = f" ({problem.field})" if problem.field else ""
        allowed = f"; allowed: {problem.allowed}" if problem.allowed else ""
        where = f"{problem.where}{field} - " if problem.path else ""
        return f"{self.name}:{self._line(problem.path)} {where}{problem.reason}{allowed}"

    def _line(self, path: Path) -> int:
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def read(text: str, name: str) -> Marked:
    """The one document in a text. ConfigurationError for broken YAML, keys written twice, or runaway nesting."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        lines: dict[Path, int] = {(): mark.line + 1} if mark else {}
        raise Marked(name, None, lines).refuse([Problem((), f"is not YAML: {_reason(broken)}")]) from None
    marks = _Marks()
    if root is not None:
        marks.walk(root, ())
    marked = Marked(name, None, marks.lines)
    if marks.problems:
        raise marked.refuse(marks.problems)
    return Marked(name, _data(root, marked), marks.lines)


def _reason(broken: yaml.YAMLError) -> str:
    return str(getattr(broken, "problem", None) or broken).splitlines()[0]


def _data(root: yaml.Node | None, marked: Marked) -> Any:
    if root is None:
        return None
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(root)
    except (yaml.YAMLError, ValueError) as broken:
        raise marked.refuse([Problem((), f"is not YAML: {_reason(yaml.YAMLError(broken))}")]) from None


class _Marks:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def walk(self, node: yaml.Node, path: Path) -> None:
        self.nodes += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > MAX_DEPTH or self.nodes > MAX_NODES:
            if not self.problems:
                self.problems.append(Problem(path, f"more than {MAX_DEPTH} levels or {MAX_NODES} values"))
            return
        if isinstance(node, yaml.SequenceNode):
            for at, entry in enumerate(node.value):
                self.walk(entry, (*path, at))
        elif isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, path)

    def _walk_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            inner = (*path, str(key.value))
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                self.problems.append(Problem(inner, f"is written twice, again in line {key.start_mark.line + 1}"))
            seen.add(str(key.value))
            self.lines.setdefault(inner, key.start_mark.line + 1)
            self.walk(value, inner)
