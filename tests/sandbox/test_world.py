"""The world that the sandbox opens with has every standing and every kind of role."""

import pytest

from sandbox.clock import SandboxClock
from sandbox.discord import permissions
from sandbox.patreon import standing
from sandbox.world import World, build_world


@pytest.fixture
def world() -> World:
    return build_world(clock=SandboxClock(), seed=1, redirect_uris=["http://127.0.0.1:1/oauth/callback"])


def ids(world: World) -> tuple[list[str], list[str], list[str]]:
    return list(world.guild.members), list(world.guild.roles), list(world.patreon.people)


def test_the_same_seed_gives_the_same_ids_and_other_tokens(world: World) -> None:
    again = build_world(clock=SandboxClock(), seed=1, redirect_uris=[])
    assert ids(again) == ids(world)
    assert again.discord.bot_token != world.discord.bot_token
    assert again.client.secret != world.client.secret


def test_another_seed_gives_another_world(world: World) -> None:
    assert ids(build_world(clock=SandboxClock(), seed=2, redirect_uris=[])) != ids(world)


def test_the_patrons_have_every_standing(world: World) -> None:
    words = {standing.status_words(member) for member in world.campaign.members}
    assert words == {
        "active",
        "declined",
        "former patron",
        "free member",
        "active, annual",
        "active, cancelled",
        "active, free trial",
        "active, gifted",
        "active, paused",
        "active, pending",
        "active, refunded",
    }


def test_each_paid_tier_has_patrons_and_one_tier_is_deleted(world: World) -> None:
    paying = {tier.title for member in world.campaign.members for tier in standing.entitled_tiers(member)}
    assert paying == {"Free", "Bronze", "Silver", "Gold"}
    on_deleted = [m for m in world.campaign.members if m.tier and m.tier.is_deleted]
    assert [standing.entitled_tiers(m) for m in on_deleted] == [[], []]


def test_one_patron_has_discord_connected_at_patreon(world: World) -> None:
    connected = [p for p in world.patreon.people.values() if p.discord_user_id]
    assert [world.guild.members[p.discord_user_id or ""].user.username for p in connected] == ["kestrel_kite"]


def test_the_bot_can_give_the_patron_roles_and_not_legend_or_booster(world: World) -> None:
    bot = world.guild.members[world.discord.bot.id]
    assignable = {r.name for r in world.guild.roles.values() if permissions.is_assignable(world.guild, bot, r)}
    assert assignable == {"Regular", "Bronze", "Silver", "Gold", "Moderator"}


def test_there_is_an_owner_an_admin_and_a_dozen_plain_members(world: World) -> None:
    guild = world.guild
    people = [m for m in guild.members.values() if not m.user.is_bot]
    admins = [m.user.username for m in people if permissions.is_admin(guild, m)]
    assert admins == ["wren.ashdown", "ash.keeper"]
    assert len(people) == 15
    assert [m.user.username for m in people if not m.user.dms_open] == ["mossy_stone"]
    assert [c.name for c in guild.channels.values()] == ["welcome", "general", "patrons", "bot-log"]


@pytest.mark.parametrize("size", ["small", "shop"])
def test_the_same_seed_gives_the_same_world_of_each_size(size: str) -> None:
    def build(seed: int) -> World:
        return build_world(clock=SandboxClock(), seed=seed, redirect_uris=[], size=size)

    assert ids(build(4)) == ids(build(4))
    assert ids(build(4)) != ids(build(5))


def test_the_shop_has_two_servers_and_three_campaigns() -> None:
    world = build_world(clock=SandboxClock(), seed=1, redirect_uris=[], size="shop")
    assert sum(len(guild.members) for guild in world.discord.guilds.values()) == 2_000
    assert sum(len(campaign.members) for campaign in world.patreon.campaigns.values()) == 400
    assert (len(world.discord.guilds), len(world.patreon.campaigns)) == (2, 3)
