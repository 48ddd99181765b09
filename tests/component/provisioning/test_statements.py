"""Every statement of the chassis is one that a freshly migrated schema understands and the service's role may run."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from libs import chassis
from libs.chassis.migrations import migrate
from libs.chassis.roles import prepare_roles
from tests.component.provisioning.conftest import FIRST, Connect, role_of
from tests.support.servers import Database

SERVICE = "stated"
STATEMENT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s")


def statements() -> dict[str, str]:
    """The constants of the chassis' modules that are SQL, by module and name; templates with {gaps} are left out."""
    modules = [import_module(f"libs.chassis.{each.name}") for each in iter_modules(chassis.__path__) if not each.ispkg]
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, str) and STATEMENT.match(value) and "{" not in value
    }


@pytest.fixture(scope="module", autouse=True)
async def migrated(database: Database, connect: Connect, tmp_path_factory: pytest.TempPathFactory) -> None:
    versions: Path = tmp_path_factory.mktemp("versions")
    (versions / "0001_first.py").write_text(FIRST)
    async with connect() as administrator:
        await prepare_roles(administrator, role_of(database, SERVICE))
    await migrate(database.url, SERVICE, versions)


@pytest.mark.parametrize("name", sorted(statements()))
async def test_the_schema_understands(connect: Connect, name: str) -> None:
    statement = statements()[name]
    async with connect(SERVICE) as service:
        parameters = (await service.prepare(statement)).get_parameters()
        await service.fetch(f"EXPLAIN {statement}", *(None for _ in parameters))
