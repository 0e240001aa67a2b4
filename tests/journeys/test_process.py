"""The bot as a process: starts, stops, shares nothing, and survives what the gateway throws at it."""

import asyncio
import contextlib
import sqlite3
import time
from datetime import timedelta

from bot.storage.copying import MARK
from sandbox.botprocess import BotProcess
from tests.fakes.stage import ADMIN, PATIENCE, Stage


async def test_it_stops_cleanly_at_sigterm(stage: Stage) -> None:
    assert await stage.sandbox.bot.stop() == 0
    assert "Traceback" not in stage.log()
    assert "pledgekeeper stopped" in stage.log()


async def test_what_it_has_just_done_is_in_the_log_channel_when_it_stops(stage: Stage) -> None:
    await stage.choose_log_channel()
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    assert await stage.sandbox.bot.stop() == 0
    assert stage.logged(f"<@{stage.user_id('hazel.hollow')}>") == 1


async def test_it_stops_within_ten_seconds_while_looks_at_discord_hang(stage: Stage) -> None:
    await stage.add_rule()
    stage.weather("discord", "/", "silent_looks")
    stage.weather("discord", "GET /guilds/*/members/*", "hang")
    page = await stage.link("hazel.hollow", "Gerda Nilsson")
    assert page.result == "linked"
    await stage.sandbox.discord.run_command(
        stage.user_id(ADMIN), "patreon why", {"user": stage.user_id("hazel.hollow")}
    )
    await asyncio.sleep(1)
    began = time.monotonic()
    assert await stage.sandbox.bot.stop() == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in stage.log()
    stage.sandbox.weather.clear()
    await stage.restart()
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "what was cut off goes on")


async def test_a_second_process_on_one_file_is_refused(stage: Stage) -> None:
    environment = {**stage.sandbox.bot.environment, "WEB_PORT": "0"}
    second = BotProcess({**environment, "WEB_PORT": "18999"})
    await second.start()
    assert await asyncio.wait_for(second.ended(), 30) not in {0, None}
    assert "another" in "\n".join(second.lines).lower()
    assert (await stage.health())["http"] == 200


async def test_a_malformed_gateway_event_is_survived(stage: Stage) -> None:
    await stage.add_rule()
    stage.weather("discord", "GUILD_ROLE_UPDATE", "malformed_event", times=1)
    stage.sandbox.discord.edit_role(stage.role_id("Regular"), name="Regulars")
    began = time.monotonic()
    await stage.link_when_back("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "a role after the crash")
    assert time.monotonic() - began < 45
    await stage.ready()


async def test_a_rotated_creator_pair_survives_a_restart(stage: Stage) -> None:
    stage.weather("patreon", "/members", "token_expired", times=1)
    await stage.until(lambda: stage.count_refreshes() == 1, "the pair is rotated: its seed is spent from now on")
    await stage.rounds(2)
    await stage.sandbox.bot.stop()
    await stage.restart()
    await stage.rounds(2)
    assert stage.count_refreshes() == 1  # the stored pair was used, not the seed of the settings
    assert (await stage.health())["http"] == 200


async def test_it_stops_within_ten_seconds_while_pages_wait_for_patreon(stage: Stage) -> None:
    url = await stage.authorize_url("hazel.hollow")
    callback = await stage.browser().callback_url(url, stage.patron_id("Gerda Nilsson"))
    stage.weather("patreon", "/", "hang")
    page = asyncio.create_task(stage.browser().open(callback))
    await asyncio.sleep(1)
    began = time.monotonic()
    assert await stage.sandbox.bot.stop() == 0
    assert time.monotonic() - began < 10
    await asyncio.gather(page, return_exceptions=True)


async def test_it_stops_within_ten_seconds_while_a_refresh_and_looks_hang(stage: Stage) -> None:
    await stage.add_rule()
    stage.weather("discord", "/", "silent_looks")
    stage.weather("patreon", "/token", "hang")
    await stage.move(timedelta(days=25))
    await asyncio.sleep(2)
    began = time.monotonic()
    assert await stage.sandbox.bot.stop() == 0
    assert time.monotonic() - began < 10
    stage.sandbox.weather.clear()
    await stage.restart()
    await stage.rounds(2)


async def test_it_does_not_work_on_a_copy_that_broke_off(stage: Stage) -> None:
    await stage.sandbox.bot.stop()
    with contextlib.closing(sqlite3.connect(stage.database)) as file, file:
        file.execute("INSERT INTO installation (name, text) VALUES (?, '')", (MARK,))
    seen = len(stage.log())
    await stage.sandbox.bot.start()
    assert await asyncio.wait_for(stage.sandbox.bot.ended(), PATIENCE) == 1
    said = stage.log()[seen:]
    assert "move-database" in said
    assert "client_session" not in said, "nothing was begun"
