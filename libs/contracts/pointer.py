"""JSON pointers (RFC 6901): how a place in a document is named."""


def step(name: str) -> str:
    """A name as one step of a pointer, with the slash before it."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
