"""What the bot does when Discord tells of a change."""

import asyncio

import pytest

from bot.domain.changes import Trigger
from bot.domain.model import GrantState, GuildId
from cogs import events
from cogs.events import EventsCog
from sandbox.weather import Fault
from tests.fakes.scene import MEMBER, Scene

VIEW_CHANNEL, MANAGE_MESSAGES = 1 << 10, 1 << 13


@pytest.fixture
async def linked(scene: Scene) -> Scene:
    """A scene in which a member holds Gold by their pledge, and the ledger has seen it."""
    await scene.add_rule()
    await scene.link()
    await until_held(scene)
    return scene


async def until_held(scene: Scene) -> None:
    async with asyncio.timeout(10):
        while await state_of(scene) is not GrantState.HELD:
            await asyncio.sleep(0.02)


async def state_of(scene: Scene) -> GrantState | None:
    grants = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(MEMBER))
    grant = grants.get(scene.role("Gold"))
    return None if grant is None else grant.state


async def test_a_role_counts_as_held_once_discord_showed_it(linked: Scene) -> None:
    assert await state_of(linked) is GrantState.HELD


async def test_who_comes_back_gets_the_role_again(linked: Scene) -> None:
    user_id = linked.stage.user_id(MEMBER)
    linked.discord.leave(user_id)
    assert linked.stage.sandbox.world.guild.members.get(user_id) is None
    linked.discord.join(user_id)
    await linked.until(lambda: "Gold" in linked.stage.roles(MEMBER), "the role is given again")


async def test_changes_of_someone_who_came_back_still_reach_us(linked: Scene) -> None:
    """discord.py drops the updates of members that it does not hold, and forgets who left."""
    user_id = linked.stage.user_id(MEMBER)
    linked.discord.leave(user_id)
    linked.discord.join(user_id)
    await linked.until(lambda: "Gold" in linked.stage.roles(MEMBER), "the role is given again")
    await until_held(linked)
    linked.discord.take_role(user_id, linked.stage.role_id("Gold"))
    async with asyncio.timeout(10):
        while await state_of(linked) is not GrantState.SUPPRESSED:
            await asyncio.sleep(0.02)


async def test_who_passes_the_screening_gets_the_role(scene: Scene) -> None:
    user_id = scene.stage.user_id(MEMBER)
    scene.discord.leave(user_id)
    scene.discord.join(user_id, pending=True)
    await scene.link()
    await scene.add_rule()
    assert "member screening" in await scene.say(MEMBER, "membership")
    scene.discord.finish_screening(user_id)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")


async def test_a_role_that_is_moved_below_the_bot_is_given(scene: Scene) -> None:
    scene.discord.move_role(scene.stage.role_id("Gold"), 1)
    await scene.add_rule()
    scene.discord.move_role(scene.stage.role_id("Gold"), 40)
    await scene.link()
    assert "Gold" not in scene.stage.roles(MEMBER)
    scene.discord.move_role(scene.stage.role_id("Gold"), 1)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")


async def test_a_role_is_given_once_no_channel_gives_it_power_any_more(scene: Scene) -> None:
    await scene.add_rule()
    scene.allow_in("patrons", "Gold", MANAGE_MESSAGES)
    await scene.say(MEMBER, "membership")  # events come in order: the change was heard before this
    await scene.link()
    cog = scene.bot.get_cog("EventsCog")
    assert isinstance(cog, EventsCog)
    await scene.until(lambda: not cog._considering, "all that the start and the rule began is planned")
    assert "Gold" not in scene.stage.roles(MEMBER)
    scene.allow_in("patrons", "Gold", 0)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")


async def test_a_channel_that_changes_no_roles_power_lets_nobody_be_planned(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[object] = []
    monkeypatch.setattr(EventsCog, "_roles_changed", lambda _, guild: planned.append(guild))
    scene.allow_in("patrons", "Gold", VIEW_CHANNEL)
    await scene.say(MEMBER, "membership")
    assert planned == []
    scene.allow_in("patrons", "Gold", MANAGE_MESSAGES)
    await scene.until(lambda: planned, "it is heard")


async def test_a_deleted_role_is_forgotten(linked: Scene) -> None:
    gold = linked.role("Gold")
    linked.discord.delete_role(str(gold))
    ledger = linked.app.storage.ledger
    async with asyncio.timeout(10):
        while gold in await ledger.load_member(linked.guild_id, linked.person(MEMBER)):
            await asyncio.sleep(0.02)


async def test_someone_who_has_nothing_to_do_with_us_costs_nothing(scene: Scene) -> None:
    scene.discord.leave(scene.stage.user_id("cedar_lane"))
    scene.discord.join(scene.stage.user_id("cedar_lane"))
    await scene.say("cedar_lane", "membership")  # events come in order: the join was heard before this
    assert scene.person("cedar_lane") not in scene.app.observer._seen.get(scene.guild_id, {})


async def test_a_server_that_invites_the_bot_again_is_served_again(linked: Scene) -> None:
    user_id = linked.stage.user_id(MEMBER)
    linked.discord.kick_bot()
    await linked.until(lambda: not linked.bot.guilds, "the bot is out")
    linked.discord.take_role(user_id, linked.stage.role_id("Gold"))
    linked.discord.leave(user_id)
    linked.discord.join(user_id)
    linked.discord.add_bot()
    own = linked.discord.state.bot_role(linked.stage.sandbox.world.guild)
    assert own is not None
    linked.discord.move_role(own.id, 40)  # it came back at the bottom
    await linked.until(lambda: "Gold" in linked.stage.roles(MEMBER), "the role is given again")


async def test_a_refused_role_is_tried_again_when_the_roles_change(scene: Scene) -> None:
    await scene.add_rule()
    scene.stage.sandbox.weather.set(Fault("discord", "/roles/", "missing_permission", times=1))
    await scene.link()
    assert "Gold" not in scene.stage.roles(MEMBER)
    scene.discord.edit_role(scene.stage.role_id("Silver"), name="Silver!")
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")


async def test_a_start_plans_a_few_servers_at_a_time_and_no_change_waits_for_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "GATHER_SECONDS", 0.0)
    planned: list[GuildId] = []
    may_end = asyncio.Event()

    async def consider(guild_id: GuildId, _: None, *, trigger: Trigger) -> None:
        planned.append(guild_id)
        await may_end.wait()

    monkeypatch.setattr(scene.app.reconciler, "consider", consider)
    cog = scene.bot.get_cog("EventsCog")
    assert isinstance(cog, EventsCog)
    try:
        for number in range(8):
            cog._consider_soon(GuildId(number), trigger=Trigger.START)
        await scene.until(lambda: len(planned) >= events.SERVERS_AT_ONCE, "the first are planned")
        cog._consider_soon(GuildId(9), trigger=Trigger.ROLES_CHANGED)
        await scene.until(lambda: GuildId(9) in planned, "whose roles changed does not wait")
        assert len(planned) == events.SERVERS_AT_ONCE + 1
    finally:
        may_end.set()  # the end of the cog waits for them
    await scene.until(lambda: len(planned) == 9, "all come")


async def test_a_start_leaves_to_a_plan_that_began_since_what_it_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first round comes a second before."""
    cog = scene.bot.get_cog("EventsCog")
    assert isinstance(cog, EventsCog)
    planned: list[Trigger] = []
    consider = scene.app.reconciler.consider

    async def count(guild_id: GuildId, _: None, *, trigger: Trigger) -> None:
        planned.append(trigger)
        await consider(guild_id, None, trigger=trigger)

    await asyncio.wait(cog._considering) if cog._considering else None
    monkeypatch.setattr(scene.app.reconciler, "consider", count)
    monkeypatch.setattr(events, "GATHER_SECONDS", 0.2)
    cog._consider_soon(scene.guild_id, trigger=Trigger.START)
    await count(scene.guild_id, None, trigger=Trigger.INTERVAL)
    await asyncio.wait(cog._considering)
    assert planned == [Trigger.INTERVAL]
    cog._consider_soon(scene.guild_id, trigger=Trigger.START)
    await asyncio.wait(cog._considering)
    assert planned == [Trigger.INTERVAL, Trigger.START], "one that began before does not count"
    cog._consider_soon(scene.guild_id, trigger=Trigger.START)
    await count(scene.guild_id, None, trigger=Trigger.INTERVAL)
    cog._consider_soon(scene.guild_id, trigger=Trigger.ROLES_CHANGED)
    await asyncio.wait(cog._considering)
    assert len(planned) == 4, "nor one that began before a change which came meanwhile"
