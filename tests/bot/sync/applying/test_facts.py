"""What is gathered for a plan: of the guild, of one person, and of everyone whom something ties to it."""

import pytest

from bot.discord.holder import DiscordAway
from bot.domain.assignable import Block
from bot.domain.model import GuildId
from bot.sync.applying.facts import FactBook
from tests.fakes.scene import MEMBER, Scene

STRANGER, REPORTED = "cedar_lane", "kestrel_kite"  # one has no link; one is linked by Patreon's report


@pytest.fixture
def facts(read: Scene) -> FactBook:
    return read.app.planning._facts


async def test_a_guild_that_cannot_be_seen_has_no_facts(facts: FactBook) -> None:
    with pytest.raises(DiscordAway):
        await facts.guild(GuildId(5))


async def test_a_guild_is_known_by_its_rules_campaigns_and_the_roles_out_of_reach(read: Scene, facts: FactBook) -> None:
    await read.add_rule()
    guild = await facts.guild(read.guild_id)
    (campaign_id,) = guild.campaigns
    assert [rule.role_id for rule in guild.rules] == [read.role("Gold")]
    assert guild.roles[read.role("Gold")] == "Gold"
    assert (guild.blocked[read.role("Legend")], read.role("Gold") in guild.blocked) == (Block.ABOVE_BOT, False)
    assert guild.confirmed_at.keys() == {campaign_id}, "its list was read whole"


async def test_a_rule_whose_role_was_deleted_is_blocked(read: Scene, facts: FactBook) -> None:
    await read.add_rule()
    gold = read.role("Gold")
    read.discord.delete_role(str(gold))
    guild = read.bot.get_guild(read.guild_id)
    assert guild is not None
    await read.until(lambda: guild.get_role(gold) is None, "the bot sees it")
    assert gold not in (await facts.guild(read.guild_id)).roles


async def test_known_is_whoever_has_a_link_that_counts_here_or_a_role_by_us(read: Scene, facts: FactBook) -> None:
    await read.link()
    guild = await facts.guild(read.guild_id)
    people = await facts.people(guild, map(read.person, (MEMBER, REPORTED, STRANGER)))
    assert people.keys() == {read.person(MEMBER), read.person(REPORTED)}
    assert people[read.person(MEMBER)] == await facts.person(guild, read.person(MEMBER))


async def test_whoever_unlinked_is_known_to_have_done_so(read: Scene, facts: FactBook) -> None:
    await read.link()
    await read.app.unlinker.unlink(read.person(MEMBER))
    person = await facts.person(await facts.guild(read.guild_id), read.person(MEMBER))
    assert person.has_unlinked
    assert (await facts.person(await facts.guild(read.guild_id), read.person(STRANGER))).has_unlinked is False
