"""A progress bar on standard error, for work that takes a while."""

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item", covariant=True)


class Collection(Sized, Iterable[Item], Protocol[Item]):
    """Something with a length that can be walked."""


def bar() -> Progress:
    """The look of all our bars; nothing is drawn where standard error is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def counted(items: Collection[Item], description: str) -> Iterator[Item]:
    """Walk items under a bar."""
    with bar() as progress:
        yield from progress.track(items, total=len(items), description=description)
