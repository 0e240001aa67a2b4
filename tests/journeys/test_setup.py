"""What is set up wrong: who is told, where, and what it does not touch."""

import asyncio
import time

from sandbox.discord.state import fresh_bot_token
from sandbox.main import Options
from tests.fakes.stage import Stage


async def notes(stage: Stage) -> list[str]:
    found: list[str] = (await stage.health())["notes"]
    return found


def logged(stage: Stage, event: str) -> list[str]:
    return [line for line in stage.log().splitlines() if event in line]


async def test_a_client_of_the_other_api_version_is_told_to_the_team_and_the_operator(stage: Stage) -> None:
    stage.weather("patreon", "/oauth2/authorize", "sent_back", times=3)
    for _ in range(3):
        page = await stage.browser().consent(
            await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson")
        )
        assert (page.status, page.result) == (503, "unavailable")
        assert "set up wrong" in page.words
    await stage.until(lambda: logged(stage, "patreon sends people back"), "the operator is told")
    told = logged(stage, "patreon sends people back")
    assert len(told) == 1
    assert "PATREON_API_VERSION" in told[0]
    assert await notes(stage) == []  # so far a stranger might have written it
    stage.weather("patreon", "/api/oauth2/v2", "other_api")
    await stage.rounds(2)
    assert await notes(stage) == ["patreon_client_refused"]
    assert len(logged(stage, "patreon refuses our client")) == 1
    stage.sandbox.weather.clear()
    await stage.rounds(2)
    assert await notes(stage) == []


async def test_a_token_that_discord_refuses_from_the_start_ends_the_process() -> None:
    async with Stage(Options(with_bot=False)) as stage:
        bot = stage.sandbox.bot
        bot.environment["DISCORD_TOKEN"] = fresh_bot_token()
        began = time.monotonic()
        await bot.start()
        assert await asyncio.wait_for(bot.ended(), 60) == 78
        assert time.monotonic() - began >= 10
        assert sum(call.path.endswith("/users/@me") for call in stage.sandbox.discord.calls) == 2
        assert "Discord doesn't accept DISCORD_TOKEN" in bot.lines[-1]
        assert "Reset Token" in bot.lines[-1]
        assert "Traceback" not in stage.log()


async def test_a_token_that_is_refused_later_keeps_the_pages_up(stage: Stage) -> None:
    address = await stage.authorize_url("hazel.hollow")
    stage.sandbox.discord.state.bot_token = fresh_bot_token()
    stage.weather("discord", "GUILD_ROLE_UPDATE", "malformed_event", times=1)
    stage.sandbox.discord.edit_role(stage.role_id("Regular"), name="Regulars")
    await stage.until(lambda: "Discord refuses DISCORD_TOKEN" in stage.log(), "the refusal")
    await asyncio.sleep(12)
    assert stage.sandbox.bot.running
    assert (await stage.browser().consent(address, stage.patron_id("Gerda Nilsson"))).result == "confirm"
    assert (await stage.health())["http"] == 503
