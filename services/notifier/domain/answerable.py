"""The last look at an address before something automatic goes there (behaviour A-1).

Intake has read the mail and says `suppress_reply`; this looks at nothing but the address, for what never was a mail.
"""

import re

from services.notifier.mail_file import MailFile, is_writable

SILENT = r"(?:.*[._-])?(?:no-?reply|do-?not-?reply)"
PROGRAMS = r"nobody|mailer-?daemon|postmaster|bounces?|listserv|majordomo|auto-?(?:reply|confirm|mailer)|root|daemon"
MACHINES = re.compile(rf"(?:{SILENT}|{PROGRAMS})(?:[+._=-].*)?", re.IGNORECASE)


def why_silent(address: str, mail: MailFile) -> str | None:
    """Why nothing automatic goes to a customer's address; None if it may."""
    if not is_writable(address):
        return "the address cannot be written to"
    local, _, domain = address.lower().rpartition("@")
    if address.lower() in mail.mailboxes or is_within(domain, mail.own_domains):
        return "the address is our own"
    if MACHINES.fullmatch(local):
        return "the address belongs to a machine"
    return None


def is_within(domain: str, domains: frozenset[str]) -> bool:
    """Whether a domain is one of these or below one of them."""
    return any(domain == own or domain.endswith(f".{own}") for own in domains)


def automatic_recipient(customer: str | None, return_path: str | None) -> str | None:
    """Where an automatic answer goes (behaviour A-2, RFC 3834 4): the envelope sender, if the customer's own.

    A form or a shop that writes for a customer has an envelope sender of its own: then the customer's address.
    """
    if customer is None or not return_path:
        return customer
    same_place = customer.rpartition("@")[2].lower() == return_path.rpartition("@")[2].lower()
    return return_path if same_place else customer
