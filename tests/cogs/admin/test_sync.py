"""`/patreon sync` and `/patreon preview` as an admin uses them."""

from bot.domain.model import RoleRule, RuleId, RuleKind
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene


async def test_sync_reads_patreon_and_brings_roles_in_line(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id("Gerda Nilsson"))
    said = await scene.say(ADMIN, "patreon sync")
    assert "Patreon checked" in said
    assert "I'm updating the roles of 1 person now." in said
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken")


async def test_a_sync_without_news_says_that_nothing_changes(scene: Scene) -> None:
    said = await scene.say(ADMIN, "patreon sync")
    assert "No roles need to change." in said
    assert "**Emberwood Tales**: 30 members, " in said


async def test_a_sync_says_what_patreon_would_not_tell(scene: Scene) -> None:
    scene.stage.sandbox.weather.set(Fault("patreon", "/members", "404"))
    said = await scene.say(ADMIN, "patreon sync")
    assert "I couldn't read the whole member list, so nobody loses a role." in said


async def test_preview_says_how_old_its_facts_are(scene: Scene) -> None:
    said = await scene.say(ADMIN, "patreon preview")
    assert "There are no rules yet, so nobody can earn a role." in said
    assert "The member list of Emberwood Tales was last read completely <t:" in said


async def test_preview_writes_nothing(scene: Scene) -> None:
    await scene.link()
    storage = scene.app.storage
    (campaign_id,) = await storage.campaigns.campaigns_of(scene.guild_id)
    rule = RoleRule(
        rule_id=RuleId(0),
        guild_id=scene.guild_id,
        role_id=scene.role("Gold"),
        campaign_id=campaign_id,
        kind=RuleKind.PAYING,
    )
    await storage.rules.add(rule, created_by=scene.person(ADMIN), at=scene.app.clock.now())
    before = len(scene.discord.calls)
    said = await scene.say(ADMIN, "patreon preview")
    assert "The next sync would make 2 changes." in said
    assert f"<@{scene.person(MEMBER)}> · **Gold**: I'll assign it." in said
    assert [call.route for call in scene.discord.calls[before:] if "/roles" in call.route] == []
    assert await storage.ledger.load_guild(scene.guild_id) == {}


async def test_a_preview_names_what_waits_for_an_admin(scene: Scene) -> None:
    await scene.add_rule()
    scene.discord.move_role(scene.stage.role_id("Gold"), 40)
    await scene.link()
    said = await scene.say(ADMIN, "patreon preview")
    assert "**Waiting for an admin:**" in said
    assert "drag my role above it" in said
