"""Golden samples: data of every event, kept for ever, that today's models must read as well as those of their day."""

from collections.abc import Iterator
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"


def sample_folder(type_: str) -> Path:
    """Where the samples of a type are: `signalbox.ticket.opened.v1` has its own in `ticket.opened/v1`."""
    name, _, version = type_.removeprefix("signalbox.").rpartition(".")
    return SAMPLES / name / version


def samples(type_: str) -> Iterator[Path]:
    """The sample files of a type, by name: `minimal` has only what is required, `full` every field there is."""
    yield from sorted(sample_folder(type_).glob("*.json"))
