"""Ports of the loopback interface."""

import random
import socket

from libs.embedded.errors import CannotRun

# Below the range from which systems take the ports of outgoing connections. There, while a server is down, a client
# that keeps dialling its port can be given that very port, connect to itself and keep the server out.
CANDIDATES = range(20_000, 32_000)
ATTEMPTS = 200
LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody uses at this moment; somebody may take one before it is used: be ready to retry."""
    ports: list[int] = []
    for port in random.sample(CANDIDATES, ATTEMPTS):
        if is_free(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise CannotRun(f"no {count} free ports found between {CANDIDATES.start} and {CANDIDATES.stop}")


def is_free(port: int) -> bool:
    """Can a server listen on this port of 127.0.0.1 now?"""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # as the servers do: connections of the past that linger in TIME_WAIT do not keep a port taken
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
