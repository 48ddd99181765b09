"""Which mails of a batch hang together: union-find over the ids they name (decisions 18)."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def components(groups: Sequence[Iterable[T]]) -> list[int]:
    """For each group the number of its component: groups with a member in common, also by way of others, share it.

    The number is the place of the component's first group.
    """
    parent = list(range(len(groups)))
    holder: dict[T, int] = {}
    for place, group in enumerate(groups):
        for member in group:
            other = _root(parent, holder.setdefault(member, place))
            mine = _root(parent, place)
            parent[max(mine, other)] = min(mine, other)
    return [_root(parent, place) for place in range(len(groups))]


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place
