"""What people do with roles in Discord, and what the bot leaves alone."""

from tests.fakes.stage import ADMIN, Stage


async def test_a_role_above_the_bot_is_refused_with_the_cure(stage: Stage) -> None:
    said = await stage.say(ADMIN, "patreon rule add", role=stage.role_id("Legend"), kind="tier", tier="Gold")
    assert "drag my role above" in said
    for name, words in (("Moderator", "Kick Members"), ("Booster", "integration"), ("@everyone", "@everyone")):
        said = await stage.say(ADMIN, "patreon rule add", role=stage.role_id(name), kind="tier", tier="Gold")
        assert words in said
    assert "There are no rules yet" in await stage.say(ADMIN, "patreon rule list")


async def test_a_role_moved_above_the_bot_stops_only_that_role_and_the_admin_is_told_once(stage: Stage) -> None:
    await stage.add_rule(role="Gold", tier="Gold")
    await stage.add_rule(role="Bronze", kind="paying", tier=None)
    stage.sandbox.discord.move_role(stage.role_id("Gold"), 50)
    page = await stage.link("hazel.hollow", "Gerda Nilsson")
    assert page.result == "linked"
    await stage.until(lambda: "Bronze" in stage.roles("hazel.hollow"), "the other role")
    refused = [call for call in stage.sandbox.discord.calls if call.status == 403]
    assert len(refused) <= 1
    stage.sandbox.discord.move_role(stage.role_id("Gold"), 1)
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role, once it is below the bot again")


async def test_who_leaves_and_comes_back_gets_the_role_again(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    hazel = stage.user_id("hazel.hollow")
    stage.sandbox.discord.leave(hazel)
    await stage.rounds(2)
    stage.sandbox.discord.join(hazel)
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role after the return")


async def test_a_role_that_a_person_gave_is_never_removed(stage: Stage) -> None:
    await stage.add_rule()
    for name in ("hazel.hollow", "gorse_hill"):
        stage.sandbox.discord.give_role(stage.user_id(name), stage.role_id("Gold"))
    await stage.link("hazel.hollow", "Flora Ekdal")  # a former patron
    await stage.rounds(3)
    assert "Gold" in stage.roles("hazel.hollow")  # linked, not entitled
    assert "Gold" in stage.roles("gorse_hill")  # not linked
    said = await stage.say(ADMIN, "patreon why", user=stage.user_id("hazel.hollow"))
    assert "Gold" in said


async def test_a_role_that_a_person_took_away_stays_away(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until_held("Gold", "hazel.hollow")
    stage.sandbox.discord.take_role(stage.user_id("hazel.hollow"), stage.role_id("Gold"))
    await stage.rounds(3)
    assert "Gold" not in stage.roles("hazel.hollow")
    assert "removed it manually" in await stage.say(ADMIN, "patreon why", user=stage.user_id("hazel.hollow"))


async def test_a_removed_rule_takes_its_role_back(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    await stage.say(ADMIN, "patreon rule remove", rule="1")
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "the role goes with its rule")


async def test_a_write_that_discord_loses_is_done_again_at_the_next_look(stage: Stage) -> None:
    await stage.add_rule()
    stage.weather("discord", f"PUT*/members/{stage.user_id('hazel.hollow')}/roles/*", "write_lost", times=1)
    (lost,) = stage.sandbox.weather.faults
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role, after all")
    assert lost.struck == 1
