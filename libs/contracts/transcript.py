"""The fingerprint of a transcript, by which a source finds out whether all it said arrived as it said it."""

from hashlib import sha256


class TranscriptHash:
    """SHA-256 over the messages of a conversation in order of seq (behaviour C-2).

    Each message adds the line `<seq> <role> <length>`, its text, and a line break; everything is UTF-8, the length is
    that of the text in bytes, and a text counts without NUL characters.
    """

    def __init__(self) -> None:
        self._digest = sha256()

    def add(self, seq: int, role: str, text: str) -> None:
        """The next message, by seq; each seq once, as it was first said."""
        written = text.replace("\x00", "").encode()
        self._digest.update(f"{seq} {role} {len(written)}\n".encode())
        self._digest.update(written + b"\n")

    def hex(self) -> str:
        """The hash of what was added, 64 hexadecimal digits in lower case."""
        return self._digest.hexdigest()
