"""The folder that belongs to PostgreSQL: whose it is, where it is, and where the socket goes."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

from libs.embedded.errors import CannotRun
from libs.embedded.postgres_binaries import can_pass
from libs.embedded.process import User

UNPRIVILEGED = "nobody"
AWAY = Path("/var/lib/signalbox")
SOCKET_PATH_BYTES = 107
SHORT_PLACE = Path("/tmp")  # noqa: S108 - the owner is checked and the mode is 0700
SOCKET_NAME_BYTES = len("/.s.PGSQL.65535")


def database_user(place: Path) -> User | None:
    """Whom PostgreSQL runs as: None is ourselves; for root it is the owner of an existing `place`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    owner = place.stat().st_uid if place.exists() else 0
    try:
        found = pwd.getpwuid(owner) if owner else pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise CannotRun(f"PostgreSQL refuses to run as root, and its other user is unknown here: {error}") from error
    return User(found.pw_name, found.pw_uid, found.pw_gid)


def make_home(place: Path, user: User | None, away: Path = AWAY) -> Path:
    """The real folder behind `place`, owned by PostgreSQL's user, mode 0700.

    Where that user cannot reach `place` (a data folder below the closed home of root), the folder is made below
    `away` and `place` becomes a link to it.
    """
    if place.is_symlink() and not place.exists():
        raise CannotRun(
            f"{place} points to {place.readlink()}, which is gone: restore it, or remove the link to start anew"
        )
    if not place.exists():
        if user is None or can_pass(place.parent, user):
            place.mkdir(mode=0o700)
        else:
            place.symlink_to(_made_away(away))
    home = place.resolve()
    if user is not None and home.stat().st_uid == 0:
        os.chown(home, user.uid, user.gid)
    _require_usable(home, user)
    return home


def make_socket_folder(home: Path, user: User | None, identity: str) -> Path:
    """A fresh `home/run`, or a short folder below /tmp when that path is too long for a socket (107 bytes).

    The place is the same at every start, so that clients find the server again.
    """
    folder = socket_folder(home, identity)
    if folder.exists() and folder.stat().st_uid not in _ours(user):
        raise CannotRun(f"{folder} belongs to another user: the socket of PostgreSQL cannot be put there")
    remove_socket_folder(folder)
    folder.mkdir(mode=0o700)
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def socket_folder(home: Path, identity: str) -> Path:
    """Where the socket of this cluster goes."""
    near = home / "run"
    fits = len(os.fsencode(near)) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES
    return near if fits else SHORT_PLACE / f"signalbox-{identity[-16:]}"


def remove_socket_folder(folder: Path) -> None:
    """Remove the socket's folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _ours(user: User | None) -> tuple[int, ...]:
    return (os.geteuid(), user.uid) if user else (os.geteuid(),)


def _made_away(away: Path) -> Path:
    away.mkdir(mode=0o711, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="pg-", dir=away))


def _require_usable(home: Path, user: User | None) -> None:
    uid = user.uid if user else os.geteuid()
    if home.stat().st_uid != uid:
        raise CannotRun(f"{home} belongs to user id {home.stat().st_uid}, but PostgreSQL would run as {uid}")
    if user is not None and not can_pass(home, user):
        raise CannotRun(
            f"PostgreSQL runs as user {user.name}, who cannot reach {home}: open the folders above it (chmod o+x)"
        )
