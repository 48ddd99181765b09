"""The ids of one transaction."""

from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from libs.contracts.identifiers import uuid7
from services.intake.identities import Identities

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


def test_ids_are_those_of_uuid7_and_rise_beyond_the_counter() -> None:
    identities = Identities(NOW)
    made = [identities.new() for _ in range(9000)]
    assert made == sorted(set(made))
    for number, id in enumerate(made):
        parsed = UUID(id)
        assert (str(parsed), parsed.version, parsed.variant) == (id, 7, RFC_4122)
        assert id == uuid7(NOW, number, parsed.int & ((1 << 62) - 1))
    assert len({id[19:] for id in made}) == len(made)
