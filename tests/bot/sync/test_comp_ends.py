"""What follows when a role that an admin gave ends, and who hears of it before."""

from datetime import timedelta

from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.comps import Comp
from bot.domain.model import ChannelId, GuildId
from tests.fakes.scene import ADMIN, MEMBER, Scene
from tests.fakes.stage import words


def comp_of(scene: Scene, *, days: float | None, since_days: float = 10) -> Comp:
    """Return a comp of ten days ago that ends in so many days."""
    now = scene.app.clock.now()
    return Comp(
        guild_id=scene.guild_id,
        discord_user_id=scene.person(MEMBER),
        role_id=scene.role("Gold"),
        reason="won the raffle",
        given_by=scene.person(ADMIN),
        given_at=now - timedelta(days=since_days),
        until=None if days is None else now + timedelta(days=days),
    )


async def test_a_role_goes_by_itself_at_its_end_counts_for_no_brake_and_is_forgotten(scene: Scene) -> None:
    app = scene.app
    await app.storage.comps.give(comp_of(scene, days=None))
    await app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
    await app.storage.comps.give(comp_of(scene, days=-1))
    await app.comp_ends.look()
    assert await app.storage.comps.list_over(app.clock.now()) == ()
    row = await scene.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert (row.trigger, row.is_counted) == (Trigger.COMP_ENDED, False)
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken")
    (done,) = app.reconciler.mark(scene.guild_id, [scene.person(MEMBER)], trigger=Trigger.SYNC)
    await done
    assert await app.storage.comps.load_member(scene.guild_id, scene.person(MEMBER)) == {}


async def test_whoever_gave_it_is_called_to_the_log_channel_once_three_days_before(scene: Scene) -> None:
    channels = scene.stage.sandbox.world.discord.channels.values()
    (log_channel,) = (one for one in channels if one.name == "bot-log")
    await scene.app.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(log_channel.id)))
    await scene.app.storage.comps.give(comp_of(scene, days=3.1))
    await scene.app.comp_ends.look()
    assert not log_channel.messages
    await scene.app.storage.comps.give(comp_of(scene, days=2.9))
    await scene.app.comp_ends.look()
    await scene.app.comp_ends.look()
    (post,) = log_channel.messages.values()
    admin, member = scene.person(ADMIN), scene.person(MEMBER)
    assert post.content == f"<@{admin}>", "what stands in a card alone calls nobody"
    assert f"<@{admin}>: <@{member}> has **Gold** from you only until <t:" in words([post])
    assert "won the raffle" in words([post])


async def test_a_guild_out_of_sight_is_left_to_whoever_sees_it(scene: Scene) -> None:
    elsewhere = GuildId(5)
    for days in (-1, 2):
        comp = comp_of(scene, days=days)
        role = scene.role("Gold" if days < 0 else "Silver")
        await scene.app.storage.comps.give(replace(comp, guild_id=elsewhere, role_id=role))
    await scene.app.comp_ends.look()
    now = scene.app.clock.now()
    assert len(await scene.app.storage.comps.list_over(now)) == 1
    assert len(await scene.app.storage.comps.list_ending(now, now + timedelta(days=3))) == 1
