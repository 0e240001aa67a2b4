"""Where somebody is planned at once by the process that stored a fact about them."""

from types import SimpleNamespace
from typing import cast

import pytest

from bot.discord.observe import Observer
from bot.domain.model import GuildId
from bot.storage import Storage
from bot.sync.planned_here import planned_here

HERE, ELSEWHERE = GuildId(900), GuildId(901)


@pytest.mark.parametrize(
    ("in_sight", "is_shared", "planned"),
    [
        pytest.param((HERE,), False, [HERE], id="in sight"),
        pytest.param((HERE,), True, [HERE], id="in sight, others too"),
        pytest.param((), False, [HERE, ELSEWHERE], id="discord is away"),
        pytest.param((), True, [], id="another process has discord"),
    ],
)
def test_people_are_planned_where_they_are_in_sight(
    in_sight: tuple[GuildId, ...], is_shared: bool, planned: list[GuildId]
) -> None:
    storage = cast("Storage", SimpleNamespace(database=SimpleNamespace(is_shared=is_shared)))
    observer = cast("Observer", SimpleNamespace(guild_ids=lambda: in_sight))
    assert planned_here([HERE, ELSEWHERE], storage, observer) == planned
