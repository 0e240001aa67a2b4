"""`/patreon sync` and `/patreon preview` as an admin uses them."""

import pytest

from bot.domain.model import RoleRule, RuleId, RuleKind
from bot.domain.round_report import ReadReport, RoundReport
from cogs.admin.runs import round_text
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene


async def test_sync_reads_patreon_and_brings_roles_in_line(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id("Gerda Nilsson"))
    said = await scene.say(ADMIN, "patreon sync")
    assert "**Patreon was read in" in said
    assert "1 person's roles change now." in said
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken")


async def test_a_sync_without_news_says_that_nothing_changes(scene: Scene) -> None:
    said = await scene.say(ADMIN, "patreon sync")
    assert "No role has to change." in said
    assert "**Emberwood Tales**: 30 people listed" in said


async def test_a_sync_says_what_patreon_would_not_tell(scene: Scene) -> None:
    scene.stage.sandbox.weather.set(Fault("patreon", "/members", "404"))
    said = await scene.say(ADMIN, "patreon sync")
    assert "not read completely" in said
    assert "Nobody loses a role by it." in said


def report(**of_read: object) -> RoundReport:
    read = {"campaign_id": "1", "name": "Tales", "is_complete": True, "patrons": 3, "changed": 0, **of_read}
    return RoundReport(campaigns=(ReadReport(**read),), queued=2, seconds=1.0)  # type: ignore[arg-type]  # named above


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param(report(), "The roles of 2 people change now", id="changes"),
        pytest.param(report(is_complete=False), "came incomplete, so nobody loses a role", id="an incomplete list"),
        pytest.param(
            report(doubts=("no member has a tier",)), "(no member has a tier), so I take no role", id="doubts"
        ),
        pytest.param(report(name="*Tales*"), r"**\*Tales\***", id="a name with marks in it"),
        pytest.param(RoundReport(campaigns=(), queued=0, seconds=0), "nothing to read", id="no campaign"),
        pytest.param(
            RoundReport(campaigns=(), queued=0, seconds=0, errors=("no token",)), "- no token", id="no campaign known"
        ),
    ],
)
def test_a_round_is_told_in_words(told: RoundReport, said: str) -> None:
    assert said in round_text(told)


async def test_preview_says_how_old_its_facts_are(scene: Scene) -> None:
    said = await scene.say(ADMIN, "patreon preview")
    assert "Nothing would change" in said
    assert "-# Emberwood Tales: last read completely <t:" in said


async def test_preview_writes_nothing(scene: Scene) -> None:
    await scene.link()
    storage = scene.services.storage
    (campaign_id,) = await storage.campaigns.campaigns_of(scene.guild_id)
    rule = RoleRule(
        rule_id=RuleId(0),
        guild_id=scene.guild_id,
        role_id=scene.role("Gold"),
        campaign_id=campaign_id,
        kind=RuleKind.PAYING,
    )
    await storage.rules.add(rule, created_by=scene.person(ADMIN), at=scene.services.clock.now())
    before = len(scene.discord.calls)
    said = await scene.say(ADMIN, "patreon preview")
    assert "**2 changes would be made.**" in said
    assert f"<@{scene.person(MEMBER)}> **Gold**: to be given." in said
    assert [call.route for call in scene.discord.calls[before:] if "/roles" in call.route] == []
    assert await storage.ledger.load_guild(scene.guild_id) == {}


async def test_a_preview_names_what_waits_for_an_admin(scene: Scene) -> None:
    await scene.add_rule()
    scene.discord.move_role(scene.stage.role_id("Gold"), 40)
    await scene.link()
    said = await scene.say(ADMIN, "patreon preview")
    assert "These wait for an admin" in said
    assert "drag my role above it" in said
