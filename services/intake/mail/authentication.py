"""What a trusted mail server found out about the sender of a mail (RFC 8601): Authentication-Results."""

import re
from collections.abc import Iterator, Set

from services.intake.mail.message import Mail

MAX_RESULTS = 50
COMMENT = re.compile(r"\([^()]*\)")
RESULT = re.compile(r"\s*([a-z0-9-]{1,20})\s*=\s*([a-z]{1,20})\b(.*)", re.IGNORECASE | re.DOTALL)
PROPERTY = re.compile(r"\b(header\.d|smtp\.mailfrom|header\.from)\s*=\s*\"?([^\s\";]{1,320})", re.IGNORECASE)


def verified_sender(mail: Mail, trusted_servers: Set[str]) -> bool | None:
    """Whether the mail is from the domain of its From, as a trusted server says; None where none says anything.

    True for a DMARC pass, and for a DKIM or SPF pass of that domain or one above it; False for a DMARC failure, which
    counts more. `trusted_servers` are authserv-ids in lower case. These servers must take away what others have written
    in their name (RFC 8601, 5); what any other server wrote is ignored.
    """
    author, passed = mail.from_.domain, False
    for method, result, properties in _results(mail, trusted_servers):
        if method == "dmarc":
            if result == "fail":
                return False
            passed = passed or (result == "pass" and _is_of(properties.get("header.from", author), author))
        elif result == "pass" and method == "dkim":
            passed = passed or _is_of(properties.get("header.d", ""), author)
        elif result == "pass" and method == "spf":
            passed = passed or _is_of(properties.get("smtp.mailfrom", ""), author)
    return True if passed else None


def _results(mail: Mail, trusted_servers: Set[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, result and properties of every result by a trusted server."""
    for value in mail.headers.all("authentication-results"):
        server, _, verdicts = COMMENT.sub(" ", value).partition(";")
        if server.strip().split(" ")[0].lower() not in trusted_servers:
            continue
        for verdict in verdicts.split(";")[:MAX_RESULTS]:
            match = RESULT.match(verdict)
            if match is not None:
                properties = {name.lower(): found.lower() for name, found in PROPERTY.findall(match[3])}
                yield match[1].lower(), match[2].lower(), properties


def _is_of(signer: str, author: str) -> bool:
    """Whether a domain may speak for the author's: it is that domain or one above it, and not a top level domain."""
    domain = signer.rpartition("@")[2].rstrip(".")
    return "." in domain and bool(author) and (author == domain or author.endswith(f".{domain}"))
