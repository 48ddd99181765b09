"""Message-IDs and plus addresses of our own mail, by which an answer finds its ticket (decisions 18, 19; H-1).

Whoever knows such an id took part in the conversation: it carries an HMAC, so it cannot be made up. Both intake
(replies) and the notifier (notices) mint them; intake recognises both. Keys have at least 16 bytes; verification takes
several, the newest first, so that keys can be changed without losing threads.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MIN_KEY = 16
MAX_LOCAL = 64
MAC_SIGNS = 8

PIECE = re.compile(r"[A-Za-z0-9_-]{1,64}")
DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
OWN_ID = re.compile(r"<?([tn])\.([a-z0-9_-]{1,64})\.([a-z0-9_-]{1,64})\.([a-z2-7]{8})@[^<>@\s]{1,255}>?")
MARK = re.compile(r"\[ref:([A-Za-z0-9_-]{1,64})\.([A-Za-z2-7]{8})\]")
PLUS = re.compile(r"<?([^<>@+\s]{1,64})\+([a-z0-9_-]{1,64})\.([a-z2-7]{8})@([^<>@\s]{1,255})>?")


class MailIdKind(StrEnum):
    """Whose mail: `t` a reply of an agent (intake), `n` a notice (notifier)."""

    REPLY = "t"
    NOTICE = "n"


@dataclass(frozen=True, slots=True)
class OwnMailId:
    """A verified Message-ID of ours. `item` is the message of a reply, or the notice. Lower case."""

    kind: MailIdKind
    ticket: str
    item: str


def reply_message_id(key: bytes, ticket: str, message: str, domain: str) -> str:
    """`t.{ticket}.{message}.{hmac8}@domain`, without angle brackets. Raises ValueError for a part that does not fit."""
    return _mint(key, MailIdKind.REPLY, ticket, message, domain)


def notice_message_id(key: bytes, ticket: str, notice: str, domain: str) -> str:
    """`n.{ticket}.{notice}.{hmac8}@domain`, without angle brackets. Raises ValueError for a part that does not fit."""
    return _mint(key, MailIdKind.NOTICE, ticket, notice, domain)


def verify_message_id(keys: Sequence[bytes], message_id: str) -> OwnMailId | None:
    """What a Message-ID of ours refers to, with or without angle brackets; None for any other id or a wrong HMAC.

    The domain is no part of the proof: it may change, and gateways rewrite it. Case is ignored.
    """
    match = OWN_ID.fullmatch(message_id.strip().lower())
    if not match:
        return None
    kind, ticket, item, given = match.groups()
    if not _proves(keys, given, kind, ticket, item):
        return None
    return OwnMailId(MailIdKind(kind), ticket, item)


def plus_address(key: bytes, address: str, token: str) -> str:
    """`support+{token}.{hmac}@domain` for the mailbox `support@domain`; the token is a reference or a ticket id.

    Raises ValueError where the token does not fit, or the local part would exceed 64 signs (RFC 5321).
    """
    local, separator, domain = address.strip().rpartition("@")
    if not separator or not local or "+" in local:
        raise ValueError(f"address: {address!r} is no mailbox address without a plus")
    _check("token", token, PIECE)
    tagged = f"{local}+{token}.{_mac(key, 'plus', token)}"
    if len(tagged) > MAX_LOCAL:
        raise ValueError(f"address: the local part would have {len(tagged)} signs, more than {MAX_LOCAL}")
    return f"{tagged}@{domain}"


def verify_plus_address(keys: Sequence[bytes], address: str) -> str | None:
    """The token (lower case) of a plus address of ours; None for any other address or a wrong HMAC."""
    match = PLUS.fullmatch(address.strip().lower())
    if not match or not _proves(keys, match[3], "plus", match[2]):
        return None
    return match[2]


def body_mark(key: bytes, token: str) -> str:
    """`[ref:{token}.{hmac}]` for the foot of a mail, where a gateway may change every header.

    The token is a reference or a ticket id; ValueError where it does not fit.
    """
    _check("token", token, PIECE)
    return f"[ref:{token}.{_mac(key, 'mark', token)}]".lower()


def verify_body_marks(keys: Sequence[bytes], text: str) -> tuple[str, ...]:
    """The tokens (lower case) of the marks of ours in a text, each once, in order; wrong HMACs are left out."""
    found = ((token.lower(), given.lower()) for token, given in MARK.findall(text))
    return tuple(dict.fromkeys(token for token, given in found if _proves(keys, given, "mark", token)))


def bare_address(address: str) -> str:
    """The mailbox of a plus address in lower case: `support@domain` of `support+anything@domain`."""
    local, separator, domain = address.strip().strip("<>").lower().rpartition("@")
    return f"{local.partition('+')[0]}{separator}{domain}"


def _mint(key: bytes, kind: MailIdKind, ticket: str, item: str, domain: str) -> str:
    _check("ticket", ticket, PIECE)
    _check("message" if kind is MailIdKind.REPLY else "notice", item, PIECE)
    _check("domain", domain, DOMAIN)
    return f"{kind}.{ticket}.{item}.{_mac(key, kind, ticket, item)}@{domain}".lower()


def _check(field: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value):
        raise ValueError(f"{field}: {value!r} does not fit into a mail id")


def _mac(key: bytes, *parts: str) -> str:
    """Eight signs of base32 (40 bits): mail systems change the case of ids, and base32 does not mind."""
    if len(key) < MIN_KEY:
        raise ValueError(f"key: {len(key)} bytes are too few, at least {MIN_KEY} are needed")
    digest = hmac.digest(key, ".".join(parts).lower().encode(), "sha256")
    return base64.b32encode(digest)[:MAC_SIGNS].decode().lower()


def _proves(keys: Sequence[bytes], given: str, *parts: str) -> bool:
    return any(hmac.compare_digest(_mac(key, *parts), given) for key in keys)
