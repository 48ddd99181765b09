"""Mail as intake understands it: pure functions from bytes to decisions, without IO and without a clock."""
