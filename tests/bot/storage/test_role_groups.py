from bot.domain.changes import Trigger
from bot.domain.model import GuildId, RoleId
from bot.domain.role_groups import RoleGroup
from bot.storage import Storage
from bot.storage.due import EVERYONE

GUILD, OTHER = GuildId(900), GuildId(901)
GOLD, SILVER, BRONZE, TIN = map(RoleId, (31, 32, 33, 34))


def group(*role_ids: RoleId, guild_id: GuildId = GUILD) -> RoleGroup:
    return RoleGroup(guild_id=guild_id, role_ids=role_ids)


async def test_a_group_keeps_its_order_and_everyone_waits(storage: Storage) -> None:
    await storage.role_groups.put(group(SILVER, GOLD, BRONZE))
    await storage.role_groups.put(group(GOLD, SILVER, guild_id=OTHER))
    assert await storage.role_groups.list_guild(GUILD) == (group(SILVER, GOLD, BRONZE),)
    assert await storage.role_groups.list_guild(OTHER) == (group(GOLD, SILVER, guild_id=OTHER),)
    (due,) = await storage.due.list_guild(GUILD)
    assert (due.discord_user_id, due.trigger) == (EVERYONE, Trigger.GROUP)


async def test_a_group_takes_the_place_of_each_that_has_one_of_its_roles(storage: Storage) -> None:
    await storage.role_groups.put(group(GOLD, SILVER))
    await storage.role_groups.put(group(BRONZE, TIN))
    assert await storage.role_groups.list_guild(GUILD) == (group(GOLD, SILVER), group(BRONZE, TIN))
    await storage.role_groups.put(group(TIN, SILVER))
    assert await storage.role_groups.list_guild(GUILD) == (group(TIN, SILVER),)


async def test_a_group_is_ended_by_any_of_its_roles(storage: Storage) -> None:
    await storage.role_groups.put(group(GOLD, SILVER))
    assert not await storage.role_groups.remove(GUILD, BRONZE)
    assert not await storage.role_groups.remove(OTHER, SILVER)
    await storage.due.end(await storage.due.list_guild(GUILD))
    assert await storage.role_groups.remove(GUILD, SILVER)
    assert [one.discord_user_id for one in await storage.due.list_guild(GUILD)] == [EVERYONE]
    assert await storage.role_groups.list_guild(GUILD) == ()
