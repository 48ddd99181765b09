"""Phone numbers, so that one number written in two ways is one."""

import re

SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+|\(0\)")
NUMBER = re.compile(r"\+?[0-9]{5,20}")


def phone_key(written: str | None) -> str | None:
    """`+4930123456` for `0049 (0)30 12 34-56`; a national number without its zero is not guessed. What is no number is
    left as it is; None for nothing.
    """
    text = (written or "").strip()
    bare = SEPARATORS.sub("", text.replace("(0)", "") if text.startswith(("+", "00")) else text)
    if not NUMBER.fullmatch(bare):
        return text or None
    return f"+{bare[2:]}" if bare.startswith("00") else bare
