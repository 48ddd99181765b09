"""Whether one JSON Schema's reader understands everything that another one's writer may write.

The reader is tolerant: it ignores fields it does not know, and fills in the default of a field that is absent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from libs.contracts.pointer import step

Schema = dict[str, Any]

ANNOTATIONS = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "default", "examples", "deprecated", "personal"}
)
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("pattern", "format", "uniqueItems", "multipleOf")
PARTS = ("type", "enum", "const", "anyOf", "oneOf", "$ref", "properties", "required", "additionalProperties", "items")
JUDGED = frozenset({*LOWER, *UPPER, *EXACT, *PARTS})
ABSENT = object()


@dataclass(frozen=True, order=True)
class Refusal:
    """Why a schema is not compatible.

    `pointer` is a JSON pointer into the schema with its references and alternatives written out, "" for the whole.
    """

    pointer: str
    reason: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.reason}"


@dataclass(frozen=True)
class Side:
    """One of the two schemas: its root, where references lead, and what the reasons call it."""

    root: Schema
    name: str

    def resolved(self, schema: Any) -> Schema:
        """The schema with its reference replaced by what it leads to; `true` is the empty schema."""
        if not isinstance(schema, dict):
            return {} if schema else {"enum": []}
        resolved: Schema = schema
        while "$ref" in resolved:
            target = self.root["$defs"][resolved["$ref"].removeprefix("#/$defs/")]
            resolved = {**target, **{key: value for key, value in resolved.items() if key != "$ref"}}
        return resolved

    def alternatives(self, schema: Any) -> list[Schema]:
        """The shapes a value may take, one for each branch of a union."""
        whole = self.resolved(schema)
        for union in ("anyOf", "oneOf"):
            if union in whole:
                rest = {key: value for key, value in whole.items() if key != union}
                return [shape for branch in whole[union] for shape in self.alternatives({**rest, **branch})]
        if isinstance(whole.get("type"), list):
            return [{**whole, "type": kind} for kind in whole["type"]]
        return [whole]


@dataclass(frozen=True)
class Reading:
    """A reader meets what a writer writes. `forbids_removal`: the reader may not forget a field of the writer."""

    writer: Side
    reader: Side
    forbids_removal: bool

    def refusals(self) -> list[Refusal]:
        """Everything the writer may write that the reader does not understand."""
        return sorted(set(self._value(self.writer.root, self.reader.root, "")))

    def _value(self, written: Any, read: Any, pointer: str) -> Iterator[Refusal]:
        written_shapes, read_shapes = self.writer.alternatives(written), self.reader.alternatives(read)
        for shape in written_shapes:
            attempts = [list(self._shape(shape, other, pointer)) for other in read_shapes]
            if all(attempts):
                yield from self._nearest(shape, read_shapes, attempts, pointer)

    def _nearest(
        self, shape: Schema, read_shapes: list[Schema], attempts: list[list[Refusal]], pointer: str
    ) -> Iterator[Refusal]:
        alike = [
            attempt
            for other, attempt in zip(read_shapes, attempts, strict=True)
            if other.get("type") == shape.get("type") or len(read_shapes) == 1
        ]
        if alike:
            yield from alike[0]
        else:
            yield Refusal(pointer, f"{self.writer.name} allows {_kind(shape)}, {self.reader.name} does not")

    def _shape(self, written: Schema, read: Schema, pointer: str) -> Iterator[Refusal]:
        yield from self._unknown_keywords(written, read, pointer)
        if not _same_kind(written.get("type"), read.get("type")):
            yield Refusal(pointer, f"{self.writer.name} has {_kind(written)}, {self.reader.name} wants {_kind(read)}")
            return
        yield from self._values(written, read, pointer)
        yield from self._bounds(written, read, pointer, LOWER, lambda ours, theirs: ours >= theirs)
        yield from self._bounds(written, read, pointer, UPPER, lambda ours, theirs: ours <= theirs)
        yield from self._bounds(written, read, pointer, EXACT, lambda ours, theirs: ours == theirs)
        if "items" in read:
            yield from self._value(written.get("items", {}), read["items"], f"{pointer}/items")
        yield from self._object(written, read, pointer)

    def _unknown_keywords(self, written: Schema, read: Schema, pointer: str) -> Iterator[Refusal]:
        for keyword in sorted((set(written) | set(read)) - ANNOTATIONS - JUDGED):
            if written.get(keyword, ABSENT) != read.get(keyword, ABSENT):
                yield Refusal(f"{pointer}/{keyword}", "this keyword cannot be judged, so it may not change")

    def _values(self, written: Schema, read: Schema, pointer: str) -> Iterator[Refusal]:
        understood = _enumerated(read)
        if understood is None:
            return
        said = _enumerated(written)
        if said is None:
            yield Refusal(pointer, f"{self.reader.name} takes listed values only, {self.writer.name} any")
        elif surplus := [value for value in said if value not in understood]:
            listed = ", ".join(map(repr, surplus))
            yield Refusal(pointer, f"{self.writer.name} allows {listed}, {self.reader.name} does not")

    def _bounds(
        self,
        written: Schema,
        read: Schema,
        pointer: str,
        keywords: tuple[str, ...],
        holds: Callable[[Any, Any], bool],
    ) -> Iterator[Refusal]:
        for keyword in keywords:
            if keyword not in read or (keyword in written and holds(written[keyword], read[keyword])):
                continue
            ours = f"{written[keyword]!r}" if keyword in written else "none"
            reason = f"{self.reader.name} wants {read[keyword]!r}, {self.writer.name} promises {ours}"
            yield Refusal(f"{pointer}/{keyword}", reason)

    def _object(self, written: Schema, read: Schema, pointer: str) -> Iterator[Refusal]:
        ours, theirs = written.get("properties", {}), read.get("properties", {})
        for name in ours.keys() & theirs.keys():
            yield from self._field(ours[name], theirs[name], f"{pointer}/properties{step(name)}")
        for name in read.get("required", ()):
            if name not in written.get("required", ()):
                reason = f"{self.reader.name} requires it, {self.writer.name} may leave it out"
                yield Refusal(f"{pointer}/properties{step(name)}", reason)
        for name in ours.keys() - theirs.keys():
            yield from self._surplus(name, ours[name], read, pointer)
        if "additionalProperties" in read:
            other = written.get("additionalProperties", True)
            yield from self._value(other, read["additionalProperties"], f"{pointer}/additionalProperties")

    def _field(self, written: Schema, read: Schema, pointer: str) -> Iterator[Refusal]:
        yield from self._value(written, read, pointer)
        ours = self.writer.resolved(written).get("default", ABSENT)
        theirs = self.reader.resolved(read).get("default", ABSENT)
        if ABSENT not in (ours, theirs) and not _same_default(ours, theirs):
            yield Refusal(f"{pointer}/default", "the default changed, and with it what an absent field means")

    def _surplus(self, name: str, schema: Schema, read: Schema, pointer: str) -> Iterator[Refusal]:
        place = f"{pointer}/properties{step(name)}"
        if self.forbids_removal:
            yield Refusal(place, f"{self.reader.name} removed it or renamed it; a field stays for ever")
        elif read.get("additionalProperties", True) is not True:
            yield from self._value(schema, read["additionalProperties"], place)


def _same_kind(written: str | None, read: str | None) -> bool:
    return read is None or written == read or (written, read) == ("integer", "number")


def _same_default(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(_same_default(ours[name], theirs[name]) for name in ours.keys() & theirs.keys())
    return (type(ours), ours) == (type(theirs), theirs)


def _enumerated(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _kind(schema: Schema) -> str:
    return str(schema.get("type", "any value"))
