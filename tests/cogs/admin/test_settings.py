"""`/patreon settings` as an admin uses it."""

import pytest

from bot.domain.audit_entry import SettingChanged
from bot.domain.errors import UserMistake
from bot.domain.model import ChannelId, GuildSettings, HandEdits, Mode
from cogs.admin.settings import spoken
from sandbox.discord import ActionError, permissions
from sandbox.discord.changes import Actor
from tests.fakes.scene import ADMIN, MEMBER, Scene

SETTINGS = "patreon settings"


def channel_id(scene: Scene, name: str) -> str:
    return next(one.id for one in scene.stage.sandbox.world.discord.channels.values() if one.name == name)


async def stored(scene: Scene) -> GuildSettings:
    return await scene.app.storage.guilds.settings(scene.guild_id)


async def test_without_an_option_all_settings_are_shown(scene: Scene) -> None:
    said = await scene.say(ADMIN, SETTINGS)
    assert said.splitlines() == [
        "Settings of this server",
        "Add and remove roles automatically (`mode`)",
        "Keep roles for 7 days after a declined payment (`grace_days`)",
        "Ask you before removing more than 20% of my roles in a day (`brake_percent`)",
        "When someone removes a role manually, leave it removed (`hand_edits`)",
        "Link people automatically when Patreon already knows their Discord account (`zero_link`)",
        "Don't send patrons a message when their payment is declined (`decline_dm`)",
        "Report problems above my next reply to an admin, because there's no log channel (`log_channel`)",
        "Report in this server's language, which is now English (`language`)",
    ]
    assert await scene.app.storage.audit.recent(scene.guild_id) == ()


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
        language="de",
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
        language="de",
    )
    assert "Never ask before removing many roles at once (`brake_percent`)" in said
    assert f"in <#{log_channel}> (`log_channel`)" in said
    assert "Changed `mode`, `grace_days`, `brake_percent`" in said
    assert "Report in Deutsch (`language`)" in said
    entries = await scene.app.storage.audit.recent(scene.guild_id)
    assert len(entries) == 8
    changed = SettingChanged(name="grace_days", before="7", after="0", by=scene.person(ADMIN))
    assert changed in {entry.reason for entry in entries}


async def test_what_is_set_so_already_changes_nothing(scene: Scene) -> None:
    assert "already set, so I changed nothing" in await scene.say(ADMIN, SETTINGS, grace_days=7)
    assert await scene.app.storage.audit.recent(scene.guild_id) == ()


@pytest.mark.parametrize("wrong", [{"grace_days": 61}, {"brake_percent": 0}, {"mode": "on"}, {"language": "xx"}])
async def test_discord_is_told_the_bounds(scene: Scene, wrong: dict[str, object]) -> None:
    with pytest.raises(ActionError):
        await scene.discord.run_command(scene.stage.user_id(ADMIN), SETTINGS, wrong)


async def test_a_log_channel_can_be_given_up_again(scene: Scene) -> None:
    await scene.say(ADMIN, SETTINGS, log_channel=channel_id(scene, "bot-log"))
    said = await scene.say(ADMIN, SETTINGS, no_log_channel=True, grace_days=3)
    assert "there's no log channel (`log_channel`)" in said
    assert "Changed `grace_days` and `log_channel`" in said
    assert await stored(scene) == GuildSettings(grace_days=3)
    entries = await scene.app.storage.audit.recent(scene.guild_id)
    assert any(isinstance(one.reason, SettingChanged) and one.reason.after == "None" for one in entries)


async def test_a_language_that_i_do_not_speak_is_refused() -> None:
    assert spoken("de") == "de"
    assert spoken("auto") == "auto"
    with pytest.raises(UserMistake) as refused:
        spoken("xx")
    assert refused.value.facts["option"] == "language"


async def test_no_log_channel_says_nothing_where_it_is_false(scene: Scene) -> None:
    await scene.say(ADMIN, SETTINGS, log_channel=channel_id(scene, "bot-log"))
    assert "Changed" not in await scene.say(ADMIN, SETTINGS, no_log_channel=False)
    assert (await stored(scene)).log_channel_id is not None


async def test_a_log_channel_and_none_at_once_is_a_mistake(scene: Scene) -> None:
    said = await scene.say(ADMIN, SETTINGS, log_channel=channel_id(scene, "bot-log"), no_log_channel=True)
    assert "I changed nothing" in said
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
    assert "I need Send Messages and Embed Links there." in said
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
