"""Where Patreon reports a patron's Discord account, nobody has to type anything."""

from datetime import timedelta

from sandbox.discord.interaction import Interaction
from tests.fakes.stage import ADMIN, Stage, words

REPORTED = "kestrel_kite"  # whom Patreon names as Kit Estrella
BYSTANDER = "hazel.hollow"


async def test_a_patron_whom_patreon_names_gets_the_role_and_can_ask_why(stage: Stage) -> None:
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    said = await stage.say(REPORTED, "membership")
    assert "Kit Estrella" in said
    assert "According to Patreon" in said
    interaction = await stage.command(REPORTED, "membership")
    assert ":R> on Patreon." in await _pressed(stage, interaction)


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


async def test_accounts_that_vanish_together_end_no_link_and_pledges_count_all_the_while(stage: Stage) -> None:
    await stage.add_rule()
    await stage.add_rule("Bronze", "Bronze")
    stage.sandbox.patreon.connect_discord(stage.patron_id("Gideon Brook"), stage.user_id(BYSTANDER))
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "somebody else is named too")
    await stage.rounds(2)
    stage.weather("patreon", "/members", "no_discord")
    stage.sandbox.patreon.change_tier(stage.patron_id("Gideon Brook"), stage.tier_id("Bronze"))
    await stage.until(lambda: {"Gold", "Bronze"} & stage.roles(BYSTANDER) == {"Bronze"}, "the pledge counts")
    for _ in range(3):
        await stage.move(timedelta(hours=25))
        await stage.rounds(2)
    assert "Gold" in stage.roles(REPORTED), "all accounts gone at once is no proof, for days"
    assert "Bronze" in stage.roles(BYSTANDER)
    said = await stage.say(ADMIN, "patreon sync")
    assert "turned off Patreon's own Discord integration" in said
    assert "Existing links and pledges still count" in said
    stage.sandbox.weather.clear()
    await stage.rounds(2)
    assert "names the Discord accounts" in await stage.say(ADMIN, "patreon sync")
    assert {"Gold"} <= stage.roles(REPORTED)


async def test_an_account_taken_away_at_patreon_ends_it_by_a_second_list_a_day_later(stage: Stage) -> None:
    await stage.add_rule()
    stage.sandbox.patreon.connect_discord(stage.patron_id("Gideon Brook"), stage.user_id(BYSTANDER))
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "somebody else is named too")
    await stage.rounds(2)
    stage.sandbox.patreon.disconnect_discord(stage.patron_id("Kit Estrella"))
    stage.sandbox.patreon.set_charge_status(stage.patron_id("Kit Estrella"), "Paid")  # a webhook: one member is read
    await stage.rounds(3)
    assert "Gold" in stage.roles(REPORTED), "one list that names none is no proof"
    await stage.sandbox.bot.stop()
    await stage.restart()
    await stage.move(timedelta(hours=23))
    await stage.rounds(2)
    assert "Gold" in stage.roles(REPORTED)
    await stage.move(timedelta(hours=2))
    await stage.until(lambda: "Gold" not in stage.roles(REPORTED), "the role goes with the account")
    assert "Gold" in stage.roles(BYSTANDER)


async def test_another_account_is_its_own_proof(stage: Stage) -> None:
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "the role, with no command")
    stage.sandbox.patreon.connect_discord(stage.patron_id("Kit Estrella"), stage.user_id(BYSTANDER))
    await stage.until(lambda: "Gold" not in stage.roles(REPORTED), "the role goes from the old account")
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "and comes to the new one")


async def test_of_a_former_patron_and_one_of_now_the_latter_is_linked_and_stays_so(stage: Stage) -> None:
    person = "ivy_afterdark"
    await stage.add_rule()
    stage.sandbox.patreon.refund(stage.patron_id("Goldie Marsh"))
    for patron in ("Goldie Marsh", "Gideon Brook"):
        stage.sandbox.patreon.connect_discord(stage.patron_id(patron), stage.user_id(person))
    await stage.until(lambda: "Gold" in stage.roles(person), "the role, by the one who is a patron now")
    assert "several patrons" not in await stage.say(ADMIN, "patreon sync")
    stage.sandbox.patreon.set_charge_status(stage.patron_id("Goldie Marsh"), "Paid")
    await stage.rounds(3)
    assert "Their current link stays" in await stage.say(ADMIN, "patreon sync")
    stage.sandbox.patreon.refund(stage.patron_id("Gideon Brook"))
    await stage.rounds(3)
    assert "no longer names" in await stage.say(ADMIN, "patreon sync")
    await stage.sandbox.bot.stop()
    await stage.restart()
    await stage.rounds(2)
    assert "Gold" in stage.roles(person)
    writes = [write.method for write in stage.role_writes if write.username == person]
    assert writes == ["PUT"], "the role never went in between"


async def test_a_link_wins_over_a_report_and_one_account_of_two_patrons_is_linked_to_neither(stage: Stage) -> None:
    await stage.until(stage.count_rounds, "the list is read, which names an account")
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url(BYSTANDER), stage.patron_id("Kit Estrella"))
    assert page.result == "held", "the account that Patreon names has it already"
    assert (await browser.send(page, "confirm")).result == "linked"
    await stage.until_said("`/link` counts", ADMIN, "patreon sync")  # told once, above the next reply
    await stage.add_rule()
    await stage.until(lambda: "Gold" in stage.roles(BYSTANDER), "the role by /link")
    assert "Gold" not in stage.roles(REPORTED)
    assert "`/link` counts" in await stage.say(ADMIN, "patreon why", user=stage.user_id(BYSTANDER))

    for patron in ("Goldie Marsh", "Gideon Brook"):
        stage.sandbox.patreon.connect_discord(stage.patron_id(patron), stage.user_id("ivy_afterdark"))
    await stage.rounds(3)
    assert "Gold" not in stage.roles("ivy_afterdark")
    said = await stage.say(ADMIN, "patreon sync")
    assert "several patrons" in said
    assert "`/link` counts" not in said
    stage.sandbox.patreon.disconnect_discord(stage.patron_id("Goldie Marsh"))
    await stage.until(lambda: "Gold" in stage.roles("ivy_afterdark"), "one of them is left")
    await stage.until_said("no longer names", ADMIN, "patreon sync")


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
