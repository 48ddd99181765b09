"""Bytes to text by a charset label that may be missing, misspelt or wrong."""

import codecs
import re
from functools import lru_cache

# what mail programs write, and what the bytes then really are
ALIASES = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "x-euc-jp": "euc-jp",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}
# codecs that are slow, or that are not a charset
REFUSED = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "charmap"})
# bytes above 127 prove such a label wrong
SEVEN_BIT = frozenset({"utf-7", "iso2022_jp_ext", "iso2022_jp", "iso2022_kr", "hz"})
GOOD = re.compile("[^\x00-\x7f\ufffd]")
LABEL = re.compile(r"[A-Za-z0-9._:+-]{1,40}")


@lru_cache(maxsize=512)
def codec(label: str) -> str | None:
    """The Python codec for a charset label, or None for a label that names no charset."""
    cleaned = label.strip().strip("\"'").lower()
    if not LABEL.fullmatch(cleaned):
        return None
    cleaned = ALIASES.get(cleaned, cleaned)
    for candidate in (cleaned, re.sub(r"^(?:x-)?(?:windows|cp|ibm|dos|ms)[-_ ]?(\d+)$", r"cp\1", cleaned)):
        try:
            found = codecs.lookup(candidate)
            # transformations such as "zlib" are no charset: decoding with one is a LookupError
            b"a".decode(found.name, "replace")
        except (LookupError, ValueError, UnicodeError):
            continue
        if found.name not in REFUSED:
            return found.name
    return None


def decode(content: bytes, label: str = "") -> str:
    """Text of `content`; never raises. Without a usable label, and for a wrong "UTF-8", Windows-1252 is the guess."""
    name = codec(label) if label else "utf-8"
    if name in (None, "utf-8") or (name in SEVEN_BIT and not content.isascii()):
        return without_nul(_utf8_or_guess(content))
    text = content.decode(name, "replace")
    if name == "utf-7":
        # it can spell half a surrogate pair, which no database takes
        text = text.encode("utf-8", "replace").decode("utf-8")
    return without_nul(text)


def _utf8_or_guess(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    text = content.decode("utf-8", "replace")
    # one broken byte among good UTF-8 is damage; no good UTF-8 at all is another charset
    if GOOD.search(text):
        return text
    return content.decode("cp1252", "replace")


def without_nul(text: str) -> str:
    """`text` without NUL signs, which no text column of a database takes."""
    return text.replace("\0", "") if "\0" in text else text
