"""Roles, schemas and migrations of services in one PostgreSQL database."""

from collections.abc import Mapping

import asyncpg
import stamina

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.roles import ServiceRole, prepare_roles


async def prepare_schemas(url: str, passwords: Mapping[str, str], patience: float) -> None:
    """The roles and empty schemas of the services in `passwords`; waits up to `patience` seconds for the server."""
    roles = [ServiceRole(service, password) for service, password in passwords.items()]
    async for attempt in stamina.retry_context(on=DATABASE_TROUBLE, attempts=None, timeout=patience, wait_max=2.0):
        with attempt:
            administrator = await asyncpg.connect(url)
            try:
                await prepare_roles(administrator, *roles)
            finally:
                await administrator.close()
