"""The tokens of the API, and who is in the guilds that have one."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.domain.api_token import ApiToken
from bot.domain.model import ApiTokenId, DiscordUserId, GuildId
from bot.storage import Storage
from tests.fakes.filled import ADA, BO, CY, NOW, token_of
from tests.fakes.statements import counted_statements

GUILD, OTHER = GuildId(900), GuildId(901)


async def add(storage: Storage, token: ApiToken) -> ApiToken:
    added = await storage.api_tokens.add(token, most=9)
    assert added is not None
    return added


async def test_a_token_is_found_by_its_number_until_it_is_revoked(storage: Storage) -> None:
    first, second = await add(storage, token_of("one")), await add(storage, token_of("two"))
    other = await add(storage, replace(token_of("other"), guild_id=OTHER))
    assert first.token_id < second.token_id
    assert await storage.api_tokens.list_guild(GUILD) == (first, second)
    assert await storage.api_tokens.guilds() == {GUILD, OTHER}
    assert await storage.api_tokens.find(first.token_id) == first
    assert await storage.api_tokens.revoke(OTHER, first.token_id, at=NOW) is None, "another guild's"
    assert await storage.api_tokens.revoke(GUILD, first.token_id, at=NOW) == first
    assert await storage.api_tokens.revoke(GUILD, first.token_id, at=NOW) is None
    assert await storage.api_tokens.find(first.token_id) is None
    await storage.api_tokens.revoke_all(GUILD, at=NOW)
    assert await storage.api_tokens.list_guild(GUILD) == ()
    assert await storage.api_tokens.guilds() == {OTHER}
    assert await storage.api_tokens.find(other.token_id) == other


async def test_a_guild_has_so_many_and_no_more(storage: Storage) -> None:
    assert await storage.api_tokens.add(token_of("one"), most=1) is not None
    assert await storage.api_tokens.add(token_of("two"), most=1) is None
    assert await storage.api_tokens.add(replace(token_of("two"), guild_id=OTHER), most=1) is not None


async def test_the_number_of_a_revoked_token_is_never_anothers(storage: Storage) -> None:
    first = await add(storage, token_of("one"))
    await storage.api_tokens.revoke(GUILD, first.token_id, at=NOW)
    assert (await add(storage, token_of("two"))).token_id > first.token_id


async def test_its_last_use_is_remembered(storage: Storage, now: datetime) -> None:
    token, at = await add(storage, token_of("one")), now + timedelta(minutes=5)
    await storage.api_tokens.note_used(token, at)
    assert await storage.api_tokens.find(token.token_id) == replace(token, used_at=at)


async def test_who_is_in_a_guild_is_listed_in_order_and_in_pages(storage: Storage) -> None:
    await add(storage, token_of("one"))
    members = storage.guild_members
    await members.save_guild(GUILD, came=[CY, ADA, BO], left=[])
    assert await members.list_after(GUILD, DiscordUserId(0), most=2) == [ADA, BO]
    assert await members.list_after(GUILD, BO, most=2) == [CY]
    assert await members.list_after(OTHER, DiscordUserId(0), most=2) == []
    await members.save_guild(GUILD, came=[ADA], left=[BO])
    assert await members.load_guild(GUILD) == {ADA, CY}
    assert [await members.is_member(GUILD, one) for one in (ADA, BO)] == [True, False]


@pytest.mark.parametrize("ends", ["revoke", "revoke_all"])
async def test_with_the_last_token_goes_who_is_in_the_guild_and_none_is_stored_after_it(
    storage: Storage, ends: str
) -> None:
    first, second = await add(storage, token_of("one")), await add(storage, token_of("two"))
    members = storage.guild_members
    await members.save_guild(GUILD, came=[ADA], left=[])
    await storage.api_tokens.revoke(GUILD, first.token_id, at=NOW)
    assert await members.load_guild(GUILD) == {ADA}, "another token is there"
    if ends == "revoke":
        await storage.api_tokens.revoke(GUILD, second.token_id, at=NOW)
    else:
        await storage.api_tokens.revoke_all(GUILD, at=NOW)
    await members.save_guild(GUILD, came=[BO], left=[])
    assert await members.load_guild(GUILD) == frozenset()


async def test_a_large_guild_changes_at_once(storage: Storage) -> None:
    await add(storage, token_of("one"))
    people = [DiscordUserId(number) for number in range(1, 1201)]
    await storage.guild_members.save_guild(GUILD, came=people, left=[])
    assert await storage.guild_members.load_guild(GUILD) == frozenset(people)
    await storage.guild_members.save_guild(GUILD, came=[], left=people[:1100])
    assert await storage.guild_members.load_guild(GUILD) == frozenset(people[1100:])


async def test_an_unknown_number_is_no_token(storage: Storage) -> None:
    assert await storage.api_tokens.find(ApiTokenId(10**17)) is None


async def test_of_whom_it_is_noted_whether_they_are_there_everybody_else_stays(storage: Storage) -> None:
    await add(storage, token_of("one"))
    members, many = storage.guild_members, {DiscordUserId(number): number % 2 == 0 for number in range(10_001, 11_200)}
    await members.save_guild(GUILD, came=[CY, DiscordUserId(10_001)], left=[])
    await members.note(GUILD, many)
    assert await members.load_guild(GUILD) == {CY, *(person for person, is_there in many.items() if is_there)}
    with counted_statements() as statements:
        await members.note(GUILD, many)
    assert [one.split()[0] for one in statements] == ["SELECT"] * 3, "news only is written"
