"""Where Patreon reports a patron's Discord account, nobody has to type anything."""

from sandbox.discord.interaction import Interaction
from tests.fakes.stage import ADMIN, Stage, words

REPORTED = "kestrel_kite"  # whom Patreon names as Kit Estrella
BYSTANDER = "hazel.hollow"


async def test_a_patron_whom_patreon_names_gets_the_role_and_can_ask_why(stage: Stage) -> None:
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    said = await stage.say(REPORTED, "membership")
    assert "Kit Estrella by Patreon's own report" in said
    interaction = await stage.command(REPORTED, "membership")
    assert "Patreon, asked about this patron alone" in await _pressed(stage, interaction)


async def test_unlink_is_remembered_until_the_next_link(stage: Stage) -> None:
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    interaction = await stage.command(REPORTED, "unlink")
    await stage.press(REPORTED, interaction.messages[-1], "confirm:")
    await stage.until(lambda: "Gold" not in stage.roles(REPORTED), "the role goes")
    await stage.rounds(3)
    await stage.sandbox.bot.stop()
    await stage.restart()
    await stage.rounds(2)
    assert "Gold" not in stage.roles(REPORTED)
    assert (await stage.link(REPORTED, "Kit Estrella")).result == "linked", "Patreon names the account: no question"
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role is back")


async def test_an_account_taken_away_at_patreon_ends_it_only_by_a_read_that_can_be_believed(stage: Stage) -> None:
    await stage.add_rule()
    stage.sandbox.patreon.connect_discord(stage.patron_id("Gideon Brook"), stage.user_id(BYSTANDER))
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "somebody else is named too")
    await stage.rounds(2)
    stage.weather("patreon", "/members", "no_discord")
    await stage.rounds(3)
    assert "Gold" in stage.roles(REPORTED), "all accounts gone at once is no proof"
    stage.sandbox.weather.clear()
    await stage.rounds(2)
    assert "Gold" in stage.roles(REPORTED)

    stage.sandbox.patreon.disconnect_discord(stage.patron_id("Kit Estrella"))
    await stage.until(lambda: "Gold" not in stage.roles(REPORTED), "the role goes with the account")
    assert "Gold" in stage.roles(BYSTANDER)


async def test_an_admins_word_on_a_doubted_read_is_proof(stage: Stage) -> None:
    await stage.add_rule()
    stage.sandbox.patreon.connect_discord(stage.patron_id("Gideon Brook"), stage.user_id(BYSTANDER))
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "somebody else is named too")
    await stage.rounds(2)
    stage.weather("patreon", "/members", "no_discord")  # all the accounts that were named
    await stage.rounds(3)
    assert "Gold" in stage.roles(REPORTED)
    interaction = await stage.command(ADMIN, "patreon believe")
    await stage.press(ADMIN, interaction.messages[-1], "confirm:")
    await stage.until(lambda: "Gold" not in stage.roles(REPORTED), "the role goes with the account")
    await stage.until(lambda: "Gold" not in stage.roles(BYSTANDER), "the other one too")


async def test_the_only_account_that_was_named_may_be_taken_away(stage: Stage) -> None:
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    await stage.rounds(2)
    stage.sandbox.patreon.disconnect_discord(stage.patron_id("Kit Estrella"))
    await stage.until(lambda: "Gold" not in stage.roles(REPORTED), "the role goes with the account")


async def test_a_link_wins_over_a_report_and_one_account_of_two_patrons_is_linked_to_neither(stage: Stage) -> None:
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url(BYSTANDER), stage.patron_id("Kit Estrella"))
    assert page.result == "held", "the account that Patreon names has it already"
    assert (await browser.send(page, "confirm")).result == "linked"
    await stage.rounds(2)
    assert "The /link counts" in await stage.say(ADMIN, "patreon sync"), "told once, above the next reply"
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "the role by /link")
    assert "Gold" not in stage.roles(REPORTED)
    assert "The /link counts" in await stage.say(ADMIN, "patreon why", user=stage.user_id(BYSTANDER))

    for patron in ("Goldie Marsh", "Gideon Brook"):
        stage.sandbox.patreon.connect_discord(stage.patron_id(patron), stage.user_id("ivy_afterdark"))
    await stage.rounds(3)
    assert "Gold" not in stage.roles("ivy_afterdark")
    said = await stage.say(ADMIN, "patreon sync")
    assert "several patrons" in said
    assert "The /link counts" not in said
    stage.sandbox.patreon.disconnect_discord(stage.patron_id("Goldie Marsh"))
    await stage.until(lambda: "Gold" in stage.roles("ivy_afterdark"), "one of them is left")
    assert "no longer names" in await stage.say(ADMIN, "patreon sync")


async def test_a_server_that_does_not_want_it_gives_nothing_by_it(stage: Stage) -> None:
    await stage.say(ADMIN, "patreon settings", zero_link=False)
    await stage.add_rule()
    await stage.rounds(3)
    assert "Gold" not in stage.roles(REPORTED)
    await stage.say(ADMIN, "patreon settings", zero_link=True)
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, now that it is wanted")


async def _pressed(stage: Stage, interaction: Interaction) -> str:
    pressed = await stage.press(REPORTED, interaction.messages[-1], "refresh:")
    return words([*pressed.messages, interaction.messages[-1]])
