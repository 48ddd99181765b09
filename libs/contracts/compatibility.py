"""Whether a schema may follow the ones that were released: the words are Confluent's, the reader is tolerant.

Adding an optional field is compatible in every sense. Removing, renaming, retyping, requiring and narrowing are not
BACKWARD; widening (a new enum value, a longer text) is not FORWARD, because readers in the field would refuse it.
What cannot be said compatibly is a new version of the event, said beside the old one (decisions 24).
"""

from collections.abc import Sequence
from enum import StrEnum

from libs.contracts.schema_reading import Reading, Refusal, Schema, Side

__all__ = ["Compatibility", "Refusal", "refusals"]

_RELEASED, _NEW = "the released schema", "the new schema"


class Compatibility(StrEnum):
    """Who must understand whom.

    BACKWARD: new readers the old events. FORWARD: old readers the new events. FULL: both. Each against the last release
    alone, or, where TRANSITIVE, against all of them.
    """

    BACKWARD = "BACKWARD"
    FORWARD = "FORWARD"
    FULL = "FULL"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def sense(self) -> str:
        """BACKWARD, FORWARD or FULL."""
        return self.value.removesuffix("_TRANSITIVE")

    @property
    def is_transitive(self) -> bool:
        """Whether all releases count, not the last alone."""
        return self.value.endswith("_TRANSITIVE")


def refusals(
    released: Sequence[Schema], new: Schema, compatibility: Compatibility = Compatibility.FULL_TRANSITIVE
) -> list[Refusal]:
    """Every reason why `new` may not follow `released` (oldest first), sorted, without repeats; empty if it may."""
    judged = released if compatibility.is_transitive else released[-1:]
    return sorted({refusal for old in judged for refusal in _against(old, new, compatibility.sense)})


def _against(old: Schema, new: Schema, sense: str) -> list[Refusal]:
    released, proposed = Side(old, _RELEASED), Side(new, _NEW)
    found: list[Refusal] = []
    if sense != Compatibility.FORWARD:
        found += Reading(writer=released, reader=proposed, forbids_removal=True).refusals()
    if sense != Compatibility.BACKWARD:
        found += Reading(writer=proposed, reader=released, forbids_removal=False).refusals()
    return found
