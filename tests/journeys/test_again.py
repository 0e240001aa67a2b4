"""The same few people over and over, and the next one after a quiet day: each gets what is theirs, at once."""

from datetime import timedelta

from tests.fakes.stage import Page, Stage


async def _unlink(stage: Stage, username: str) -> None:
    interaction = await stage.command(username, "unlink")
    await stage.press(username, interaction.messages[-1], "confirm:")


async def _has_gold(stage: Stage, username: str, page: Page) -> None:
    """The page of the link comes with the role, or it follows: the next look at everybody is minutes away."""
    assert page.result == "linked"
    await stage.until(lambda: "Gold" in stage.roles(username), "the role")


async def _has_lost_gold(stage: Stage, username: str) -> None:
    await stage.until(lambda: "Gold" not in stage.roles(username), "the role is gone")


async def test_the_second_patron_of_a_quiet_server_gets_the_role(stage: Stage) -> None:
    await stage.add_rule()
    await _has_gold(stage, "hazel.hollow", await stage.link("hazel.hollow", "Gerda Nilsson"))
    late = stage.browser()
    asked = await late.consent(await stage.authorize_url("cedar_lane"), stage.patron_id("Saga Mirren"))
    assert asked.result == "confirm"
    await stage.move(timedelta(minutes=75))
    assert (await late.open(asked.url)).result == "expired"  # whoever finds a page run out sweeps
    await _has_gold(stage, "mossy_stone", await stage.link("mossy_stone", "Gideon Brook"))


async def test_link_unlink_link_over_and_over(stage: Stage) -> None:
    await stage.add_rule()
    people = {"hazel.hollow": "Gerda Nilsson", "mossy_stone": "Gideon Brook"}
    for _ in range(2):  # more writes than ten at once wait for Discord's limit
        for username, patron in people.items():
            await _has_gold(stage, username, await stage.link(username, patron))
            await _unlink(stage, username)
            await _has_lost_gold(stage, username)


async def test_a_removed_rules_number_never_names_another_rule(stage: Stage) -> None:
    first = await stage.add_rule()
    number = first.split("Added rule ", 1)[1].split(":")[0]
    assert "Removed rule" in await stage.say("ash.keeper", "patreon rule remove", rule=number)
    await stage.add_rule(role="Silver", tier="Silver")
    assert "has no rule" in await stage.say("ash.keeper", "patreon rule remove", rule=number)
    assert "Silver" in await stage.say("ash.keeper", "patreon rule list")
