"""`/patreon comp …` as an admin uses it, and what everybody reads of it."""

from typing import Any

import pytest

from tests.fakes.scene import ADMIN, MEMBER, Scene


@pytest.fixture
def wish(scene: Scene) -> dict[str, Any]:
    """Return the options that give a member Gold."""
    return {
        "user": str(scene.person(MEMBER)),
        "role": str(scene.role("Gold")),
        "until": "2099-01-31",
        "reason": "won the raffle",
    }


async def test_a_guests_role_is_given_shown_to_all_changed_and_ended(scene: Scene, wish: dict[str, Any]) -> None:
    person = f"<@{scene.person(MEMBER)}>"
    assert "Nobody has a role without a pledge." in await scene.say(ADMIN, "patreon comp list")
    said = await scene.say(ADMIN, "patreon comp add", **wish)
    assert f"{person} has **Gold** without a pledge until <t:4073587199:D>: “won the raffle”.\nI'll assign it." in said
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")

    listed = await scene.say(ADMIN, "patreon comp list")
    assert f"{person} has **Gold** without a pledge until <t:4073587199:D>" in listed
    assert f"Given by <@{scene.person(ADMIN)}>." in listed
    why = await scene.say(ADMIN, "patreon why", user=wish["user"])
    gave = f"<@{scene.person(ADMIN)}> gave it to them until <t:4073587199:D>: “won the raffle”."
    assert f"**Gold**: Kept. {gave}" in why
    own = await scene.say(MEMBER, "membership")
    assert "You haven't linked a Patreon account." in own
    assert "**Gold**: You have it. This server's team gave it to you until <t:4073587199:D>: “won the raffle”." in own

    said = await scene.say(ADMIN, "patreon comp add", **wish | {"until": "never", "reason": "speaks here"})
    assert "with no end date: “speaks here”." in said
    assert "Before, it was to end on <t:4073587199:D>, and the reason was “won the raffle”." in said
    said = await scene.say(ADMIN, "patreon comp add", **wish)
    assert "Before, it had no end date, and the reason was “speaks here”." in said
    said = await scene.say(ADMIN, "patreon comp remove", user=wish["user"], role=wish["role"])
    assert f"{person} no longer has **Gold** without a pledge.\nI'll remove it." in said
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken")
    assert "Type `/link`, and you'll get your roles" in await scene.say(MEMBER, "membership")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"until": "soon"}, "Enter a day like `2027-01-31`"),
        ({"until": "2020-01-31"}, "`until` is already over"),
        ({"reason": " "}, "`reason` is empty"),
        ({"reason": "x" * 201}, "at most 200 characters"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    scene: Scene, wish: dict[str, Any], options: dict[str, str], expected: str
) -> None:
    assert expected in await scene.say(ADMIN, "patreon comp add", **wish | options)
    assert await scene.app.comp_editor.list(scene.guild_id) == ()


async def test_a_role_above_the_bot_or_above_the_admin_is_refused(scene: Scene, wish: dict[str, Any]) -> None:
    above = wish | {"role": str(scene.role("Legend"))}
    assert "drag my role above it" in await scene.say(ADMIN, "patreon comp add", **above)
    low = await scene.make_low_admin()
    assert "your own highest role" in await scene.say(low, "patreon comp add", **wish)
    assert await scene.app.comp_editor.list(scene.guild_id) == ()
    await scene.say(ADMIN, "patreon comp add", **wish)
    refused = await scene.say(low, "patreon comp remove", user=wish["user"], role=wish["role"])
    assert "isn't below your own highest role" in refused
    assert len(await scene.app.comp_editor.list(scene.guild_id)) == 1
