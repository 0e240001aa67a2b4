"""Someone sends their own /link address to a patron: the patron must see whose it is, and nothing may stick."""

from tests.fakes.stage import Stage


async def test_a_forwarded_link_names_the_attacker_and_a_no_stores_nothing(stage: Stage) -> None:
    await stage.add_rule()
    address = await stage.authorize_url("dapple.grey")  # the attacker
    victim = stage.browser()
    page = await victim.consent(address, stage.patron_id("Goldie Marsh"))
    assert page.result == "confirm"
    assert "@dapple.grey" in page.words
    assert "Emberwood" in page.words
    assert "Goldie Marsh" in page.words
    assert "only if you" in page.words

    assert (await victim.send(page, "decline")).result == "declined"
    assert (await victim.open(page.url)).result in {"unknown", "expired", "declined"}
    await stage.rounds()
    assert "Gold" not in stage.roles("dapple.grey")
    attacker = int(stage.user_id("dapple.grey"))
    assert stage.query("SELECT count(*) FROM links WHERE discord_user_id = ?", attacker) == [(0,)]
    assert stage.query("SELECT count(*) FROM pendings") == [(0,)]
    pairs = "SELECT count(*) FROM credentials WHERE seed_fingerprint IS NULL"
    await stage.until(lambda: stage.query(pairs) == [(0,)], "the pair is handed back")
    assert "security" in stage.log()


async def test_the_attacker_cannot_answer_in_the_victims_place(stage: Stage) -> None:
    address = await stage.authorize_url("dapple.grey")
    page = await stage.browser().consent(address, stage.patron_id("Goldie Marsh"))
    attacker = stage.browser()
    assert (await attacker.open(page.url)).result in {"unknown", "expired"}
    answered = await attacker.send(page, "confirm")
    assert answered.result not in {"linked", "confirm"}


async def test_the_sender_of_a_link_does_not_choose_the_language_of_its_warning(stage: Stage) -> None:
    stage.sandbox.discord.set_locale(stage.user_id("dapple.grey"), "de")
    for languages, shown in (("en-GB,en;q=0.9", "en"), ("de-CH,en;q=0.5", "de"), ("tlh,xx;q=0.5", "de")):
        victim = stage.browser(languages)
        page = await victim.consent(await stage.authorize_url("dapple.grey"), stage.patron_id("Goldie Marsh"))
        assert (page.result, page.language) == ("confirm", shown)
        assert "@dapple.grey" in page.words
