"""A campaign that was read once, and its webhook."""

import pytest

from bot.app import App
from bot.domain.changes import Trigger
from tests.bot.sync.webhooks.post import Post
from tests.fakes.stage import Stage


@pytest.fixture
async def post(stage: Stage, app: App) -> Post:
    await app.rounds.run(trigger=Trigger.SYNC)  # binds the home campaign
    return Post(stage, app)


@pytest.fixture
async def kept(post: Post) -> Post:
    """A webhook is there."""
    await post.look()
    assert len(post.webhooks) == 1
    return post
