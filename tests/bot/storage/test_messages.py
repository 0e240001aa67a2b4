"""What waits to be said, the oldest first, to whoever may say it."""

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
