"""Makes asyncpg look at array elements cheaply.

To find nested arrays asyncpg asks three abstract base classes about every element it sends; over a batch that costs
more than encoding it. Concrete types answer the same question in a fraction of the time. asyncpg's minor version is
pinned for this, and `test_array_parameters.py` fails when the names are gone.
"""

from collections import deque

from asyncpg.protocol import protocol

NESTS: tuple[type, ...] = (list, tuple, set, frozenset, deque, type({}.keys()), type({}.values()))
"""What counts as an array, top level or nested."""


def look_at_types_only() -> None:
    """Once for a process; harmless to repeat."""
    for name, concrete in (("IterableABC", NESTS), ("SizedABC", NESTS), ("MappingABC", dict)):
        setattr(protocol, name, concrete)
