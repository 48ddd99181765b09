"""Links that prove by themselves that somebody may follow them for a while (decisions 16).

For what a browser loads by itself, such as an image in a text: it sends no token. Link time is real time.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256


class SignedLinks:
    """Signs and checks links of one purpose with a key made from the token secret.

    purpose: links of one purpose prove nothing for another, nor does a token. lifetime: how long a link is good at
    least; the same link is given for a while, so that browsers keep what they loaded, and it lives up to twice as long.
    """

    def __init__(self, secret: str, purpose: str, lifetime: timedelta) -> None:
        self._key = hmac.digest(secret.encode(), purpose.encode(), "sha256")
        self._seconds = max(1, int(lifetime.total_seconds()))

    def query(self, name: str, now: datetime) -> str:
        """The query string that lets its bearer have `name`."""
        expires = (int(now.timestamp()) // self._seconds + 2) * self._seconds
        return f"expires={expires}&signature={self._signature(name, expires)}"

    def allows(self, name: str, expires: int, signature: str, now: datetime) -> bool:
        """Whether this is what `query` gave for this name, and still good."""
        right = hmac.compare_digest(self._signature(name, expires).encode(), signature.encode("utf-8", "replace"))
        return right and now.timestamp() < expires

    def _signature(self, name: str, expires: int) -> str:
        digest = hmac.new(self._key, f"{name}\n{expires}".encode(), sha256).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")
