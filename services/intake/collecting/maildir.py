"""A Maildir: what lies in new/ is taken, and lies in cur/ afterwards. Keys are file names."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from services.intake.collecting.box import Fetched, Found
from services.intake.mail_sources import MailSource

SEEN = ":2,S"


class MaildirBox:
    """A folder of this machine that a mail server delivers into."""

    remembers = False

    def __init__(self, source: MailSource) -> None:
        assert source.maildir is not None
        self._folder, self._deletes = Path(source.maildir), source.after == "delete"

    def open(self) -> int:
        """FileNotFoundError if there is no such folder."""
        os.stat(self._folder / "new")
        return 0

    def begin(self) -> tuple[int, Sequence[Found]]:
        """Nothing is old in new/."""
        return 0, []

    def new(self, after: int) -> Sequence[Found]:
        """What lies in new/, as it came: names begin with the second of delivery."""
        files = sorted(entry.name for entry in os.scandir(self._folder / "new") if entry.is_file())
        return [Found(name) for name in files if not name.startswith(".")]

    def fetch(self, keys: Sequence[str], largest: int) -> Mapping[str, Fetched]:
        """A file that is gone meanwhile was taken by another."""
        return {key: self._read(self._folder / "new" / key, largest) for key in keys}

    def finish(self, keys: Sequence[str]) -> None:
        """Move to cur/, or delete; what has been moved already stays there."""
        (self._folder / "cur").mkdir(exist_ok=True)
        for key in keys:
            with suppress(FileNotFoundError):
                if self._deletes:
                    (self._folder / "new" / key).unlink()
                else:
                    (self._folder / "new" / key).rename(self._folder / "cur" / f"{key.partition(':')[0]}{SEEN}")

    def close(self) -> None:
        """There is nothing to close."""

    def _read(self, file: Path, largest: int) -> Fetched:
        try:
            if file.stat().st_size > largest:
                return Fetched(None, f"larger than {largest} bytes")
            return Fetched(file.read_bytes())
        except FileNotFoundError:
            return Fetched(None, "gone before it was fetched")
