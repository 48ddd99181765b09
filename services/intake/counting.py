"""Counts of lists, remembered for a moment: many people look at the same folders at once."""

from collections.abc import Awaitable, Callable
from time import monotonic

from libs.conditions.fields import ME, MY_QUEUES
from libs.conditions.tree import plain_text
from services.intake.questions import Question
from services.intake.reach import personal
from services.intake.sifting import Count

REMEMBERED_SECONDS = 2.0
MOST_REMEMBERED = 10_000

Key = tuple[object, ...]


class Counts:
    """The counts of one process, each for 2 s."""

    def __init__(self) -> None:
        self._found: dict[Key, tuple[float, Count]] = {}

    async def of(self, question: Question, find: Callable[[Question], Awaitable[Count]]) -> Count:
        """The count of a question: what was found a moment ago, or what `find` finds."""
        now, key = monotonic(), _key(question)
        remembered = self._found.get(key)
        if remembered is not None and now - remembered[0] < REMEMBERED_SECONDS:
            return remembered[1]
        if len(self._found) >= MOST_REMEMBERED:
            self._found.clear()
        count = await find(question)
        self._found[key] = (now, count)
        return count


def _key(question: Question) -> Key:
    """What the count depends on: who asks only where the condition is about them."""
    about, context = personal(question.condition), question.context
    me, queues = context.me if ME in about else None, context.my_queues if MY_QUEUES in about else None
    return plain_text(question.condition), me, queues
