"""`python -m tests.component.intake.job_process URL`: works off jobs until it is killed."""

import asyncio
import sys

from libs.chassis.clock import WallClock
from libs.chassis.configuration import Configuration
from libs.chassis.database import Database
from libs.chassis.transaction import Transactions
from libs.contracts.event import Speaker
from services.intake.app import SETTINGS
from services.intake.configuration import parse
from services.intake.job_worker import JobWorker
from tests.component.intake.conftest import files


async def main(url: str) -> None:
    pool = Database(url, "intake")
    await pool.start()
    configuration = Configuration(1, parse(files()))
    transactions = Transactions(pool, Speaker.INTAKE, WallClock(), lambda: configuration, lambda _: None, lambda: False)
    worker = JobWorker(SETTINGS.model_construct(), batch=5)
    print("working", flush=True)
    while await worker.work_off(transactions):
        continue
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
