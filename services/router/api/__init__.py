"""The router over HTTP: agents, queues, why a ticket is where it is, assignment by hand, the rules."""

from services.router.api import agents, queues, rules, tickets

ROUTERS = (agents.router, queues.router, tickets.router, rules.router)
