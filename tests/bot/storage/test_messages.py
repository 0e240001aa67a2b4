"""What waits to be said, the oldest first, to whoever may say it."""

from datetime import timedelta

from bot.domain.model import GuildId
from bot.storage import Storage

GUILD, OTHER = GuildId(900), GuildId(901)


async def test_each_is_listed_where_it_may_be_said(storage: Storage) -> None:
    for guild_id, body in ((GUILD, "1"), (OTHER, "2"), (None, "3"), (GUILD, "4")):
        await storage.messages.add(guild_id, body)
    assert [one.body for one in await storage.messages.list_for([GUILD], with_people=False, limit=9)] == ["1", "4"]
    assert [one.body for one in await storage.messages.list_for([OTHER], with_people=True, limit=9)] == ["2", "3"]
    assert [one.body for one in await storage.messages.list_for([GUILD, OTHER], with_people=True, limit=3)] == [*"123"]
    assert await storage.messages.list_for([], with_people=False, limit=9) == ()


async def test_one_that_was_said_is_gone(storage: Storage) -> None:
    await storage.messages.add(GUILD, "1")
    await storage.messages.add(GUILD, "2")
    first, _ = await storage.messages.list_for([GUILD], with_people=True, limit=9)
    await storage.messages.end([first])
    assert [one.body for one in await storage.messages.list_for([GUILD], with_people=True, limit=9)] == ["2"]
    assert await storage.messages.count() == 1


async def test_it_is_known_where_something_waits(storage: Storage) -> None:
    assert await storage.messages.list_guilds() == frozenset()
    for guild_id in (GUILD, None, GUILD):
        await storage.messages.add(guild_id, "1")
    assert await storage.messages.list_guilds() == {GUILD, None}


async def test_what_opens_a_place_is_kept_sealed(storage: Storage) -> None:
    await storage.messages.add(None, "1", secret_sealed="sealed")
    (message,) = await storage.messages.list_for([], with_people=True, limit=9)
    assert message.secret_sealed == "sealed"


async def test_what_nobody_could_say_for_long_is_forgotten(storage: Storage) -> None:
    await storage.messages.add(GUILD, "1")
    assert await storage.messages.purge(timedelta(days=1)) == 0
    assert await storage.messages.count() == 1
    assert await storage.messages.purge(timedelta(seconds=-1)) == 1
    assert await storage.messages.count() == 0
