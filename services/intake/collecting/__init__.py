"""Mail is collected from mailboxes of other servers: every mail once, whatever dies in between (behaviour E-1)."""
