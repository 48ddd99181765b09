"""Files that only their owner may read, written whole or not at all."""

import os
import secrets
import stat
from pathlib import Path

from libs.embedded.errors import CannotRun


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text`, mode 0600; a reader sees the old content or the new one, never a part."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def read_private(path: Path) -> str:
    """The text of `path`; CannotRun when others than its owner may read or write it."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise CannotRun(f"{path} holds secrets but is open to other users: chmod 600 {path}")
    return path.read_text(encoding="utf-8")
