"""W3C trace context: what one request or message caused is found by one trace id."""

import random
import re
from dataclasses import dataclass
from typing import Self

# random.getrandbits costs a tenth of os.urandom, and trace ids protect nothing
_random = random.Random()
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace. trace_id: 32 lower-case hex digits; span_id: 16; neither is all zeros."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @classmethod
    def new(cls) -> Self:
        """The first span of a new trace."""
        return cls(_hex(128), _hex(64))

    @classmethod
    def parse(cls, traceparent: str | None) -> Self | None:
        """The place that a traceparent names, or None if it is missing or not valid (then begin a new trace)."""
        match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        if match is None:
            return None
        version, trace_id, span_id, flags, rest = match.groups()
        whole = version != "ff" and (version != "00" or rest is None)
        if not whole or int(trace_id, 16) == 0 or int(span_id, 16) == 0:
            return None
        return cls(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))

    @classmethod
    def following(cls, traceparent: str | None) -> Self:
        """A new span that continues the trace of a traceparent, or begins one."""
        parent = cls.parse(traceparent)
        return cls.new() if parent is None else parent.child()

    def child(self) -> Self:
        """A new span of the same trace."""
        return type(self)(self.trace_id, _hex(64), self.sampled)

    def __str__(self) -> str:
        """As traceparent, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


def _hex(bits: int) -> str:
    return f"{_random.getrandbits(bits) or 1:0{bits // 4}x}"
