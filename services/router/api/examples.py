"""An example of every body that a request of the router may carry, for its OpenAPI document: `METHOD path` to JSON."""

from collections.abc import Mapping
from typing import Any

AGENT = {"name": "Mira Holm", "email": "mira@example.com", "skills": ["billing"], "queues": ["billing"], "capacity": 20}
QUEUE = {"name": "Billing", "lead": "mira", "strategy": "round_robin"}

EXAMPLES: Mapping[str, Any] = {
    "POST /v1/agents": {"key": "mira", **AGENT},
    "PUT /v1/agents/{key}": AGENT,
    "PATCH /v1/agents/{key}": {"skills": ["billing", "german"]},
    "PUT /v1/agents/{key}/presence": {"presence": "online"},
    "POST /v1/queues": {"key": "billing", **QUEUE},
    "PUT /v1/queues/{key}": QUEUE,
    "PATCH /v1/queues/{key}": {"overflow": "support", "wait_limit": 3600},
    "POST /v1/tickets/{ticket_id}/assignment": {"assignee": "mira"},
}
