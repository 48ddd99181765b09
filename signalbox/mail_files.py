"""Mails in files and folders: .eml, mbox, Maildir."""

import mailbox
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

MBOX = b"From "
FOLDERS = ("new", "cur")
"""The parts of a Maildir that hold mails."""


def mails_in(paths: Sequence[Path]) -> Iterator[bytes]:
    """The mails of each, one after the other: nothing is held in memory but one mail."""
    for path in paths:
        yield from _mails(path)


def count_mails(paths: Sequence[Path]) -> int:
    """How many there are, found without reading them whole."""
    return sum(_count(path) for path in paths)


def _mails(path: Path) -> Iterator[bytes]:
    """A file that begins with `From ` is an mbox, any other is one mail; a folder is a Maildir or has .eml files."""
    if path.is_dir():
        for file in _files(path):
            yield from _mails(file)
    elif _is_mbox(path):
        with closing(mailbox.mbox(path, create=False)) as box:
            for key in box.iterkeys():
                yield box.get_bytes(key)
    else:
        yield path.read_bytes()


def _count(path: Path) -> int:
    if path.is_dir():
        return sum(_count(file) for file in _files(path))
    if not _is_mbox(path):
        return 1
    with closing(mailbox.mbox(path, create=False)) as box:
        return len(box)


def _files(folder: Path) -> list[Path]:
    parts = [folder / name for name in FOLDERS if (folder / name).is_dir()]
    if parts:
        return sorted(file for part in parts for file in part.iterdir() if file.is_file())
    return sorted(folder.glob("*.eml"))


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MBOX)) == MBOX
