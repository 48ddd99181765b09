"""The grammar: `all`, `any`, `not` and leaves of field, operator and value. Frozen, strict, checked when built."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from libs.conditions.literals import Refused, check
from libs.conditions.problems import ConditionError, problems_of

MAX_DEPTH = 16
MAX_PARTS = 1_000
MAX_LIST = 500

Scalar: TypeAlias = str | int | float | bool


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)


class All(_Part):
    """Holds when every part holds."""

    all: "Parts"


class AnyOf(_Part):
    """Holds when at least one part holds."""

    any: "Parts"


class Not(_Part):
    """Holds when its part does not: also where that part is about an unset value (behaviour V-2)."""

    part: "Node" = Field(alias="not")

    @classmethod
    def of(cls, part: "Node") -> Self:
        """The negation of a condition."""
        return cls.model_validate({"not": part})


def _as_literal(raw: Any) -> Any:
    if isinstance(raw, list | tuple):
        if len(raw) > MAX_LIST:
            raise PydanticCustomError("condition", f"has {len(raw)} values, at most {MAX_LIST} are allowed")
        return tuple(_as_scalar(one) for one in raw)
    return None if raw is None else _as_scalar(raw)


def _as_scalar(raw: Any) -> Scalar:
    if isinstance(raw, date):  # YAML makes them of unquoted timestamps
        return raw.isoformat()
    if not isinstance(raw, str | int | float | bool):
        raise PydanticCustomError("condition", "a value is text, a number, true, false or a list of these")
    return raw


Literal: TypeAlias = Annotated[Scalar | tuple[Scalar, ...] | None, BeforeValidator(_as_literal)]


class Leaf(_Part):
    """One comparison. `value` is left out for `is_set` and `is_unset`, a list where the operator takes several."""

    field: str
    operator: str
    value: Literal = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            check(self.field, self.operator, self.value)
        except Refused as refused:
            about = {"within": (refused.part,), "field": self.field, "allowed": refused.allowed}
            raise PydanticCustomError("condition", "{reason}", about | {"reason": refused.reason}) from None
        return self

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field} {self.operator}"
        shown = list(self.value) if isinstance(self.value, tuple) else self.value
        return f"{self.field} {self.operator} {shown!r}"


def _as_tuple(raw: Any) -> Any:
    return tuple(raw) if isinstance(raw, list) else raw


def _shape(raw: Any) -> str:
    match raw:
        case All() | {"all": _}:
            return "<all>"
        case AnyOf() | {"any": _}:
            return "<any>"
        case Not() | {"not": _}:
            return "<not>"
    return "<leaf>"


Node: TypeAlias = Annotated[
    Annotated[All, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[Leaf, Tag("<leaf>")],
    Discriminator(_shape),
]
AS_TUPLE = BeforeValidator(_as_tuple)
"""Files have lists, frozen models have tuples; nothing else becomes one."""

Parts: TypeAlias = Annotated[tuple[Node, ...], AS_TUPLE, Field(min_length=1, max_length=MAX_LIST)]

for _part in (All, AnyOf, Not):
    _part.model_rebuild()


def _bounded(raw: Any) -> Any:
    level, parts = [raw], 0
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        parts += len(level)
        if parts > MAX_PARTS:
            raise ValueError(f"has more than {MAX_PARTS} parts")
        if not level:
            return raw
    raise ValueError(f"is nested more than {MAX_DEPTH} deep")


def _inside(raw: Any) -> list[Any]:
    entries = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list | tuple) else ()
    return [one for one in entries if isinstance(one, dict | list | tuple)]


Condition: TypeAlias = Annotated[Node, BeforeValidator(_bounded)]
"""A condition as a field of another model: bounded in depth (16) and size (1,000 parts), then checked."""

_ADAPTER: TypeAdapter[All | AnyOf | Not | Leaf] = TypeAdapter(Condition)


def parse(raw: object) -> Node:
    """The condition that plain data (as read from YAML or JSON) describes. ConditionError names every problem."""
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        raise ConditionError(problems_of(error)) from None


def plain(condition: Node) -> dict[str, Any]:
    """The condition as JSON data; `parse` of it is the same condition."""
    data: dict[str, Any] = condition.model_dump(mode="json", exclude_none=True)
    return data


def plain_text(condition: Node) -> str:
    """The condition as one line of JSON; two conditions are the same exactly when these are."""
    return condition.model_dump_json(exclude_none=True)


def leaves(condition: Node) -> Iterator[Leaf]:
    """Every leaf, in the order of the text."""
    match condition:
        case Leaf():
            yield condition
        case Not():
            yield from leaves(condition.part)
        case All():
            for part in condition.all:
                yield from leaves(part)
        case AnyOf():
            for part in condition.any:
                yield from leaves(part)
