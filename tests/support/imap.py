"""A real IMAP server as a process of its own, with one mailbox in memory."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from imapclient import IMAPClient

USER, PASSWORD = "help@support.example.com", "secret of the mailbox"
START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where it listens, without TLS."""

    port: int

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """A person's mail program."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        client.login(USER, PASSWORD)
        yield client
        client.logout()

    def deliver(self, folder: str, *mails: bytes) -> None:
        """Mails arrive in a folder, which is made if there is none."""
        with self.client() as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for raw in mails:
                client.append(folder, raw)

    def flags(self, folder: str) -> list[tuple[bytes, ...]]:
        """The flags of each mail in a folder, in order."""
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(["ALL"]), ["FLAGS"]) if client.search(["ALL"]) else {}
        return [tuple(flag for flag in found[uid][b"FLAGS"] if flag != b"\\Recent") for uid in sorted(found)]


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """Running within the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    program = Path(sys.executable).parent / "pymap"
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict"]
    user = ["--demo-user", USER, "--demo-password", PASSWORD]
    process = subprocess.Popen([program, *arguments, *user], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield ImapServer(port)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "the IMAP server ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert monotonic() < deadline, "the IMAP server does not listen"
            sleep(0.05)
        else:
            return
