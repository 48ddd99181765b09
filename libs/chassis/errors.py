"""Everything the chassis raises on purpose. The docstring of a class is its message where none is given.

ChassisError
├── SettingsError               the environment is wrong: lists every fault
├── UnguardedRoute              a route says neither who may call it nor that anybody may
├── Unanswered                  an idempotent block ended without an answer
└── Refusal                     an answer to a caller; has an HTTP status
    ├── Unauthorized            401
    ├── Forbidden               403
    ├── NotFound                404
    ├── Conflict                409
    │   ├── KeyReused           409  Idempotency-Key of another request
    │   └── InFlight            409  the first request with this Idempotency-Key still runs
    ├── PreconditionFailed      412
    ├── TooLarge                413
    ├── UnsupportedMedia        415
    ├── Invalid                 422
    ├── PreconditionRequired    428
    ├── TooMany                 429
    └── NotReady                503
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class ChassisError(Exception):
    """Something in the chassis went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().partition("\n")[0])


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong setting: the variable, why it is wrong (never its value), and what is allowed."""

    variable: str
    reason: str
    allowed: str = ""

    def __str__(self) -> str:
        allowed = f" (allowed: {self.allowed})" if self.allowed else ""
        return f"{self.variable}: {self.reason}{allowed}"


class SettingsError(ChassisError):
    """The settings are wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 setting is wrong" if len(self.faults) == 1 else f"{len(self.faults)} settings are wrong"
        super().__init__("\n  ".join([f"{count}:", *map(str, self.faults)]))


class UnguardedRoute(ChassisError):
    """A route needs `require(...)` or `anyone` among its dependencies."""


class Unanswered(ChassisError):
    """An idempotent block ended without an answer, so there is nothing to give to a retry."""


class Refusal(ChassisError):
    """The request cannot be answered as asked."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    @property
    def members(self) -> Mapping[str, object]:
        """Further members of the problem details, JSON-serializable."""
        return {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the response."""
        return {}


class Unauthorized(Refusal):
    """A valid bearer token is needed."""

    status, slug, title = 401, "unauthorized", "Unauthorized"

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Refusal):
    """The role of this token does not allow this."""

    status, slug, title = 403, "forbidden", "Forbidden"


class NotFound(Refusal):
    """There is nothing here."""

    status, slug, title = 404, "not-found", "Not found"


class Conflict(Refusal):
    """The present state does not allow this. `members` says what would be allowed, e.g. allowed=["open"]."""

    status, slug, title = 409, "conflict", "Conflict"

    def __init__(self, message: str | None = None, **members: object) -> None:
        self._members = members
        super().__init__(message)

    @property
    def members(self) -> Mapping[str, object]:
        return self._members


class KeyReused(Conflict):
    """This Idempotency-Key belongs to another request; take a new one."""

    slug, title = "key-reused", "Idempotency-Key reused"


class InFlight(Conflict):
    """The first request with this Idempotency-Key is still running; ask again."""

    slug, title = "in-flight", "Request in flight"

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": "1"}


class PreconditionFailed(Refusal):
    """If-Match does not name the present version. `current` is the present ETag."""

    status, slug, title = 412, "precondition-failed", "Precondition failed"

    def __init__(self, message: str | None = None, *, current: str | None = None) -> None:
        self.current = current
        super().__init__(message)

    @property
    def headers(self) -> Mapping[str, str]:
        return {"ETag": self.current} if self.current else {}


class TooLarge(Refusal):
    """The body is over the size limit. `limit` is in bytes."""

    status, slug, title = 413, "too-large", "Body too large"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body may have at most {limit} bytes")

    @property
    def members(self) -> Mapping[str, object]:
        return {"limit": self.limit}


class UnsupportedMedia(Refusal):
    """The Content-Type is not one of those accepted here."""

    status, slug, title = 415, "unsupported-media", "Unsupported media type"


class Invalid(Refusal):
    """One field of the request is wrong. `field` is its dotted path, e.g. `body.fields.order_number`."""

    status, slug, title = 422, "invalid", "Invalid request"

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}")

    @property
    def members(self) -> Mapping[str, object]:
        return {"errors": [{"field": self.field, "reason": self.reason}]}


class PreconditionRequired(Refusal):
    """If-Match with the version that was read is needed."""

    status, slug, title = 428, "precondition-required", "Precondition required"


class _Later(Refusal):
    def __init__(self, message: str | None = None, *, retry_after: float = 1) -> None:
        self.retry_after = retry_after
        super().__init__(message)

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(max(1, math.ceil(self.retry_after)))}


class TooMany(_Later):
    """Too many requests. `retry_after` is in seconds."""

    status, slug, title = 429, "too-many", "Too many requests"


class NotReady(_Later):
    """The service cannot answer at the moment. `retry_after` is in seconds."""

    status, slug, title = 503, "not-ready", "Not ready"
