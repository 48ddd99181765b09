"""Content-Transfer-Encoding undone, whatever the sender broke."""

import binascii
import re

NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
# in lines of 60 signs and more, anything foreign ends the base64 text: a footer that a gateway appended
PADDED = re.compile(rb"[A-Za-z0-9+/\s]*={0,2}")

# blanks at the end of a line were added on the way (RFC 2045, 6.7), and not all programs take them away
UNSOUND = (b" \r\n", b"\t\r\n")
SOUND = b"\t\r\n" + bytes(range(32, 127))
QUOTED = re.compile(rb"=(?:[0-9A-F]{2}|\r\n)")


def undo(content: bytes, encoding: str) -> bytes:
    """The bytes behind a transfer encoding; unknown encodings and text that is not encoded come back as they are."""
    name = encoding.strip().strip("\"'").lower()
    if name in ("base64", "b", "x-base64"):
        return base64_bytes(content)
    if name in ("quoted-printable", "q", "quotedprintable"):
        return binascii.a2b_qp(content)
    if name in ("x-uuencode", "uuencode", "x-uue"):
        return uuencoded_bytes(content)
    return content


def is_sound_quoted(content: bytes) -> bool:
    """Whether quoted-printable text is as RFC 2045 wants it, so that no two programs read it differently."""
    lines = content.count(b"\r\n")
    if content.count(b"\n") != lines or content.count(b"\r") != lines or content.translate(None, SOUND):
        return False
    if content.endswith((b" ", b"\t", b"=\r\n")) or any(sign in content for sign in UNSOUND):
        return False
    return len(QUOTED.findall(content)) == content.count(b"=")


def base64_bytes(content: bytes) -> bytes:
    """Bytes of base64 text up to its padding; what follows the padding is not part of it."""
    end = PADDED.match(content)
    read = content[: end.end()] if end and b"=" in end[0] else content
    signs = NOT_BASE64.sub(b"", read).rstrip(b"=")
    if len(signs) % 4 == 1:
        signs = signs[:-1]
    if not signs:
        return content.strip() and b""
    try:
        return binascii.a2b_base64(signs + b"=" * (-len(signs) % 4))
    except binascii.Error:
        # padding in the middle: pieces that were encoded one by one, or damage
        whole = signs.replace(b"=", b"")
        whole = whole[: len(whole) - (len(whole) % 4 == 1)]
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def uuencoded_bytes(content: bytes) -> bytes:
    """Bytes of a uuencoded block; damaged lines are left out."""
    lines = iter(content.splitlines())
    for line in lines:
        if line.startswith(b"begin "):
            break
    decoded = []
    for line in lines:
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(decoded)
