"""How far a speaker has spoken: `watermark.<speaker>` on core NATS, ten times a second (decisions 13).

{"t": instant, "stream_seq": number}: whatever the speaker committed before t is in the stream up to that number.
"""

from datetime import datetime
from time import monotonic

from pydantic_core import from_json, to_json

from libs.chassis.wire import Frame, Wire
from libs.contracts.fact import encode_time

SECONDS = 0.1


class Watermark:
    """The speaking side, kept by the relay."""

    def __init__(self, speaker: str, stream: str) -> None:
        self._subject, self._stream = f"watermark.{speaker}", stream
        self._said_at = 0.0
        self._floor = 0

    def due(self) -> bool:
        return monotonic() - self._said_at >= SECONDS

    def seconds_left(self) -> float:
        return max(0.001, SECONDS - (monotonic() - self._said_at))

    def forget(self) -> None:
        """The stream's last number has to be asked for again."""
        self._floor = 0

    async def say(self, wire: Wire, moment: datetime, sequence: int) -> None:
        """Say that everything committed before `moment` is in the stream up to `sequence`.

        Until this relay has published anything itself, the stream's own last number stands for what its predecessor
        published.
        """
        if not sequence and not self._floor:
            self._floor = (await wire.jetstream().stream_info(self._stream)).state.last_seq
        self._said_at = monotonic()
        mark = {"t": encode_time(moment), "stream_seq": max(sequence, self._floor)}
        await wire.publish(self._subject, to_json(mark))


class Watermarks:
    """The listening side: the latest mark of each speaker."""

    def __init__(self) -> None:
        self._marks: dict[str, tuple[datetime, int]] = {}

    async def start(self, wire: Wire, speakers: list[str]) -> None:
        for speaker in speakers:
            await wire.receive_raw(f"watermark.{speaker}", self._receive)

    def sequence_after(self, speaker: str, moment: datetime) -> int | None:
        """Stream number up to which all that `speaker` committed before `moment` is; None when not known yet."""
        mark = self._marks.get(speaker)
        return mark[1] if mark is not None and mark[0] > moment else None

    def _receive(self, frame: Frame) -> None:
        mark = from_json(frame.payload)
        speaker = frame.subject.decode().partition(".")[2]
        self._marks[speaker] = (datetime.fromisoformat(mark["t"]), int(mark["stream_seq"]))
