"""A whole system in a folder of its own, on simulated time, and everybody who speaks to it."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from libs.chassis.driver import Driver
from libs.chassis.tokens import Tokens
from libs.contracts.publisher import Publisher
from signalbox.demo.office import Office
from signalbox.demo.outbox import Outbox
from signalbox.stack.stack import Stack, StackOptions


@dataclass(frozen=True, slots=True)
class Stage:
    """What a performance needs. publishers: by the name of the source."""

    office: Office
    outbox: Outbox
    publishers: dict[str, Publisher]
    driver: Driver
    smtp_port: int


@asynccontextmanager
async def set_up(configuration: Path, start: datetime, report: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Everything ready at `start`; afterwards everything has stopped and the folder is gone."""
    with _own_folder() as folder:
        async with AsyncExitStack() as cleanup:
            options = StackOptions(configuration, start=start)
            stack = await cleanup.enter_async_context(Stack.up(folder / "data", options, report))
            office = await cleanup.enter_async_context(Office(stack.urls, Tokens(_signing_key(stack))))
            publishers = {
                source: await cleanup.enter_async_context(Publisher(stack.nats.url_of(source), source))
                for source in options.sources
            }
            assert stack.driver is not None
            yield Stage(office, Outbox(stack.spool.folder), publishers, stack.driver, stack.smtp_port)


@contextmanager
def _own_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="signalbox-demo-") as name:
        folder = Path(name)
        # PostgreSQL may run as another user, who has to pass through
        folder.chmod(0o711)
        yield folder


def _signing_key(stack: Stack) -> str:
    return stack.folder.secrets.token_signing_key()
