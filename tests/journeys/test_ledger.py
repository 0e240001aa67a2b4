"""Whose roles they are: adopted, taken by hand, restored, enforced."""

from tests.fakes.stage import ADMIN, Stage, words

PATRON, STRANGER = "hazel.hollow", "gorse_hill"


async def test_an_adopted_role_follows_the_pledge_from_then_on(stage: Stage) -> None:
    gold, patron = stage.role_id("Gold"), stage.patron_id("Gerda Nilsson")
    for username in (PATRON, STRANGER):
        stage.sandbox.discord.give_role(stage.user_id(username), gold)
    await stage.add_rule()
    await stage.link(PATRON, "Gerda Nilsson")
    await stage.rounds(2)
    shown = await stage.command(ADMIN, "patreon adopt", role=gold)
    said = words(shown.messages)
    assert "**2 people** got **Gold** from someone else." in said
    assert "1 person earns it and keeps it." in said
    assert "**loses it** unless they type `/link` first" in said
    await stage.rounds(2)
    assert "Gold" in stage.roles(STRANGER), "nothing happens before the answer"

    await stage.press(ADMIN, shown.messages[-1], "confirm:")
    await stage.until(lambda: "Gold" not in stage.roles(STRANGER), "who does not earn it loses it")
    assert "Gold" in stage.roles(PATRON)
    stage.sandbox.patreon.refund(patron)
    await stage.until(lambda: "Gold" not in stage.roles(PATRON), "it is ours now, and ends with the pledge")


async def test_a_role_taken_by_hand_stays_away_until_it_is_restored_or_hand_edits_are_not_respected(
    stage: Stage,
) -> None:
    gold, patron = stage.role_id("Gold"), stage.user_id(PATRON)
    await stage.add_rule()
    await stage.link(PATRON, "Gerda Nilsson")
    await stage.until_held("Gold", PATRON)
    stage.sandbox.discord.take_role(patron, gold)
    await stage.rounds(3)
    assert "Gold" not in stage.roles(PATRON)

    await stage.until_said("assigning it now", ADMIN, "patreon restore", user=patron, role=gold)
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role is restored")
    assert "nobody removed that role from them manually" in await stage.say(
        ADMIN, "patreon restore", user=patron, role=gold
    )

    await stage.until_held("Gold", PATRON)
    stage.sandbox.discord.take_role(patron, gold)
    await stage.rounds(3)
    assert "Gold" not in stage.roles(PATRON)
    await stage.say(ADMIN, "patreon settings", hand_edits="enforce")
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "the setting takes hold of what was taken before")
    await stage.until_held("Gold", PATRON)
    stage.sandbox.discord.take_role(patron, gold)
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "and of what is taken from then on")
