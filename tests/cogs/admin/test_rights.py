"""Who may use `/patreon`: those who manage roles, whatever a server told Discord about the command."""

from unittest.mock import Mock

import discord
from discord import app_commands

from bot.discord.replies import is_manager
from bot.domain.notices import TwoFactorNeeded
from tests.fakes.commands import build_tree
from tests.fakes.scene import ADMIN, MEMBER, Scene

MANAGE_ROLES = 1 << 28
VALUES = {
    "campaign": "1",
    "label": "whitelist",
    "hook": "1",
    "reason": "a friend",
    "role": "Gold",
    "roles": "Gold Silver",
    "rule": "1",
    "run": "1",
    "token": "1",
    "until": "never",
    "url": "https://example.com/",
    "user": MEMBER,
}


def open_to_all(scene: Scene) -> None:
    """Do what a server's settings can do: let everyone see the command."""
    for command in scene.stage.sandbox.world.discord.application.commands.values():
        command["default_member_permissions"] = None


async def test_the_right_is_asked_for_again_in_each_command(scene: Scene) -> None:
    open_to_all(scene)
    names = {"role": scene.role, "user": scene.person}
    tried = 0
    for command in (await build_tree()).walk_commands():
        if not isinstance(command, app_commands.Command) or command.root_parent is None:
            continue
        typed = [one for one in command.parameters if one.required]
        given = {
            one.display_name: str(one.choices[0].value) if one.choices else VALUES[one.display_name] for one in typed
        }
        given = {key: str(names[key](value)) if key in names else value for key, value in given.items()}
        said = await scene.say(MEMBER, command.qualified_name, **given)
        assert said == "You need the Manage Roles permission in this server for that.", command.qualified_name
        tried += 1
    assert tried >= 24


async def test_a_right_in_one_channel_alone_is_not_enough(scene: Scene) -> None:
    """In a channel's settings the same bit means Manage Permissions."""
    interaction = Mock(spec_set=discord.Interaction)
    interaction.permissions = discord.Permissions(manage_roles=True)
    interaction.guild.owner_id = 1
    interaction.user = Mock(spec_set=discord.Member, id=2, guild_permissions=discord.Permissions.none())
    assert not is_manager(interaction)


async def test_nothing_is_offered_to_others_while_they_type(scene: Scene) -> None:
    await scene.add_rule()
    open_to_all(scene)
    user_id = scene.stage.user_id(MEMBER)
    assert await scene.discord.autocomplete(user_id, "patreon rule remove", {"rule": ""}, "rule") == []


async def test_a_button_pressed_after_the_right_is_gone_does_nothing(scene: Scene) -> None:
    await scene.link()
    typed = await scene.type(ADMIN, "patreon unlink", user=str(scene.person(MEMBER)))
    scene.discord.edit_role(scene.stage.role_id("Admin"), permissions=0)
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    await scene.until(lambda: guild.get_role(scene.role("Admin")).permissions.value == 0, "the right is gone")  # type: ignore[union-attr]  # it is there
    assert "You need the Manage Roles permission" in await scene.press(ADMIN, typed.messages[0], "confirm:")
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is not None


async def test_the_owner_may_without_any_role(scene: Scene) -> None:
    assert "There are no rules yet" in await scene.say("wren.ashdown", "patreon rule list")


async def test_what_admins_have_not_been_told_stands_above_their_next_answer_once(scene: Scene) -> None:
    await scene.app.notifier.tell_admin(scene.guild_id, TwoFactorNeeded())
    first = await scene.say(ADMIN, "patreon rule list")
    assert first.index("two-factor authentication") < first.index("There are no rules yet")
    assert "two-factor authentication" not in await scene.say(ADMIN, "patreon rule list")
