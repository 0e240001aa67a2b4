"""`/patreon rule edit` and `/patreon rule group` as an admin uses them."""

import pytest

from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words

EDIT, GROUP = "patreon rule edit", "patreon rule group"


@pytest.fixture
async def ruled(scene: Scene) -> Scene:
    """Return a server with a rule for Gold and one for Silver, and somebody who has both."""
    await scene.link()
    await scene.add_rule()
    await scene.add_rule("Silver", None)
    await scene.until(lambda: {"Gold", "Silver"} <= scene.stage.roles(MEMBER), "both roles are given")
    return scene


def mentions(scene: Scene, *roles: str) -> str:
    return " ".join(f"<@&{scene.role(role)}>" for role in roles)


async def test_an_edit_asks_first_and_takes_only_after_a_yes(ruled: Scene) -> None:
    typed = await ruled.type(ADMIN, EDIT, rule="1", tier="Silver", keep_days=0)
    (message,) = typed.messages
    said = words([message])
    assert "Rule 1 was: **Gold** for patrons of Emberwood Tales on the Gold tier." in said
    assert "Now it is: **Gold** for patrons of Emberwood Tales on the Silver tier." in said
    assert f"<@{ruled.person(MEMBER)}>" in said
    assert "lose" in said
    assert [one.partition(":")[2].partition(":")[0] for one in buttons(message).values()] == ["rule-edit", "rule-edit"]
    assert "Nothing was changed." in await ruled.press(ADMIN, message, "cancel:rule-edit")
    assert "Gold tier" in await ruled.say(ADMIN, "patreon rule list")
    (message,) = (await ruled.type(ADMIN, EDIT, rule="1", tier="Silver")).messages
    assert "Rule changed" in await ruled.press(ADMIN, message, "confirm:rule-edit")
    await ruled.until(lambda: "Gold" not in ruled.stage.roles(MEMBER), "the role is taken")
    assert "on the Silver tier" in await ruled.say(ADMIN, "patreon rule list")


async def test_an_edit_that_concerns_nobody_is_done_at_once(ruled: Scene) -> None:
    said = await ruled.say(ADMIN, EDIT, rule="2: a rule of the list", keep_days=14)
    assert "Now it is: **Silver** for all paying patrons of Emberwood Tales, kept for 14 days afterwards." in said
    assert "I changed nothing, because the rule already says that." in await ruled.say(ADMIN, EDIT, rule="2")
    given = {"rule": "", "tier": ""}
    for option, offered in (("rule", "2: **Silver**"), ("tier", "Gold")):
        found = await ruled.discord.autocomplete(ruled.stage.user_id(ADMIN), EDIT, given, option)
        assert any(offered.replace("*", "") in choice["name"] for choice in found), found


async def test_a_group_asks_first_is_listed_in_its_order_and_ended(ruled: Scene) -> None:
    assert "There are no groups" in await ruled.say(ADMIN, GROUP)
    (message,) = (await ruled.type(ADMIN, GROUP, roles=mentions(ruled, "Gold", "Silver"))).messages
    said = words([message])
    assert "Only the highest of: **Gold** and **Silver**." in said
    assert "Nobody gets a role." in said
    assert f"<@{ruled.person(MEMBER)}>" in said
    assert await ruled.app.rule_changes.list_groups(ruled.guild_id) == ()
    assert "Group made" in await ruled.press(ADMIN, message, "confirm:group")
    await ruled.until(lambda: "Silver" not in ruled.stage.roles(MEMBER), "the lower is taken")
    for command in (GROUP, "patreon rule list"):
        assert "Only the highest of: **Gold** and **Silver**." in await ruled.say(ADMIN, command)
    why = await ruled.say(ADMIN, "patreon why", user=str(ruled.person(MEMBER)))
    assert "**Silver**: Not earned. Requires any paid membership of Emberwood Tales. They get only the highest" in why
    own = await ruled.say(MEMBER, "membership")
    assert "In this server you get only the highest of several roles, which is **Gold**." in own

    (message,) = (await ruled.type(ADMIN, GROUP, roles=mentions(ruled, "Silver"))).messages
    assert "End this group?" in words([message])
    assert "Group ended" in await ruled.press(ADMIN, message, "confirm:group")
    await ruled.until(lambda: "Silver" in ruled.stage.roles(MEMBER), "the lower is given back")


async def test_a_group_that_concerns_nobody_is_made_at_once(scene: Scene) -> None:
    await scene.add_rule("Silver", "Silver")
    await scene.add_rule("Bronze", "Bronze")
    assert "Mention each role once" in await scene.say(ADMIN, GROUP, roles="Silver and Bronze")
    said = await scene.say(ADMIN, GROUP, roles=mentions(scene, "Silver", "Bronze"))
    assert "Group made" in said or "Make this group?" in said
