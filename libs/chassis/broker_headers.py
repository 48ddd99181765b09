"""nats-py's own header parser, whatever else is installed.

Where fast-mail-parser can be imported, nats-py reads headers with it as if they were mail: since 0.10 every value
becomes a list, which breaks reading a key-value bucket, and encoded words are decoded.
"""

from nats.aio import client


def read_headers_as_they_are() -> None:
    """Every client of this process gives header values as the text that was sent. May be called again."""
    vars(client)["parse_email"] = None
