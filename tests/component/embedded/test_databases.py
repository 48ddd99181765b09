"""The fixtures that other tests stand on."""

import nats
import pytest

from libs.embedded.nats_server import NatsServer
from tests.support.servers import Database, Template, Templates

filled: list[str] = []


def fill(database: Database) -> None:
    filled.append(database.name)
    database.execute("CREATE TABLE made_once AS SELECT 1 AS one")


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    return fill


def test_a_module_gets_a_clone_of_its_template(database: Database) -> None:
    assert database.execute("SELECT one FROM made_once") == "1"
    assert database.name not in filled


def test_the_template_is_filled_once(templates: Templates, database: Database) -> None:
    another = templates.fresh(fill)
    database.execute("INSERT INTO made_once VALUES (2)")
    assert another.execute("SELECT count(*) FROM made_once") == "1"
    assert len(filled) == 1


async def test_the_broker_knows_its_admin(nats_server: NatsServer) -> None:
    connection = await nats.connect(nats_server.url_of("admin"))
    assert (await connection.jetstream().account_info()).streams >= 0
    await connection.close()
