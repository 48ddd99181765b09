"""The folders that everybody has, as conditions (behaviour V-4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from libs.conditions.tree import Node
from libs.conditions.where_text import parse_where

WORKED_ON = "status_category in (open, pending, on_hold)"


class Sort(StrEnum):
    """The order of a list; a minus means the greatest first."""

    CREATED = "created_at"
    NEWEST = "-created_at"
    UPDATED = "updated_at"
    LATEST = "-updated_at"
    DEADLINE = "next_deadline"


@dataclass(frozen=True, slots=True)
class Folder:
    """A named list. `where` is the text form of its condition."""

    key: str
    label: str
    where: str
    condition: Node
    sort: Sort


def _folder(key: str, label: str, where: str, sort: Sort = Sort.LATEST) -> Folder:
    return Folder(key, label, where, parse_where(where), sort)


FOLDERS: Mapping[str, Folder] = {
    folder.key: folder
    for folder in (
        _folder("unassigned", "Unassigned", f"{WORKED_ON} and assignee is unset", Sort.CREATED),
        _folder("my-open", "My Open", "status_category = open and assignee = $me"),
        _folder("all-open", "All Open", "status_category = open"),
        _folder("pending", "Pending", "status_category = pending"),
        _folder("solved", "Solved", "status_category = resolved"),
        _folder(
            "critical-and-high", "Critical and High", f"{WORKED_ON} and priority in (critical, high)", Sort.DEADLINE
        ),
        _folder("waiting", "Waiting", "status_category in (pending, on_hold)", Sort.UPDATED),
        _folder("breaching-next", "Breaching next", WORKED_ON, Sort.DEADLINE),
        _folder(
            "no-owner",
            "No owner for 15 minutes",
            f"{WORKED_ON} and assignee is unset and created_at < -15m",
            Sort.CREATED,
        ),
    )
}
"""By key. Waiting: for a customer or a colleague, who waits longest first. Breaching next: clocks that run first."""

SUSPENDED_MAIL = "suspended-mail"
"""The key of the folder of mails that are no tickets yet; `GET /v1/suspended-mail` lists them."""
