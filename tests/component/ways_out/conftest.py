"""The story is told once."""

from collections.abc import AsyncIterator

import pytest

from tests.component.ways_out.desk import open_desk
from tests.component.ways_out.story import Story
from tests.support.stack import Stack


@pytest.fixture(scope="module")
async def story(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with open_desk(stack, tmp_path_factory.mktemp("outbox")) as desk:
        story = Story(desk)
        await story.tell()
        yield story
