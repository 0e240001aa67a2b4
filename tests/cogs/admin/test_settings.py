"""`/patreon settings` as an admin uses it."""

import pytest

from bot.domain.audit import SettingChanged
from bot.domain.model import ChannelId, GuildSettings, HandEdits, Mode
from sandbox.discord import ActionError, permissions
from sandbox.discord.changes import Actor
from tests.fakes.scene import ADMIN, MEMBER, Scene

SETTINGS = "patreon settings"


def channel_id(scene: Scene, name: str) -> str:
    return next(one.id for one in scene.stage.sandbox.world.discord.channels.values() if one.name == name)


async def stored(scene: Scene) -> GuildSettings:
    return await scene.services.storage.guilds.settings(scene.guild_id)


async def test_without_an_option_all_settings_are_shown(scene: Scene) -> None:
    said = await scene.say(ADMIN, SETTINGS)
    for line in ("`mode` sync", "`grace_days` 7", "`brake_percent` 20", "`hand_edits` respect", "`zero_link` on"):
        assert line in said
    for line in ("`decline_dm` off", "`log_channel` none", "`language` auto"):
        assert line in said
    assert await scene.services.storage.audit.recent(scene.guild_id) == ()


async def test_several_settings_change_at_once_and_each_is_written_down(scene: Scene) -> None:
    said = await scene.say(
        ADMIN,
        SETTINGS,
        mode="grant_only",
        grace_days=0,
        brake_percent=100,
        hand_edits="enforce",
        zero_link=False,
        decline_dm=True,
        log_channel=channel_id(scene, "bot-log"),
        language="en",
    )
    log_channel = ChannelId(int(channel_id(scene, "bot-log")))
    assert await stored(scene) == GuildSettings(
        mode=Mode.GRANT_ONLY,
        grace_days=0,
        brake_percent=100,
        hand_edits=HandEdits.ENFORCE,
        zero_link=False,
        decline_dm=True,
        log_channel_id=log_channel,
        language="en",
    )
    assert "`brake_percent` off" in said
    assert f"`log_channel` <#{log_channel}>" in said
    assert "Changed: `mode`, `grace_days`, `brake_percent`" in said
    entries = await scene.services.storage.audit.recent(scene.guild_id)
    assert len(entries) == 8
    changed = SettingChanged(name="grace_days", before="7", after="0", by=scene.person(ADMIN))
    assert changed in {entry.reason for entry in entries}


async def test_what_is_set_so_already_changes_nothing(scene: Scene) -> None:
    assert "nothing was changed" in await scene.say(ADMIN, SETTINGS, grace_days=7)
    assert await scene.services.storage.audit.recent(scene.guild_id) == ()


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        pytest.param({"grace_days": 61}, "`grace_days:` must be a whole number from 0 to 60, not 61", id="grace"),
        pytest.param({"grace_days": -1}, "from 0 to 60", id="grace below nothing"),
        pytest.param({"brake_percent": 0}, "`brake_percent:` must be a whole number from 1 to 100", id="brake"),
        pytest.param({"brake_percent": True}, "from 1 to 100", id="a switch where a number is wanted"),
        pytest.param({"mode": "on"}, "`mode:` must be one of sync, grant_only, off, not on", id="mode"),
        pytest.param({"hand_edits": "ignore"}, "respect, enforce", id="hand edits"),
        pytest.param({"zero_link": "yes"}, "`zero_link:` must be True or False", id="a word where a switch is wanted"),
        pytest.param({"no_log_channel": 1}, "`no_log_channel:` must be True", id="a number for no channel"),
        pytest.param({"language": "xx"}, "`language:` must be one of en", id="language"),
        pytest.param({"grace_days": 3, "mode": "on"}, "nothing was changed", id="one right and one wrong"),
    ],
)
async def test_a_wrong_value_is_refused_whatever_discord_let_through(
    scene: Scene, wrong: dict[str, object], cure: str
) -> None:
    with pytest.raises(Exception, match=cure):
        await scene.services.tuning.change(scene.guild_id, wrong, by=scene.person(ADMIN))
    assert await stored(scene) == GuildSettings()


@pytest.mark.parametrize("wrong", [{"grace_days": 61}, {"brake_percent": 0}, {"mode": "on"}, {"language": "xx"}])
async def test_discord_is_told_the_bounds(scene: Scene, wrong: dict[str, object]) -> None:
    with pytest.raises(ActionError):
        await scene.discord.run_command(scene.stage.user_id(ADMIN), SETTINGS, wrong)


async def test_a_log_channel_can_be_given_up_again(scene: Scene) -> None:
    await scene.say(ADMIN, SETTINGS, log_channel=channel_id(scene, "bot-log"))
    said = await scene.say(ADMIN, SETTINGS, no_log_channel=True, grace_days=3)
    assert "`log_channel` none" in said
    assert "Changed: `grace_days`, `log_channel`" in said
    assert await stored(scene) == GuildSettings(grace_days=3)
    entries = await scene.services.storage.audit.recent(scene.guild_id)
    assert any(isinstance(one.reason, SettingChanged) and one.reason.after == "None" for one in entries)


async def test_no_log_channel_says_nothing_where_it_is_false(scene: Scene) -> None:
    await scene.say(ADMIN, SETTINGS, log_channel=channel_id(scene, "bot-log"))
    assert "Changed" not in await scene.say(ADMIN, SETTINGS, no_log_channel=False)
    assert (await stored(scene)).log_channel_id is not None


async def test_a_log_channel_and_none_at_once_is_a_mistake(scene: Scene) -> None:
    said = await scene.say(ADMIN, SETTINGS, log_channel=channel_id(scene, "bot-log"), no_log_channel=True)
    assert "nothing was changed" in said
    assert await stored(scene) == GuildSettings()


async def test_a_log_channel_in_which_i_cannot_write_is_refused_with_the_cure(scene: Scene) -> None:
    world = scene.stage.sandbox.world
    channel = world.discord.channels[channel_id(scene, "bot-log")]
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    world.discord.deny(channel, world.discord.bot.id, permissions.SEND_MESSAGES)
    scene.discord.changes.update_channel(world.guild, channel, Actor(scene.stage.user_id(ADMIN)))
    shown = guild.get_channel(int(channel.id))
    assert shown is not None
    await scene.until(lambda: not shown.permissions_for(guild.me).send_messages, "the channel is closed")
    said = await scene.say(ADMIN, SETTINGS, log_channel=channel.id, grace_days=3)
    assert "I lack Send Messages there; nothing was changed" in said
    assert await stored(scene) == GuildSettings()


async def test_a_mode_that_lets_roles_flow_again_makes_up_for_what_waited(scene: Scene) -> None:
    await scene.say(ADMIN, SETTINGS, mode="off")
    await scene.add_rule()
    await scene.link()
    assert "Gold" not in scene.stage.roles(MEMBER)
    assert "this server's `mode` doesn't allow the change" in await scene.say(
        ADMIN, "patreon why", user=str(scene.person(MEMBER))
    )
    await scene.say(ADMIN, SETTINGS, mode="sync")
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
