"""PostgreSQL of the wheel as our own child."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from libs.embedded.data_folder import DataFolder
from libs.embedded.errors import CannotRun, EmbeddedError, NotReady, TryAgain, WrongServer
from libs.embedded.ports import LOOPBACK
from libs.embedded.postgres_binaries import PostgresBinaries, wheel_binaries
from libs.embedded.postgres_cluster import make_cluster
from libs.embedded.postgres_home import (
    AWAY,
    database_user,
    make_home,
    make_socket_folder,
    remove_socket_folder,
    socket_folder,
)
from libs.embedded.postgres_settings import DURABLE, FAST, SETTINGS, arguments
from libs.embedded.process import ENVIRONMENT, Child, User, wait_until
from libs.embedded.server import READY_SECONDS, EmbeddedServer
from libs.embedded.stale import clear_stale

SUPERUSER = "postgres"
DEFAULT_PORT = 5432
STATUS_LINE = 7
PASSES_BY_ITSELF = ("pre-existing shared memory block", "could not bind", "lock file")


class PostgresServer(EmbeddedServer):
    """A cluster in `pg/` of the folder, on a unix socket; on 127.0.0.1 as well when `port` is given.

    Passwords (SCRAM) come from the folder's secrets. `durable=False` gives up fsync, for tests. `settings` add to or
    replace those of `postgres_settings`. As root, PostgreSQL runs as the user `nobody` and only `pg/` is its own.
    """

    stop_signal = signal.SIGINT
    name = "PostgreSQL"

    def __init__(
        self,
        folder: DataFolder,
        *,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        binaries: PostgresBinaries | None = None,
        away: Path = AWAY,
    ) -> None:
        super().__init__(folder)
        self.port = port
        self._durable = durable
        self._settings = dict(settings or {})
        self._binaries = binaries or wheel_binaries()
        self._away = away
        self._user: User | None = None
        self._home = folder.postgres
        self._runnable = self._binaries

    @property
    def cluster(self) -> Path:
        """The data directory."""
        return self._home / "data"

    @property
    def socket_folder(self) -> Path:
        """The host to connect to."""
        return socket_folder(self._home, self.folder.identity)

    def url_of(self, role: str, database: str = "postgres") -> str:
        """The address over the socket with a role and its password: pass it by environment."""
        password = self.folder.secrets.postgres_password(role)
        host, port = quote(str(self.socket_folder), safe="/"), self.port or DEFAULT_PORT
        return f"postgresql://{quote(role)}:{password}@/{quote(database)}?host={host}&port={port}"

    def prepare(self) -> None:
        """Make the cluster at the first start; clear what an earlier run left."""
        self._user = database_user(self.folder.postgres)
        self._home = make_home(self.folder.postgres, self._user, self._away)
        self._runnable = self._reachable_binaries()
        clear_stale(self._pid_file, self.folder.identity, end_by=signal.SIGQUIT)
        if not self.cluster.exists():
            password = self.folder.secrets.postgres_password(SUPERUSER)
            log = self.folder.logs / "initdb.log"
            make_cluster(self._runnable, self.cluster, password, self._user, log=log, durable=self._durable)
        self._require_same_major()
        make_socket_folder(self._home, self._user, self.folder.identity)

    def launch(self) -> None:
        """Start the process."""
        command = [self._runnable.program("postgres"), "-D", str(self.cluster), *arguments(self._all_settings())]
        log = self.folder.logs / "postgres.log"
        # SIGQUIT: the postmaster takes its backends along
        self._child = Child.launch(command, log=log, user=self._user, death_signal=signal.SIGQUIT)

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Until it accepts connections and has proven to be ours."""
        wait_until(self._accepts, timeout=timeout, what="PostgreSQL was not ready")
        self.verify()

    def verify(self) -> None:
        """WrongServer unless what answers on the socket carries this folder's identity."""
        if self.execute("SHOW cluster_name") != self.folder.identity:
            raise WrongServer(f"the server at {self.socket_folder} is not the PostgreSQL of {self.folder.path}")

    def execute(self, sql: str, database: str = "postgres") -> str:
        """Run one statement as superuser by psql and return its rows as text; EmbeddedError with the server's words.

        For administration at start-up; services have their own connections.
        """
        seen = subprocess.run(  # noqa: S603 - our own program
            [self._binaries.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql],
            env=self._client_environment(database),
            capture_output=True,
            text=True,
            check=False,
        )
        if seen.returncode != 0:
            raise EmbeddedError(f"PostgreSQL: {seen.stderr.strip()}")
        return seen.stdout.strip()

    def stop(self) -> None:
        """A fast shutdown; open transactions are rolled back."""
        super().stop()
        remove_socket_folder(self.socket_folder)

    @property
    def _pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    def _all_settings(self) -> dict[str, str]:
        ours = {
            "cluster_name": self.folder.identity,
            "listen_addresses": LOOPBACK if self.port else "",
            "port": str(self.port or DEFAULT_PORT),
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
        }
        return SETTINGS | (DURABLE if self._durable else FAST) | self._settings | ours

    def _accepts(self) -> bool:
        if not self.running:
            raise self._reason()
        try:
            lines = self._pid_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(self.pid) and lines[STATUS_LINE].strip() == "ready"

    def _reason(self) -> NotReady:
        ended = self.ended()
        passes = any(words in str(ended) for words in PASSES_BY_ITSELF)
        return TryAgain(str(ended)) if passes else ended

    def _reachable_binaries(self) -> PostgresBinaries:
        if self._user is None or self._binaries.readable_by(self._user):
            return self._binaries
        return self._binaries.copied_below(self._home / "programs")

    def _require_same_major(self) -> None:
        major = (self.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        if major != str(self._binaries.major):
            raise CannotRun(
                f"{self.cluster} was made by PostgreSQL {major}, installed is {self._binaries.major}: dump it with the"
                " former version and restore the dump into a new data folder"
            )

    def _client_environment(self, database: str) -> dict[str, str]:
        return ENVIRONMENT | {
            "PGHOST": str(self.socket_folder),
            "PGPORT": str(self.port or DEFAULT_PORT),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.folder.secrets.postgres_password(SUPERUSER),
            "PGDATABASE": database,
            "PGCONNECT_TIMEOUT": "5",
        }
