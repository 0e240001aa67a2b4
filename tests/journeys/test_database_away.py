"""PostgreSQL restarts beneath a running bot: that costs errors that say what to do, and heal; no process ends."""

import asyncio

import pytest

from tests.fakes.postgres import Postgres
from tests.fakes.stage import ADMIN, PATIENCE, Stage

PATRON, NEWCOMER = "hazel.hollow", "ivy_afterdark"


@pytest.mark.parametrize("database", ["postgresql", "pgbouncer"], indirect=True)
async def test_a_server_that_goes_and_comes_back_costs_errors_that_heal(
    database: None, stage: Stage, postgres: Postgres
) -> None:
    await stage.add_rule()
    await stage.link(PATRON, "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role")
    browser = stage.browser()
    question = await browser.consent(await stage.authorize_url(NEWCOMER), stage.patron_id("Goldie Marsh"))
    bot = stage.sandbox.bot.pid

    postgres.stop()
    try:
        assert "Please try again in a minute" in await stage.say(PATRON, "membership")
        assert "can't reach my database" in await stage.say(ADMIN, "patreon rule list")
        refused = await browser.open(question.url)
        assert (refused.status, "load this page again" in refused.words) == (503, True)
        async with asyncio.timeout(PATIENCE):  # it is asked every five seconds
            while (await stage.health())["http"] != 503:
                await asyncio.sleep(0.2)
        stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
        assert "Gold" in stage.roles(PATRON)
    finally:
        postgres.start()

    await stage.ready()
    assert stage.sandbox.bot.pid == bot, "no process ended"
    await stage.until(lambda: "Gold" not in stage.roles(PATRON), "what happened meanwhile is followed", 60)
    assert (await browser.send(await browser.open(question.url), "confirm")).result == "linked"
    await stage.until(lambda: "Gold" in stage.roles(NEWCOMER), "a question from before can be answered")
    assert "Traceback" not in stage.log()
