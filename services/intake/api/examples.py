"""An example of every body that a request of intake may carry, for its OpenAPI document: `METHOD path` to JSON."""

from collections.abc import Mapping
from typing import Any

from services.intake.mail_frames import framed

TICKET = "0195a1b2-0000-7000-8000-000000000001"
MAIL = (
    "From: Ada Byron <ada@example.org>\r\nTo: help@support.example.com\r\nSubject: My lamp flickers\r\n"
    "Message-ID: <1@example.org>\r\nDate: Mon, 02 Mar 2026 09:00:00 +0000\r\n\r\nSince yesterday.\r\n"
)
SHORT = "From: ada@example.org\r\nTo: help@support.example.com\r\nSubject: Lamp\r\n\r\nIt flickers.\r\n"

EXAMPLES: Mapping[str, Any] = {
    "POST /v1/tickets": {
        "subject": "Lamp broken",
        "text": "It flickers since yesterday.",
        "channel": "phone",
        "customer": {"name": "Ada Byron", "email": "ada@example.org"},
        "priority": "high",
        "tags": ["lamps"],
        "note": "sounded upset",
    },
    "PATCH /v1/tickets/{ticket}": {"status": "pending", "priority": "low", "tags": ["lamps"]},
    "POST /v1/tickets/bulk": {
        "filter": {"view": "unassigned", "tag": ["spam"]},
        "change": {"status": "resolved"},
        "note": "Cleared out",
    },
    "POST /v1/tickets/{ticket}/replies": {"text": "Please try another bulb.", "submit_as": "pending"},
    "POST /v1/tickets/{ticket}/notes": {"text": "Third lamp of this batch."},
    "POST /v1/tickets/{ticket}/merge": {"sources": [TICKET], "confirm_requesters": True, "copy_requesters": True},
    "POST /v1/tickets/{ticket}/apply-template": {"template": "refund"},
    "POST /v1/tickets/{ticket}/macros/{macro}": {"language": "en"},
    "POST /v1/tickets/{ticket}/remove": {"reason": "spam"},
    "POST /v1/tickets/{ticket}/restore": {"reason": "no spam after all"},
    "POST /v1/tickets/{ticket}/rating": {"score": 5, "comment": "Quick and kind."},
    "POST /v1/views": {"label": "Urgent billing", "where": "priority = critical and queue = billing"},
    "PATCH /v1/views/{view}": {"label": "Billing, urgent"},
    "POST /v1/conversations/tickets": {
        "items": [{"source": "shop", "conversation_id": "web-1", "topic": "refund", "reason": "asks for a person"}]
    },
    "POST /v1/conversations/{source}/{conversation_id}/ticket": {"subject": "Lamp broken", "priority": "high"},
    "PATCH /v1/customers/{customer}": {"name": "Ada Byron", "tier": "gold"},
    "POST /v1/customers/{customer}/identities": {"kind": "email", "value": "ada@example.org"},
    "POST /v1/customers/{customer}/identities/unlink": {"kind": "email", "value": "ada@example.org"},
    "PUT /v1/customers/{customer}/legal-hold": {"reason": "case 4711"},
    "POST /v1/customers/{customer}/merge": {"sources": ["0195a1b2-0000-7000-8000-000000000002"]},
    "POST /v1/emails": MAIL,
    "POST /v1/mail/import": framed([SHORT.encode()]).decode(),
    "POST /v1/attachments": "the bytes of the file",
}
