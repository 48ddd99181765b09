"""What a command could not do, for people: one line that says what to do next."""


class Failure(Exception):
    """Printed as `error: ...`; the exit code is 1."""
