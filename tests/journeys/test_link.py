"""From /link to a role, and back."""

import aiohttp

from tests.fakes.stage import Stage, words


async def test_a_patron_links_and_gets_the_role(stage: Stage) -> None:
    assert "Gold" in await stage.add_rule(role="Gold", tier="Gold")
    page = await stage.link("hazel.hollow", "Gerda Nilsson")
    assert page.result == "linked"
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    assert "Gold" in page.words or "on their way" in page.words, "a busy machine takes longer than the page waits"
    await stage.until(lambda: "Gold" in words(stage.direct_messages("hazel.hollow")), "the button's message says it")

    said = await stage.say("hazel.hollow", "membership")
    assert "Gerda Nilsson" in said
    assert "You're an active Gold patron of Emberwood Tales." in said
    assert "<t:" in said

    interaction = await stage.command("hazel.hollow", "unlink")
    await stage.press("hazel.hollow", interaction.messages[-1], "confirm:")
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "the role goes with the link")


async def test_with_closed_direct_messages_the_button_comes_in_the_private_reply(stage: Stage) -> None:
    await stage.add_rule()
    interaction = await stage.command("mossy_stone", "link")
    assert interaction.messages[-1].ephemeral
    assert stage.direct_messages("mossy_stone") == []
    assert (await stage.link("mossy_stone", "Gideon Brook")).result == "linked"
    await stage.until(lambda: "Gold" in stage.roles("mossy_stone"), "the role")


async def test_an_upgrade_swaps_the_roles_in_one_pass_and_gives_before_it_takes(stage: Stage) -> None:
    await stage.add_rule(role="Silver", tier="Silver")
    await stage.add_rule(role="Gold", tier="Gold")
    await stage.link("hazel.hollow", "Saga Mirren")
    await stage.until(lambda: "Silver" in stage.roles("hazel.hollow"), "the first role")

    stage.sandbox.patreon.change_tier(stage.patron_id("Saga Mirren"), stage.tier_id("Gold"))
    await stage.until(
        lambda: stage.roles("hazel.hollow") >= {"Gold"} and "Silver" not in stage.roles("hazel.hollow"), "the swap"
    )
    writes = [(write.method, write.role) for write in stage.role_writes if write.username == "hazel.hollow"]
    assert writes == [("PUT", "Silver"), ("PUT", "Gold"), ("DELETE", "Silver")]


async def test_a_head_request_on_the_callback_burns_nothing(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("ivy_afterdark"), stage.patron_id("Gerda Nilsson"))
    async with aiohttp.ClientSession() as scanner, scanner.head(callback) as response:
        assert response.status == 405
    assert (await browser.open(callback)).result == "confirm"


async def test_a_reload_of_the_confirm_page_shows_the_same_question(stage: Stage) -> None:
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url("ivy_afterdark"), stage.patron_id("Gerda Nilsson"))
    again = await browser.open(page.url)
    assert (again.result, again.url) == ("confirm", page.url)
    assert (await browser.send(page, "confirm")).result == "linked"


async def test_a_second_discord_account_is_asked_before_it_takes_the_place_of_the_first(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the first account's role")

    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url("ivy_afterdark"), stage.patron_id("Gerda Nilsson"))
    assert page.result == "held"
    assert (await browser.send(page, "confirm")).result == "linked"
    await stage.until(lambda: "Gold" in stage.roles("ivy_afterdark"), "the second account's role")
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "the first account gives it up")
