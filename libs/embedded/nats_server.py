"""nats-server of the wheel as our own child."""

import http.client
import json
import shutil
import signal
import socket
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from libs.embedded.data_folder import DataFolder
from libs.embedded.errors import CannotRun, NotReady, TryAgain, WrongServer
from libs.embedded.nats_config import NatsConfig, NatsUser
from libs.embedded.ports import LOOPBACK, free_ports
from libs.embedded.private_file import write_private
from libs.embedded.process import Child, wait_until
from libs.embedded.server import READY_SECONDS, EmbeddedServer
from libs.embedded.stale import clear_stale

PROBE_SECONDS = 2.0
INFO_BYTES = 64 * 1024


class NatsServer(EmbeddedServer):
    """A broker with JetStream on 127.0.0.1, known to `users` only; passwords come from the folder's secrets.

    Without `port` and `monitoring_port` free ones are chosen at the first start and kept for the life of this object.
    """

    stop_signal = signal.SIGTERM
    name = "nats-server"

    def __init__(
        self,
        folder: DataFolder,
        users: Sequence[NatsUser],
        *,
        port: int | None = None,
        monitoring_port: int | None = None,
    ) -> None:
        super().__init__(folder)
        self.users = tuple(users)
        self._asked = (port, monitoring_port)
        self._ports: tuple[int, int] | None = None
        self._was_ready = False
        self._config = folder.nats / "nats-server.conf"
        self._pid_file = folder.nats / "nats-server.pid"
        self._store = folder.nats / "store"

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self._chosen_ports()[0]

    @property
    def monitoring_port(self) -> int:
        """Where /varz, /jsz and /healthz answer."""
        return self._chosen_ports()[1]

    @property
    def url(self) -> str:
        """The address without a user."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def monitoring_url(self) -> str:
        """The address of the monitoring pages."""
        return f"http://{LOOPBACK}:{self.monitoring_port}"

    def url_of(self, user: str) -> str:
        """The address with a user and its password: pass it by environment, a command line is public."""
        return f"nats://{quote(user)}:{self.folder.secrets.nats_password(user)}@{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Write the configuration (mode 0600) after clearing a server that an earlier run left."""
        clear_stale(self._pid_file, str(self._config), end_by=signal.SIGKILL)
        self._store.mkdir(mode=0o700, exist_ok=True)
        config = NatsConfig(
            server_name=self.folder.identity,
            port=self.port,
            monitoring_port=self.monitoring_port,
            store=self._store,
            pid_file=self._pid_file,
            users=self.users,
            passwords={user.name: self.folder.secrets.nats_password(user.name) for user in self.users},
        )
        write_private(self._config, config.render())

    def launch(self) -> None:
        """Start the process."""
        command = [str(nats_binary()), "-c", str(self._config)]
        self._child = Child.launch(command, log=self.folder.logs / "nats-server.log")

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Until JetStream is healthy and the server has proven to be ours."""
        wait_until(self._serves, timeout=timeout, what="nats-server was not healthy")
        self._was_ready = True

    def verify(self) -> None:
        """WrongServer unless both ports answer with this folder's identity; OSError when nothing answers."""
        for port, seen in ((self.port, read_info(self.port)), (self.monitoring_port, self._page("/varz"))):
            if seen.get("server_name") != self.folder.identity:
                raise WrongServer(f"the server on port {port} is not the nats-server of {self.folder.path}")

    def wipe(self) -> None:
        """Remove all streams, as the loss of the broker's disk would; CannotRun while it runs."""
        if self.running:
            raise CannotRun("stop nats-server before wiping its store")
        shutil.rmtree(self._store, ignore_errors=True)

    def _chosen_ports(self) -> tuple[int, int]:
        if self._ports is None:
            port, monitoring_port = self._asked
            free, free_too = free_ports(2)
            self._ports = (port or free, monitoring_port or free_too)
        return self._ports

    def _serves(self) -> bool:
        if not self.running:
            raise self._reason()
        try:
            self.verify()
            return self._page("/healthz?js-enabled-only=true").get("status") == "ok"
        except (OSError, http.client.HTTPException, ValueError, WrongServer):
            return False  # a stranger on our port makes our process end soon, which tells more

    def _reason(self) -> NotReady:
        ended = self.ended()
        if "address already in use" not in str(ended):
            return ended
        taken = TryAgain(f"nats-server: port {self.port} or {self.monitoring_port} is taken by another program")
        if not self._was_ready:
            self._ports = None
        return taken

    def _page(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(LOOPBACK, self.monitoring_port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", path)
            return _object(connection.getresponse().read())
        finally:
            connection.close()


def read_info(port: int) -> dict[str, Any]:
    """What a NATS server says of itself to whoever connects to 127.0.0.1; WrongServer if it is none."""
    with socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS) as connection:
        greeting = connection.makefile("rb").readline(INFO_BYTES)
    if not greeting.startswith(b"INFO "):
        raise WrongServer(f"what listens on port {port} is not a NATS server")
    return _object(greeting.removeprefix(b"INFO "))


def nats_binary() -> Path:
    """The program of the wheel, else the one on the path; CannotRun when there is none."""
    beside_python = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = beside_python if beside_python.exists() else shutil.which("nats-server")
    if found is None:
        raise CannotRun("nats-server is missing: install signalbox with its extra 'embedded'")
    return Path(found)


def _object(text: bytes) -> dict[str, Any]:
    value = json.loads(text)
    return value if isinstance(value, dict) else {}
