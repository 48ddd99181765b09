"""reporting.yaml: what a report highlights. It changes no number, only what stands out."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "reporting.yaml"
Share = Annotated[float, Field(ge=0, le=1)]


class Limits(BaseModel):
    """Beyond these a number is highlighted (brief, row 24)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    compliance_below: Share = 0.80
    reopened_above: Share = 0.10
    fairness_below: Share = 0.80
    load_above_median: Annotated[float, Field(ge=1)] = 2.0


def parse(files: Mapping[str, Any]) -> Limits:
    """The limits of a bundle, or those that ship. ValueError names file, field and reason."""
    try:
        return Limits.model_validate(files.get(FILE) or {})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "document"
        raise ValueError(f"{FILE}: {field}: {first['msg']}") from None
