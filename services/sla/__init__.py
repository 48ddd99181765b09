"""The promises to customers: clocks, warnings and breaches."""
