"""What becomes of the address that /link gives, used well and badly."""

import asyncio
import re
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
    page = await browser.open(callback)
    assert page.result == "confirm"
    other_code = re.sub(r"code=[^&]+", "code=made-up", callback)
    assert (await stage.browser().open(other_code)).result == "used"
    assert (await browser.send(page, "decline")).result == "declined"
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


async def test_a_callback_that_comes_twice_leads_to_one_question_in_both_browsers(stage: Stage) -> None:
    first, second = stage.browser(), stage.browser()
    callback = await first.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    stage.weather("patreon", "/api/oauth2/token", "slow", times=1)
    pages = await asyncio.gather(first.open(callback), second.open(callback))
    assert [page.result for page in pages] == ["confirm", "confirm"]
    assert pages[0].form("confirm") == pages[1].form("confirm")
    assert stage.count_refreshes() == 1  # of the token endpoint's calls: one exchange
    reloaded = await first.open(callback)
    assert (await second.send(reloaded, "confirm")).result == "linked"
    assert (await first.open(reloaded.url)).result == "linked"
    assert (await first.open(callback)).result == "used"


async def test_a_callback_is_answered_by_the_next_process_as_by_the_first(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    page = await browser.open(callback)
    await stage.sandbox.bot.kill()
    await stage.restart()
    again = await stage.browser().open(callback)
    assert (again.result, again.form("confirm")) == ("confirm", page.form("confirm"))


async def test_a_callback_in_whose_midst_the_bot_was_killed_is_unavailable(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    stage.weather("patreon", "/api/oauth2/token", "hang", times=1)
    opened = asyncio.create_task(browser.open(callback))
    await stage.until(lambda: not stage.sandbox.weather.faults, "the exchange is under way")
    await stage.sandbox.bot.kill()
    await asyncio.gather(opened, return_exceptions=True)
    await stage.restart()
    page = await stage.browser().open(callback)
    assert (page.status, page.result) == (503, "unavailable")
    assert (await stage.link("hazel.hollow", "Gerda Nilsson")).result == "linked"


async def test_who_is_named_by_patreon_is_linked_in_both_browsers(stage: Stage) -> None:
    stage.sandbox.patreon.connect_discord(stage.patron_id("Gerda Nilsson"), stage.user_id("hazel.hollow"))
    first, second = stage.browser(), stage.browser()
    callback = await first.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    stage.weather("patreon", "/api/oauth2/token", "slow", times=1)
    pages = await asyncio.gather(first.open(callback), second.open(callback))
    assert [page.result for page in pages] == ["linked", "linked"]


async def test_an_older_link_under_way_ends_when_a_newer_one_is_typed(stage: Stage) -> None:
    browser = stage.browser()
    callback = await browser.callback_url(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    stage.weather("patreon", "/api/oauth2/token", "held")
    (exchange,) = stage.sandbox.weather.faults
    opened = asyncio.create_task(browser.open(callback))
    await stage.until(lambda: exchange.struck, "the exchange is under way")
    newer = await stage.authorize_url("hazel.hollow")
    stage.sandbox.weather.clear()
    assert (await opened).result == "expired"
    assert (await stage.browser().consent(newer, stage.patron_id("Gerda Nilsson"))).result == "confirm"


async def test_nobody_has_more_than_ten_links_open_and_the_newest_still_works(stage: Stage) -> None:
    addresses = [await stage.authorize_url("hazel.hollow") for _ in range(10)]
    answer = await stage.say("hazel.hollow", "link")
    assert "asked for 10" in answer
    assert re.search(r"<t:\d+:R>", answer)
    await stage.authorize_url("bramble.fox")  # other people have their own ten
    assert (await stage.browser().consent(addresses[-1], stage.patron_id("Gerda Nilsson"))).result == "confirm"
