"""Views as requests and answers carry them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from libs.conditions.where_text import MAX_WHERE
from services.intake.api.answers import TicketAnswer
from services.intake.api.bodies import Body, Key, Name
from services.intake.folders import Sort
from services.intake.saved_views import Scope

LISTED = ("reference", "subject", "email", "priority", "created_at", "updated_at", "id", "assignee")
"""The columns of a view that names none (rows 5 of what lists show)."""
COLUMNS = frozenset(TicketAnswer.model_fields) - {"handoff", "allowed_statuses"} | {"email", "name"}


def _known(columns: tuple[str, ...]) -> tuple[str, ...]:
    for name in columns:
        if name not in COLUMNS and not name.startswith("custom."):
            raise ValueError(f"{name!r} is not one of {', '.join(sorted(COLUMNS))}, custom.<key>")
    return columns


Columns = Annotated[tuple[str, ...], Field(min_length=1, max_length=40), AfterValidator(_known)]
Where = Annotated[str, Field(max_length=MAX_WHERE)]


class ViewAnswer(BaseModel):
    """A view: `key` for `view=`, whose it is, what it asks for, and how many tickets it has.

    `count` is exact up to 1,000; with `count_capped` there are at least so many. It may be 2 s old.
    """

    key: str
    label: str
    scope: Literal["builtin", "personal", "queue", "global"]
    queue: str | None = None
    where: str | None = Field(None, description="The condition in text form; null for suspended mail")
    condition: dict[str, Any] | None = Field(None, description="The same as a tree")
    columns: tuple[str, ...] = LISTED
    sort: str | None = None
    url: str = Field(description="Where its items are listed")
    may_change: bool = False
    version: int | None = None
    count: int | None = None
    count_capped: bool | None = None


class ChangedView(Body):
    """What a view becomes; what is left out stays. The condition as text (`where`) or as a tree, not both."""

    label: Name | None = None
    where: Where | None = None
    condition: dict[str, Any] | None = None
    columns: Columns | None = None
    sort: Sort | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> "ChangedView":
        if self.where is not None and self.condition is not None:
            raise ValueError("give the condition as where or as condition, not both")
        return self


class NewView(ChangedView):
    """A view to keep. `queue` is needed, and allowed, for scope queue only."""

    label: Name
    scope: Scope = Scope.PERSONAL
    queue: Key | None = None

    @model_validator(mode="after")
    def _belongs(self) -> "NewView":
        if (self.queue is not None) != (self.scope is Scope.QUEUE):
            raise ValueError("a view of scope queue names its queue, others name none")
        if self.where is None and self.condition is None:
            raise ValueError("a view needs a condition: where or condition")
        return self
