"""The broker's client with a light path for the frames that come by the thousand.

nats-py parses headers into a dictionary, builds a message object and crosses a queue for every frame; that is a third
of a service's CPU. A light subscription gets the raw frame instead, without a copy, a task or a coroutine. Two
private hooks of nats-py are used, `_ps` (the protocol parser) and `_send_command`; its version is pinned for that
reason and `test_wire.py` fails when they change.
"""

from collections.abc import Callable
from typing import Any

from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.protocol.parser import Parser

from libs.chassis.broker_headers import read_headers_as_they_are

read_headers_as_they_are()

_CRLF = b"\r\n"
_HMSG, _MSG = ord("H"), ord("M")


class Frame:
    """One delivered message, unparsed. `headers` is the whole block, b"NATS/1.0...", or empty."""

    __slots__ = ("headers", "payload", "reply", "subject")

    def __init__(self, subject: bytes, reply: bytes, headers: bytes, payload: bytes) -> None:
        self.subject, self.reply, self.headers, self.payload = subject, reply, headers, payload

    @property
    def status(self) -> int | None:
        """Code of a status message of the server, e.g. 404 for no messages; None for a message proper."""
        return int(self.headers[9:12]) if self.headers[8:9] == b" " else None


Receive = Callable[[Frame], None]


class Wire(Client):
    """nats-py's client; `receive_raw` and `send_raw` are the light path, everything else is as it was."""

    def __init__(self) -> None:
        super().__init__()
        self._ps = LightParser(self)
        self.light: dict[int, Receive] = {}
        self._raw: dict[int, Subscription] = {}

    async def receive_raw(self, subject: str, receive: Receive) -> int:
        """Subscribe; `receive` is called at once, synchronously, for each frame. Survives reconnects. Returns a sid."""
        subscription = await self.subscribe(subject)
        sid = subscription._id
        self.light[sid] = receive
        self._raw[sid] = subscription
        return sid

    async def stop_raw(self, sid: int | None) -> None:
        """Unsubscribe: the server forgets requests that are still open, and delivers nothing more into the void."""
        subscription = self._raw.pop(sid or 0, None)
        self.light.pop(sid or 0, None)
        if subscription is not None and not (self.is_closed or self.is_draining):
            await subscription.unsubscribe()

    async def send_raw(self, commands: list[bytes]) -> None:
        """Write complete protocol commands to the socket, in order, in one go.

        ConnectionError when there is no connection now: nothing is kept for later, an ack or a fact of a connection
        that is gone must not reach a broker that may have been wiped.
        """
        if not self.is_connected:
            raise ConnectionError("no connection to the broker")
        await self._send_command(b"".join(commands))
        await self._flush_pending()


class LightParser(Parser):
    """Splits the byte stream; light frames are handed over here, all others go the client's usual way."""

    def __init__(self, client: Wire) -> None:
        super().__init__(client)
        self._client = client
        self._rest = b""

    def reset(self) -> None:
        super().reset()
        self._rest = b""

    async def parse(self, data: bytes = b"") -> None:
        """Consume what was read from the socket."""
        buffer = self._rest + data if self._rest else data
        light = self._client.light
        at, size = 0, len(buffer)
        while at < size:
            line = buffer.find(_CRLF, at)
            if line < 0:
                break
            kind = buffer[at]
            if kind not in (_HMSG, _MSG):
                await super().parse(buffer[at : line + 2])
                at = line + 2
                continue
            words = buffer[at:line].split()
            end = line + 2 + int(words[-1])
            if end + 2 > size:
                break
            body = line + 2 + (int(words[-2]) if kind == _HMSG else 0)
            reply = words[3] if len(words) == (6 if kind == _HMSG else 5) else b""
            sid, headers, payload = int(words[2]), buffer[line + 2 : body], buffer[body:end]
            at = end + 2
            receive = light.get(sid)
            if receive is not None:
                receive(Frame(words[1], reply, headers, payload))
            else:
                await self._client._process_msg(sid, words[1], reply, payload, headers)
        self._rest = buffer[at:]


class Broker(NatsBroker):
    """FastStream's broker on a Wire."""

    async def _connect(self) -> Client:
        connection = Wire()
        await connection.connect(**self._connection_kwargs)
        self.config.connect(connection)
        return connection

    @property
    def wire(self) -> Wire:
        """The live client; the same object through every reconnect."""
        connection = self.connection
        assert isinstance(connection, Wire)
        return connection


def publish_command(subject: str, reply: str, headers: bytes, payload: bytes) -> bytes:
    """HPUB as bytes; `headers` is a complete block."""
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (
        subject.encode(),
        reply.encode(),
        len(headers),
        len(headers) + len(payload),
        headers,
        payload,
    )


def request_command(subject: str, reply: str, payload: bytes) -> bytes:
    """PUB with a reply subject as bytes."""
    return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload)


def acknowledgment(reply: bytes, verb: bytes = b"+ACK") -> bytes:
    """An explicit ack (or b"-NAK") of one delivered message as bytes."""
    return b"PUB %b %d\r\n%b\r\n" % (reply, len(verb), verb)


def connection_options(**extra: Any) -> dict[str, Any]:
    """How every connection of a service behaves: it never gives up, and it notices a dead broker within 10 s."""
    return {
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.2,
        "ping_interval": 5,
        "max_outstanding_pings": 2,
        "logger": None,
        **extra,
    }


def header_fields(block: bytes) -> dict[str, str]:
    """A header block as a dictionary; of repeated names the last value. ValueError for a line without a colon."""
    found = {}
    for line in block.split(_CRLF)[1:]:
        if line:
            name, colon, value = line.decode("utf-8").partition(":")
            if not colon:
                raise ValueError(f"header line {name[:60]!r} has no colon")
            found[name.strip()] = value.strip()
    return found
