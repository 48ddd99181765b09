"""What may follow a released schema, and what may not."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from libs.contracts.compatibility import Compatibility, refusals
from libs.contracts.schema_files import DESCRIBED, Schema, schema_of

Mutation = Callable[[Schema], Any]


class Part(BaseModel):
    id: str
    size: int = Field(0, ge=0)


class Released(BaseModel):
    """A schema with one of everything that events use."""

    key: str = Field(min_length=1, max_length=10)
    score: int = Field(ge=1, le=5)
    share: float = Field(gt=0, lt=1)
    kind: Literal["a", "b"] = "a"
    owner: str | None = None
    tags: tuple[str, ...] = Field((), max_length=5)
    parts: tuple[Part, ...] = ()
    custom: dict[str, str | int] = Field(default_factory=dict)
    anything: Any = None
    part: Part | None = None


RELEASED = Released.model_json_schema()


def mutated(mutation: Mutation, schema: Schema = RELEASED) -> Schema:
    new = deepcopy(schema)
    mutation(new)
    return new


def fields(schema: Schema) -> dict[str, Schema]:
    found: dict[str, Schema] = schema["properties"]
    return found


def part(schema: Schema) -> dict[str, Schema]:
    return fields(schema["$defs"]["Part"])


def pointers(mutation: Mutation, compatibility: Compatibility) -> set[str]:
    return {refusal.pointer for refusal in refusals([RELEASED], mutated(mutation), compatibility)}


HARMLESS: dict[str, Mutation] = {
    "nothing": lambda new: None,
    "an optional field": lambda new: fields(new).update(extra={"type": "string", "default": ""}),
    "an optional field of a part": lambda new: part(new).update(extra={"type": "string", "default": ""}),
    "other words": lambda new: new.update(title="Other", description="Other."),
    "a reference written out": lambda new: fields(new)["parts"].update(items=new["$defs"]["Part"]),
    "a union in another order": lambda new: fields(new)["owner"]["anyOf"].reverse(),
}


@pytest.mark.parametrize("mutation", HARMLESS.values(), ids=HARMLESS)
def test_what_is_compatible_in_every_sense(mutation: Mutation) -> None:
    assert refusals([RELEASED], mutated(mutation)) == []


NARROWER: dict[str, tuple[Mutation, str]] = {
    "removed": (lambda new: fields(new).pop("owner"), "/properties/owner"),
    "renamed": (lambda new: fields(new).update(holder=fields(new).pop("owner")), "/properties/owner"),
    "removed from a part": (lambda new: part(new).pop("size"), "/properties/parts/items/properties/size"),
    "made required": (lambda new: new["required"].append("owner"), "/properties/owner"),
    "added and required": (
        lambda new: (fields(new).update(extra={"type": "string"}), new["required"].append("extra")),
        "/properties/extra",
    ),
    "retyped": (lambda new: fields(new)["key"].update(type="integer"), "/properties/key"),
    "retyped in a part": (lambda new: part(new)["id"].update(type="integer"), "/properties/parts/items/properties/id"),
    "null no more": (lambda new: fields(new).update(owner={"type": "string"}), "/properties/owner"),
    "a number made whole": (lambda new: fields(new)["share"].update(type="integer"), "/properties/share"),
    "a value fewer": (lambda new: fields(new)["kind"].update(enum=["a"]), "/properties/kind"),
    "one value only": (lambda new: fields(new)["kind"].update(const="a"), "/properties/kind"),
    "text made a list of values": (lambda new: fields(new)["key"].update(enum=["x"]), "/properties/key"),
    "shorter": (lambda new: fields(new)["key"].update(maxLength=9), "/properties/key/maxLength"),
    "longer at least": (lambda new: fields(new)["key"].update(minLength=2), "/properties/key/minLength"),
    "a higher minimum": (lambda new: fields(new)["score"].update(minimum=2), "/properties/score/minimum"),
    "a lower maximum": (lambda new: fields(new)["score"].update(maximum=4), "/properties/score/maximum"),
    "fewer items": (lambda new: fields(new)["tags"].update(maxItems=4), "/properties/tags/maxItems"),
    "a pattern": (lambda new: fields(new)["key"].update(pattern="^x"), "/properties/key/pattern"),
    "a format": (lambda new: fields(new)["key"].update(format="uuid"), "/properties/key/format"),
    "items of another type": (
        lambda new: fields(new)["tags"]["items"].update(type="integer"),
        "/properties/tags/items",
    ),
    "a scalar fewer": (
        lambda new: fields(new)["custom"].update(additionalProperties={"type": "string"}),
        "/properties/custom/additionalProperties",
    ),
    "anything made text": (lambda new: fields(new)["anything"].update(type="string"), "/properties/anything"),
}


@pytest.mark.parametrize(("mutation", "pointer"), NARROWER.values(), ids=NARROWER)
def test_what_new_readers_would_not_understand(mutation: Mutation, pointer: str) -> None:
    assert pointer in pointers(mutation, Compatibility.BACKWARD)
    assert pointer in pointers(mutation, Compatibility.FULL)


WIDER: dict[str, tuple[Mutation, str]] = {
    "not required any more": (lambda new: new["required"].remove("key"), "/properties/key"),
    "a value more": (lambda new: fields(new)["kind"].update(enum=["a", "b", "c"]), "/properties/kind"),
    "any text": (lambda new: fields(new)["kind"].pop("enum"), "/properties/kind"),
    "longer": (lambda new: fields(new)["key"].update(maxLength=11), "/properties/key/maxLength"),
    "as long as you like": (lambda new: fields(new)["key"].pop("maxLength"), "/properties/key/maxLength"),
    "a lower minimum": (lambda new: fields(new)["score"].update(minimum=0), "/properties/score/minimum"),
    "a whole number with fractions": (lambda new: fields(new)["score"].update(type="number"), "/properties/score"),
    "null as well": (
        lambda new: fields(new).update(key={"anyOf": [fields(new)["key"], {"type": "null"}]}),
        "/properties/key",
    ),
    "null as well, in short": (lambda new: fields(new)["key"].update(type=["string", "null"]), "/properties/key"),
}


@pytest.mark.parametrize(("mutation", "pointer"), WIDER.values(), ids=WIDER)
def test_what_readers_in_the_field_would_not_understand(mutation: Mutation, pointer: str) -> None:
    assert pointers(mutation, Compatibility.BACKWARD) == set()
    assert pointer in pointers(mutation, Compatibility.FORWARD)
    assert pointer in pointers(mutation, Compatibility.FULL)


def test_forward_alone_lets_an_optional_field_go() -> None:
    def without_key(new: Schema) -> None:
        del fields(new)["key"]
        new["required"].remove("key")

    assert pointers(lambda new: fields(new).pop("owner"), Compatibility.FORWARD) == set()
    assert pointers(without_key, Compatibility.FORWARD) == {"/properties/key"}


def test_a_default_is_part_of_the_promise() -> None:
    changed = refusals([RELEASED], mutated(lambda new: fields(new)["kind"].update(default="b")))
    assert [refusal.pointer for refusal in changed] == ["/properties/kind/default"]


def test_a_default_may_gain_what_the_part_gained() -> None:
    old = mutated(lambda new: fields(new)["part"].update(default={"id": "x"}))
    new = mutated(lambda new: fields(new)["part"].update(default={"id": "x", "size": 0}))
    assert refusals([old], new) == []


def test_a_keyword_that_cannot_be_judged_may_not_change() -> None:
    found = refusals([RELEASED], mutated(lambda new: fields(new)["tags"].update(contains={"const": "x"})))
    assert [refusal.pointer for refusal in found] == ["/properties/tags/contains"]


def test_a_refusal_says_where_and_why() -> None:
    (found,) = refusals([RELEASED], mutated(lambda new: fields(new).pop("owner")))
    assert str(found) == "/properties/owner: the new schema removed it or renamed it; a field stays for ever"


def test_transitive_looks_at_every_release() -> None:
    first = mutated(lambda new: fields(new).update(extra={"type": "integer", "default": 0}))
    new = mutated(lambda new: fields(new).update(extra={"type": "string", "default": ""}))
    assert refusals([first, RELEASED], new, Compatibility.FULL) == []
    assert {found.pointer for found in refusals([first, RELEASED], new)} >= {"/properties/extra"}


def test_a_name_with_a_slash_is_escaped_in_the_pointer() -> None:
    old = mutated(lambda new: fields(new).update({"a/b~c": {"type": "string"}}))
    assert [found.pointer for found in refusals([old], RELEASED)] == ["/properties/a~1b~0c"]


def test_what_has_no_release_may_be_anything() -> None:
    assert refusals([], RELEASED) == []


@pytest.mark.parametrize("type_", sorted(DESCRIBED))
def test_no_field_of_any_event_can_go_or_change_its_type(type_: str) -> None:
    schema = schema_of(type_)
    for name in fields(schema):
        gone, retyped = deepcopy(schema), deepcopy(schema)
        del fields(gone)[name]
        fields(retyped)[name] = {"type": "null"}
        assert refusals([schema], gone), f"{name} could be removed"
        assert refusals([schema], retyped), f"{name} could be retyped"
