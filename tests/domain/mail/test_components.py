"""Which mails of a batch hang together (decisions 18)."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.mail.components import components

GROUPS = st.lists(st.lists(st.integers(0, 20), max_size=4), max_size=15)


def test_groups_that_share_a_member_by_way_of_others_are_one_component() -> None:
    assert components([["a", "b"], ["c"], ["b", "d"], ["d", "c"], ["x"]]) == [0, 0, 0, 0, 4]


@given(GROUPS)
def test_components_are_what_walking_from_group_to_group_reaches(groups: list[list[int]]) -> None:
    found = components(groups)
    for place in range(len(groups)):
        reached, waiting = {place}, [place]
        while waiting:
            members = set(groups[waiting.pop()])
            near = {other for other, group in enumerate(groups) if members & set(group)} - reached
            reached |= near
            waiting += near
        assert {other for other, number in enumerate(found) if number == found[place]} == reached
        assert found[place] == min(reached)
