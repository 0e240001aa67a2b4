"""`/patreon rule …` as an admin uses it."""

import pytest

from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome
from bot.domain.model import CampaignId, RoleId, RoleRule, RuleId, RuleKind
from bot.sync.admin import rulebook
from sandbox.discord import ActionError
from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words

BIG = "patreon rule add"


async def complete(scene: Scene, path: str, focused: str, typed: str = "", **options: str) -> dict[str, str]:
    """Return what is offered while an admin types: the labels with their values."""
    given = {**options, focused: typed}
    offered = await scene.discord.autocomplete(scene.stage.user_id(ADMIN), path, given, focused)
    return {choice["name"]: choice["value"] for choice in offered}


def look(scene: Scene, role_id: str | int, what: str) -> int | None:
    """Return what the bot sees of a role."""
    guild = scene.app.observer.look_guild(scene.guild_id)
    role = guild.roles.get(RoleId(int(role_id))) if guild is not None else None
    return getattr(role, what, None)


async def test_a_rule_is_added_by_the_tiers_name_or_its_id(scene: Scene) -> None:
    assert "Added rule 1: **Gold** for patrons of Emberwood Tales on the Gold tier." in await scene.add_rule()
    assert "Added rule 2" in await scene.add_rule("Silver", scene.stage.tier_id("Silver"))
    rules = await scene.app.storage.rules.list_guild(scene.guild_id)
    assert [(rule.role_id, rule.tier_id) for rule in rules] == [
        (scene.role("Gold"), scene.stage.tier_id("Gold")),
        (scene.role("Silver"), scene.stage.tier_id("Silver")),
    ]


async def test_a_rule_for_any_paid_pledge_needs_no_tier(scene: Scene) -> None:
    assert "for all paying patrons of Emberwood Tales" in await scene.add_rule("Regular", None)
    (rule,) = await scene.app.storage.rules.list_guild(scene.guild_id)
    assert rule.kind is RuleKind.PAYING


async def test_a_rule_may_keep_its_role_for_some_days(scene: Scene) -> None:
    options = {"role": str(scene.role("Gold")), "kind": "tier", "tier": "Gold"}
    assert "on the Gold tier, kept for 14 days afterwards." in await scene.say(ADMIN, BIG, **options, keep_days=14)
    assert "kept for 14 days afterwards" in await scene.say(ADMIN, "patreon rule list")
    assert "Enter a number from 0 to 90 in `keep_days`" in await scene.say(ADMIN, BIG, **options, keep_days=91)
    (rule,) = await scene.app.storage.rules.list_guild(scene.guild_id)
    assert rule.keep_days == 14


async def test_a_rule_that_is_there_is_not_added_again_and_keeps_its_days(scene: Scene) -> None:
    options = {"role": str(scene.role("Gold")), "kind": "tier", "tier": "Gold"}
    await scene.say(ADMIN, BIG, **options, keep_days=14)
    said = await scene.say(ADMIN, BIG, **options)
    assert said.startswith("I changed nothing, because rule 1 already says the same. `/patreon rule edit` changes")
    (rule,) = await scene.app.storage.rules.list_guild(scene.guild_id)
    assert rule.keep_days == 14
    assert (await scene.say(ADMIN, BIG, **options, keep_days=14)).startswith("I changed nothing")


async def test_a_rule_that_is_there_takes_other_days(scene: Scene) -> None:
    options = {"role": str(scene.role("Gold")), "kind": "tier", "tier": "Gold"}
    await scene.say(ADMIN, BIG, **options)
    assert "rule 1: **Gold** for patrons of Emberwood Tales on the Gold tier, kept for 14 days" in await scene.say(
        ADMIN, BIG, **options, keep_days=14
    )
    (rule,) = await scene.app.storage.rules.list_guild(scene.guild_id)
    assert rule.keep_days == 14


async def test_where_the_mode_forbids_changes_a_rule_does_not_say_that_roles_change(scene: Scene) -> None:
    await scene.link()
    await scene.say(ADMIN, "patreon settings", mode="off")
    off = "No role changes now, because `mode` is off."
    assert (await scene.add_rule()).endswith(off)
    assert (await scene.say(ADMIN, "patreon rule remove", rule="1")).endswith(off)


async def test_a_new_rule_gives_the_role_at_once(scene: Scene) -> None:
    await scene.link()
    assert "2 people get the role now." in await scene.add_rule(), "one of them is linked by Patreon itself"
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")


@pytest.mark.parametrize(
    ("role", "cure"),
    [
        pytest.param("Legend", "drag my role above it", id="above the bot"),
        pytest.param("Admin", "or choose another role. It has Administrator.", id="above the bot, and dangerous"),
        pytest.param("Booster", "belongs to an integration", id="managed by an integration"),
        pytest.param(
            "Moderator",
            "It has Kick Members and Manage Messages.",
            id="with rights that Nobody should get those for a pledge",
        ),
        pytest.param("@everyone", "can't assign @everyone", id="everyone's"),
    ],
)
async def test_a_role_that_cannot_follow_pledges_is_refused_with_the_cure(scene: Scene, role: str, cure: str) -> None:
    assert cure in await scene.add_rule(role, None)
    assert await scene.app.storage.rules.list_all() == ()


async def test_a_role_with_such_a_right_in_one_channel_is_refused_and_the_channel_named(scene: Scene) -> None:
    scene.allow_in("patrons", "Gold", 1 << 13)
    await scene.until(lambda: look(scene, scene.role("Gold"), "channels"), "the bot sees it")
    said = await scene.add_rule()
    assert "It has Manage Messages in #patrons." in said
    assert "from the channels" in said
    assert await scene.app.storage.rules.list_all() == ()


async def test_a_role_that_is_not_below_the_admins_own_is_refused(scene: Scene) -> None:
    said = await scene.say(await scene.make_low_admin(), BIG, role=str(scene.role("Gold")), kind="paying")
    assert "isn't below your own highest role" in said


async def test_a_rule_for_such_a_role_is_not_theirs_to_remove(scene: Scene) -> None:
    await scene.add_rule()
    low = await scene.make_low_admin()
    said = await scene.say(low, "patreon rule remove", rule="1")
    assert "**Gold** isn't below your own highest role" in said
    assert len(await scene.app.storage.rules.list_guild(scene.guild_id)) == 1


async def test_a_rule_whose_role_is_gone_can_be_removed_by_any_admin(scene: Scene) -> None:
    await scene.add_rule()
    low = await scene.make_low_admin()
    await scene.app.storage.rules.drop_role(scene.guild_id, scene.role("Gold"))
    rule = RoleRule(
        rule_id=RuleId(0),
        guild_id=scene.guild_id,
        role_id=RoleId(5),
        campaign_id=CampaignId(scene.stage.sandbox.world.campaign.id),
        kind=RuleKind.PAYING,
    )
    added = await scene.app.storage.rules.add(rule, created_by=scene.person(low), at=scene.app.clock.now())
    await scene.say(low, "patreon rule remove", rule=str(added.rule_id))
    assert await scene.app.storage.rules.list_guild(scene.guild_id) == ()


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        pytest.param({"kind": "tier"}, "needs a tier", id="no tier"),
        pytest.param({"kind": "tier", "tier": "Platinum"}, "I don't know that tier", id="an unknown tier"),
        pytest.param({"kind": "paying", "tier": "Gold"}, "Leave it out", id="a tier too many"),
        pytest.param({"kind": "paying", "campaign": "999"}, "doesn't follow that campaign", id="a foreign campaign"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused_with_the_cure(
    scene: Scene, options: dict[str, str], cure: str
) -> None:
    assert cure in await scene.say(ADMIN, BIG, role=str(scene.role("Gold")), **options)


async def test_a_kind_that_is_not_offered_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.discord.invocations.chosen", lambda _option, value, _locale: value)
    said = await scene.say(ADMIN, BIG, role=str(scene.role("Gold")), kind="nobility")
    assert said.startswith("I changed nothing: `kind` takes `tier`, ")


async def test_rules_are_listed_with_their_numbers(scene: Scene) -> None:
    assert "There are no rules yet" in await scene.say(ADMIN, "patreon rule list")
    await scene.add_rule()
    said = await scene.say(ADMIN, "patreon rule list")
    assert said == "Rules\n`1` **Gold** for patrons of Emberwood Tales on the Gold tier"


@pytest.mark.parametrize("typed", ["1", " 1 ", "#1", "1: Gold for patrons"])
async def test_a_rule_is_removed_by_its_number_and_its_roles_with_it(scene: Scene, typed: str) -> None:
    await scene.add_rule()
    await scene.link()
    assert "Gold" in scene.stage.roles(MEMBER)
    said = await scene.say(ADMIN, "patreon rule remove", rule=typed)
    assert "Removed rule 1: **Gold** for patrons of Emberwood Tales" in said
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken back")


async def test_what_the_removal_of_one_of_two_rules_takes_does_not_use_up_the_brake(scene: Scene) -> None:
    """The other one goes on to give the role, and this member does not meet it."""
    role = str(scene.role("Gold"))
    await scene.add_rule()
    await scene.say(ADMIN, BIG, role=role, kind="amount", amount="900")
    await scene.link()
    await scene.say(ADMIN, "patreon rule remove", rule="1")
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken back")
    assert not (await scene.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)).is_counted


@pytest.mark.parametrize(("typed", "cure"), [("7", "has no rule 7"), ("gold", "need the rule's number")])
async def test_a_rule_that_is_not_there_is_not_removed(scene: Scene, typed: str, cure: str) -> None:
    assert cure in await scene.say(ADMIN, "patreon rule remove", rule=typed)


async def test_tiers_campaigns_and_rules_are_offered_while_typing(scene: Scene) -> None:
    await scene.add_rule()
    role = {"role": str(scene.role("Gold")), "kind": "tier"}
    tiers = await complete(scene, BIG, "tier", "gol", **role)
    assert tiers == {"Gold: US$10.00": scene.stage.tier_id("Gold")}
    assert list(await complete(scene, BIG, "campaign", **role)) == ["Emberwood Tales"]
    assert await complete(scene, "patreon rule remove", "rule") == {
        "1: Gold for patrons of Emberwood Tales on the Gold tier": "1"
    }


async def test_a_big_rule_shows_its_people_first_and_is_added_on_yes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulebook, "PREVIEW_ABOVE", 0)
    await scene.link()
    typed = await scene.type(ADMIN, BIG, role=str(scene.role("Gold")), kind="tier", tier="Gold")
    (message,) = typed.messages
    assert "to **2 people** right away" in words([message])
    assert f"<@{scene.person(MEMBER)}>" in words([message])
    assert [one.partition(":")[0] for one in buttons(message).values()] == ["cancel", "confirm"]
    assert await scene.app.storage.rules.list_all() == ()
    assert "Added rule 1" in await scene.press(ADMIN, message, "confirm:")
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")


async def test_a_previewed_rule_is_judged_again_when_yes_is_pressed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulebook, "PREVIEW_ABOVE", 0)
    await scene.link()
    typed = await scene.type(ADMIN, BIG, role=str(scene.role("Gold")), kind="tier", tier="Gold")
    scene.discord.edit_role(str(scene.role("Gold")), permissions=1 << 3)
    await scene.until(lambda: look(scene, scene.role("Gold"), "permissions"), "the new right is seen")
    assert "Nobody should get those for a pledge" in await scene.press(ADMIN, typed.messages[0], "confirm:")
    assert await scene.app.storage.rules.list_all() == ()


async def test_who_may_not_manage_roles_cannot_type_it(scene: Scene) -> None:
    with pytest.raises(ActionError):
        await scene.discord.run_command(scene.stage.user_id(MEMBER), "patreon rule list", {})
