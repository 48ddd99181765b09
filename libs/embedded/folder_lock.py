"""One stack per data folder: nats-server itself lets a second server onto the same store."""

import fcntl
import os
from pathlib import Path

from libs.embedded.errors import FolderInUse


class FolderLock:
    """An advisory lock on a file, held until `release` or the end of the process, kill -9 included.

    The file keeps the holder's process id as a courtesy to people; only the lock itself decides.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Does this object hold the lock?"""
        return self._handle is not None

    def acquire(self) -> None:
        """Take the lock, or raise FolderInUse at once."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise FolderInUse(
                f"{self.path.parent} is in use by another stack (process {holder}): stop it, or choose another folder"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def is_taken(self) -> bool:
        """Does anybody hold the lock at this moment?"""
        if self.held:
            return True
        try:
            self.acquire()
        except FolderInUse:
            return True
        except FileNotFoundError:
            return False
        self.release()
        return False

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
