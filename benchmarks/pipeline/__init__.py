"""What a ticket costs from its conversation to the counters, beside the naive variant; see docs/performance.md."""
