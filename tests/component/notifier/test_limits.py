"""How often one domain is acknowledged, counted in PostgreSQL (behaviour A-4)."""

from typing import Any

import pytest

from libs.contracts.ticket import Customer, InboundMail
from signalbox.configuration import read_configuration
from tests.component.notifier.conftest import CONFIG, OWN_FILES
from tests.component.notifier.world import World

MOST = 3


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    """The example configuration with a small limit for domains."""
    found = {name: content for name, content in read_configuration(CONFIG).items() if name.startswith(OWN_FILES)}
    found["mail.yaml"]["acknowledgment"] |= {"per_domain_and_hour": MOST}
    return found


async def _acknowledge(world: World, email: str) -> str:
    """A ticket of somebody; what became of its acknowledgment."""
    mail = InboundMail(message_id=f"first.{email}")
    ticket = await world.acknowledge(customer=Customer(id=email, email=email), mail=mail)
    notice = await world.notice(ticket, "sent", "suppressed")
    assert notice["reason"] in (None, f"{MOST} acknowledgments went to this domain within an hour")
    return str(notice["state"])


async def test_A4_a_domain_gets_so_many_an_hour_in_whatever_names(world: World) -> None:
    states = [await _acknowledge(world, f"catch.{n}@all.example") for n in range(MOST + 2)]
    assert states == ["sent"] * MOST + ["suppressed"] * 2
    assert await _acknowledge(world, "catch.1@another.example") == "sent"
    await world.execute(
        "UPDATE notices SET created_at = created_at - interval '1 hour' WHERE recipient = 'catch.0@all.example'"
    )
    assert await _acknowledge(world, "catch.9@All.example") == "sent"
    assert await _acknowledge(world, "catch.10@all.example") == "suppressed"


async def test_A4_free_mail_is_no_domain_of_one_owner(world: World) -> None:
    assert {await _acknowledge(world, f"person.{n}@gmail.com") for n in range(MOST + 2)} == {"sent"}
