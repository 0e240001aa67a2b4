"""No code, state or token is found where it has no business: logs at DEBUG, pages, the database file."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.main import Options
from tests.fakes.stage import ADMIN, Page, Stage


@pytest.fixture
async def talkative() -> AsyncIterator[Stage]:
    async with Stage(Options(interval=1, env={"LOG_LEVEL": "DEBUG"})) as stage:
        yield stage


async def test_every_secret_of_a_whole_journey_stays_out_of_logs_pages_and_the_database(talkative: Stage) -> None:
    stage = talkative
    pages: list[Page] = []
    secrets = _settings_secrets(stage)
    await stage.add_rule()
    browser = stage.browser()
    address = await stage.authorize_url("hazel.hollow")
    callback = await browser.callback_url(address, stage.patron_id("Gerda Nilsson"))
    query = parse_qs(urlsplit(callback).query)
    secrets |= {query["state"][0], query["code"][0]}
    pages.append(await browser.open(callback))
    pages.append(await browser.send(pages[-1], "confirm"))
    pages.append(await browser.open(callback))  # used
    stage.weather("patreon", "/api/oauth2/token", "502", times=1)
    failing = await browser.callback_url(await stage.authorize_url("ivy_afterdark"), stage.patron_id("Goldie Marsh"))
    failed = parse_qs(urlsplit(failing).query)
    secrets |= {failed["state"][0], failed["code"][0]}
    pages.append(await browser.open(failing))
    stage.weather("patreon", "/members", "token_expired", times=1)
    await stage.rounds(3)
    await stage.say(ADMIN, "patreon sync")
    secrets |= _issued(stage)
    assert len(secrets) > 10

    log = stage.log()
    database = b"".join(file.read_bytes() for file in Path(stage.database).parent.iterdir() if file.is_file())
    for secret in secrets:
        assert secret not in log
        assert all(secret not in page.text for page in pages)
        assert all(secret not in page.url for page in pages[:2])
        assert secret.encode() not in database


def _settings_secrets(stage: Stage) -> set[str]:
    names = {
        "DISCORD_TOKEN",
        "PATREON_CLIENT_SECRET",
        "PATREON_CREATOR_ACCESS_TOKEN",
        "PATREON_CREATOR_REFRESH_TOKEN",
        "ENCRYPTION_KEYS",
    }
    return {stage.sandbox.bot.environment[name] for name in names}


def _issued(stage: Stage) -> set[str]:
    """Return every token that the stand-in Patreon has given out."""
    oauth = stage.sandbox.world.patreon.oauth
    return {*oauth._by_access, *oauth._by_refresh}
