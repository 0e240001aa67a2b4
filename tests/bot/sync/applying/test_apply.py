"""What the log channel hears of a plan that was carried out."""

import pytest

from bot.discord import notifier
from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import ChannelId
from bot.domain.plan import Rail
from sandbox.weather import Fault
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene
from tests.fakes.stage import words


async def test_the_log_channel_hears_what_was_given_and_taken_away_and_why(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    channels = scene.stage.sandbox.world.discord.channels.values()
    channel = next(one for one in channels if one.name == "bot-log")
    await scene.app.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(channel.id)))

    def said(text: str) -> bool:
        return text in words(list(channel.messages.values()))

    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    person, asked = f"<@{scene.person(MEMBER)}>", "Requires the Gold tier of Emberwood Tales. They're"
    await scene.until(lambda: said(f"{person} got **Gold**. {asked} an active Gold patron"), "the grant is told")
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.until(lambda: said(f"{person} lost **Gold**. {asked} not a paying patron"), "the revoke is told")
    assert not said("I'll")


async def test_an_upgrade_whose_new_role_is_refused_leaves_the_old_one(scene: Scene) -> None:
    app, patron = scene.app, scene.stage.patron_id("Saga Mirren")  # Silver
    await app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.add_rule("Silver", "Silver")
    await scene.link(MEMBER, "Saga Mirren")
    await scene.until(lambda: "Silver" in scene.stage.roles(MEMBER), "the role")
    route = f"PUT /guilds/*/members/{scene.person(MEMBER)}/roles/*"
    scene.stage.sandbox.weather.set(Fault("discord", route, "missing_permission"))
    scene.stage.sandbox.patreon.change_tier(patron, scene.stage.tier_id("Gold"))
    await app.rounds.run(trigger=Trigger.SYNC)
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.REFUSED)
    await app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    assert "Silver" in scene.stage.roles(MEMBER)
    told = await app.reconciler.explain(scene.guild_id, scene.person(MEMBER))
    assert Rail.BLOCKED in {one.rail for one in told.plan.decisions}
    scene.stage.sandbox.weather.clear()
    app.breakers.reset(scene.guild_id)
    await app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    await scene.until(lambda: scene.stage.roles(MEMBER) & {"Gold", "Silver"} == {"Gold"}, "the swap")
