"""The folder of one embedded stack: where everything of it lives."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self

from libs.embedded.errors import CannotRun
from libs.embedded.folder_lock import FolderLock
from libs.embedded.private_file import read_private, write_private
from libs.embedded.secrets import Secrets


class DataFolder:
    """`lock`, `identity`, `secrets.json`, `stack.json`, `nats/`, `pg/` and `logs/` under one path.

    `DataFolder.claim(path)` makes it and keeps other stacks out; `DataFolder(path)` only looks, as a client does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.lock = FolderLock(self.path / "lock")
        self.secrets = Secrets(self.path / "secrets.json")
        self.stack = self.path / "stack.json"
        self.nats = self.path / "nats"
        self.postgres = self.path / "pg"
        self.logs = self.path / "logs"

    @classmethod
    @contextmanager
    def claim(cls, path: Path) -> Iterator[Self]:
        """The folder, made when missing and held until the end; FolderInUse when another stack has it."""
        folder = cls(path)
        folder._make()
        folder.lock.acquire()
        try:
            yield folder
        finally:
            folder.lock.release()

    @cached_property
    def identity(self) -> str:
        """The name that every server of this folder must prove to carry (42 characters, not a secret)."""
        path = self.path / "identity"
        if not path.exists():
            if not self.lock.held:
                raise CannotRun(f"{self.path} is not the data folder of a stack: it has no file identity")
            write_private(path, f"signalbox-{secrets.token_hex(16)}\n")
        return read_private(path).strip()

    def _make(self) -> None:
        if not self.path.exists():
            self.path.mkdir(parents=True)
            # PostgreSQL refuses to be root and runs as another user, who must be able to pass through, not to look
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for room in (self.nats, self.logs):
            room.mkdir(mode=0o700, exist_ok=True)
