"""A role for a tier: below ours, without a right, and what Discord has against it."""

import pytest

from bot.discord import role_maker
from bot.discord.holder import DiscordAway
from bot.discord.role_maker import NAME_LENGTH, RoleMaker
from bot.domain.errors import Later, Mistake, TryLater, UserMistake
from sandbox.discord import permissions
from tests.fakes.scene import Scene


def maker(scene: Scene) -> RoleMaker:
    return RoleMaker(scene.app.holder)


async def test_a_role_is_made_at_the_bottom_and_shown_when_it_is_there(scene: Scene) -> None:
    role_id = await maker(scene).make(scene.guild_id, "G" * (NAME_LENGTH + 1), reason="for a tier")
    look = scene.app.observer.look_guild(scene.guild_id)
    assert look is not None
    made = look.roles[role_id]
    assert (made.name, made.permissions) == ("G" * NAME_LENGTH, 0)
    assert made.rank < look.bot.top.rank
    assert scene.stage.sandbox.world.guild.audit_log[-1].reason == "for a tier"


async def test_without_the_right_discord_is_not_asked_in_vain(scene: Scene) -> None:
    scene.discord.set_bot_permissions(permissions.BOT_DEFAULT & ~permissions.MANAGE_ROLES)
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    await scene.until(lambda: not guild.me.guild_permissions.manage_roles, "the right is gone")
    calls = len(scene.discord.calls)
    with pytest.raises(UserMistake) as refused:
        await maker(scene).make(scene.guild_id, "Gold", reason="")
    assert refused.value.code is Mistake.ROLE_NOT_MADE
    assert len(scene.discord.calls) == calls


async def test_a_server_that_is_full_says_so(scene: Scene) -> None:
    guild = scene.stage.sandbox.world.guild
    while len(guild.roles) < role_maker.MOST_ROLES:
        scene.stage.sandbox.world.discord.add_role(guild, "One more")
    with pytest.raises(UserMistake) as refused:
        await maker(scene).make(scene.guild_id, "Gold", reason="")
    assert (refused.value.code, refused.value.facts["most"]) == (Mistake.ROLES_FULL, 250)


async def test_a_server_out_of_sight_gets_none(scene: Scene) -> None:
    scene.app.holder.lose(scene.bot)
    with pytest.raises(DiscordAway):
        await maker(scene).make(scene.guild_id, "Gold", reason="")
    scene.app.holder.put(scene.bot)


async def test_where_discord_does_not_answer_it_can_be_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_maker, "MAKE_SECONDS", 0.0)
    with pytest.raises(TryLater) as failed:
        await maker(scene).make(scene.guild_id, "Gold", reason="")
    assert failed.value.code is Later.DISCORD_SILENT
