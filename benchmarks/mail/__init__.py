"""What a mail costs, from the door until its ticket is routed and timed."""
