"""New ids at the edge, where randomness is allowed."""

from datetime import datetime
from secrets import token_hex

from libs.contracts.identifiers import COUNTER_BITS, uuid7

AT_ONCE = 64
COUNTED = (1 << COUNTER_BITS) - 1
TO_THE_COUNTER = len("xxxxxxxx-xxxx-7")
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Identities:
    """Makes the ids of one transaction, as `uuid7` does; each sorts after the one before."""

    def __init__(self, now: datetime) -> None:
        self.now, self._made, self._instant = now, 0, ""
        self._random: list[str] = []

    def new(self) -> str:
        """A UUIDv7."""
        if not self._random:
            self._random = _drawn()
        count = self._made & COUNTED
        if count == 0:
            self._instant = uuid7(self.now, self._made, 0)[:TO_THE_COUNTER]
        self._made += 1
        return f"{self._instant}{count:03x}-{self._random.pop()}"


def _drawn() -> list[str]:
    """Ends of ids: two bits that say which kind of UUID it is, then 62 random ones."""
    digits = token_hex(8 * AT_ONCE)
    drawn = [digits[at : at + 16] for at in range(0, len(digits), 16)]
    return [f"{VARIANT[each[0]]}{each[1:4]}-{each[4:]}" for each in drawn]
