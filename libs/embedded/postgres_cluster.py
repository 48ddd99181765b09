"""A new PostgreSQL cluster: there whole or not at all."""

import os
import shutil
import signal
from pathlib import Path

from libs.embedded.errors import CannotRun
from libs.embedded.postgres_binaries import PostgresBinaries
from libs.embedded.process import User, spawn

INITDB_SECONDS = 120.0
LOG_CHARACTERS = 2_000


def make_cluster(
    binaries: PostgresBinaries, cluster: Path, password: str, user: User | None, *, log: Path, durable: bool
) -> None:
    """Run initdb beside `cluster` and rename; a crash in between leaves nothing that a later start would take."""
    fresh = cluster.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    password_file = cluster.with_name("password.new")
    try:
        _hand_over(password_file, password, user)
        _initdb(_command(binaries, fresh, password_file, durable=durable), user, log)
    finally:
        password_file.unlink(missing_ok=True)
    fresh.rename(cluster)


def _command(binaries: PostgresBinaries, fresh: Path, password_file: Path, *, durable: bool) -> list[str]:
    return [
        binaries.program("initdb"),
        f"--pgdata={fresh}",
        "--username=postgres",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # the same order of texts on every machine, with upper and lower case beyond ASCII
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *([] if durable else ["--no-sync"]),
    ]


def _initdb(command: list[str], user: User | None, log: Path) -> None:
    with log.open("w+b") as output:
        process = spawn(command, output=output.fileno(), user=user, death_signal=signal.SIGKILL)
        code = process.wait(INITDB_SECONDS)
    if code != 0:
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-LOG_CHARACTERS:]
        raise CannotRun(f"initdb ended with code {code}\n{said}")


def _hand_over(path: Path, password: str, user: User | None) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(password + "\n")
    if user is not None:
        os.chown(path, user.uid, user.gid)
