"""Who gets a ticket: pure decisions over the queues, the agents and their loads, as they are under the locks."""
