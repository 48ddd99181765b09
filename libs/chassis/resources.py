"""What a running service has at hand, for its API routes and workers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from libs.chassis.clock import Clock
from libs.chassis.configuration import ConfigurationHolder
from libs.chassis.database import Database
from libs.chassis.metrics import Metrics
from libs.chassis.settings import Settings
from libs.chassis.simulation import Work
from libs.chassis.tokens import Tokens
from libs.chassis.transaction import Transactions
from libs.chassis.wire import Broker


@dataclass(slots=True)
class Resources:
    """The parts of one process. `peers` is an HTTP client with a system token, for the other services."""

    name: str
    settings: Settings
    database: Database
    transactions: Transactions
    clock: Clock
    configuration: ConfigurationHolder
    metrics: Metrics
    broker: Broker
    tokens: Tokens
    peers: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class Worker:
    """A job of a service beside facts, timers and requests: receiving mail, sending mail.

    run: works until its event is set. leased: on one replica at a time. left: what it still has to do at an instant,
    so that simulated time does not run away from it.
    """

    name: str
    run: Callable[[Resources, asyncio.Event], Awaitable[None]]
    leased: bool = False
    left: Callable[[Resources, datetime], Awaitable[Work]] | None = None
