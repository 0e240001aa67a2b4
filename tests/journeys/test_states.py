"""What becomes of the address that /link gives, used well and badly."""

from datetime import timedelta

from tests.fakes.stage import Stage


async def test_a_denied_consent_uses_the_link_up(stage: Stage) -> None:
    browser = stage.browser()
    address = await stage.authorize_url("hazel.hollow")
    assert (await browser.consent(address, stage.patron_id("Gerda Nilsson"), answer="deny")).result == "denied"
    assert (await browser.consent(address, stage.patron_id("Gerda Nilsson"))).result == "used"


async def test_a_link_runs_out_after_ten_minutes(stage: Stage) -> None:
    browser = stage.browser()
    address = await stage.authorize_url("hazel.hollow")
    callback = await browser.callback_url(address, stage.patron_id("Gerda Nilsson"))
    await stage.move(timedelta(minutes=11))
    assert (await browser.open(callback)).result == "expired"


async def test_a_replayed_callback_is_used_and_a_forged_one_unknown(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    assert (await browser.open(callback)).result == "confirm"
    assert (await stage.browser().open(callback)).result == "used"
    forged = f"{stage.sandbox.bot_url}/oauth/callback?state={'x' * 43}&code=abc"
    assert (await stage.browser().open(forged)).result == "unknown"
    assert (await stage.browser().open(f"{stage.sandbox.bot_url}/oauth/callback")).result == "unknown"


async def test_a_newer_link_voids_the_older_one(stage: Stage) -> None:
    first = await stage.authorize_url("hazel.hollow")
    second = await stage.authorize_url("hazel.hollow")
    patron = stage.patron_id("Gerda Nilsson")
    assert (await stage.browser().consent(first, patron)).result == "expired"
    assert (await stage.browser().consent(second, patron)).result == "confirm"


async def test_a_good_state_with_neither_code_nor_error_is_a_denial(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    state = callback.partition("state=")[2].partition("&")[0]
    page = await browser.open(f"{stage.sandbox.bot_url}/oauth/callback?state={state}")
    assert page.result == "denied"


async def test_while_patreon_is_down_the_page_says_so_and_the_next_link_works(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    assert (await browser.open(callback)).result == "unavailable"
    assert (await stage.link("hazel.hollow", "Gerda Nilsson")).result == "linked"
