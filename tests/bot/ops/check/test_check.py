"""Each check against the stand-ins: what works is said to, and what is wrong is found, with what to do about it."""

import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from rich.console import Console

from bot.domain.findings import Found, Level
from bot.domain.model import (
    Campaign,
    DiscordUserId,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    TokenPair,
)
from bot.ops.check import find_all, run_check
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import Vault, fingerprint, new_key
from bot.texts.catalogs import ENGLISH
from bot.texts.check import say_finding
from bot.texts.renderer import Medium, Renderer
from sandbox.discord.model import Overwrite
from sandbox.main import Options, Sandbox
from sandbox.weather import Fault
from tests.fakes.stored import save_consent

NOW = datetime(2026, 3, 1, tzinfo=UTC)

Configure = Callable[..., Settings]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(Options(with_bot=False)) as opened:
        yield opened


@pytest.fixture
def configure(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    monkeypatch.chdir(tmp_path)  # away from a developer's own .env

    def settings(**changes: str) -> Settings:
        given = {name.lower(): value for name, value in sandbox.bot.environment.items()}
        known: dict[str, Any] = {name: given[name] for name in Settings.model_fields if name in given}
        return Settings(**{**known, **changes})

    return settings


class Told(NamedTuple):
    """A finding and what is said of it."""

    level: Level
    code: Found
    is_fine: bool
    result: str
    to_do: str


async def findings(settings: Settings) -> dict[str, Told]:
    """Return what is told of each setting, by its name in the table."""
    renderer = Renderer(ENGLISH, Medium.PLAIN)
    told = {}
    for finding in await find_all(settings):
        about, result, to_do = say_finding(renderer, finding)
        told[about] = Told(finding.level, finding.code, finding.is_fine, result, to_do)
    return {str(about): one for about, one in told.items()}


async def plant_rule(settings: Settings, role_id: str) -> None:
    guild_id, campaign_id = settings.discord_guild_id, settings.patreon_campaign_id
    assert guild_id is not None
    assert campaign_id is not None
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    await storage.campaigns.save(Campaign(campaign_id=campaign_id, name="Emberwood Tales"))
    rule = RoleRule(
        rule_id=RuleId(0),
        guild_id=guild_id,
        role_id=RoleId(int(role_id)),
        campaign_id=campaign_id,
        kind=RuleKind.PAYING,
    )
    await storage.rules.add(rule, created_by=DiscordUserId(1), at=NOW)
    await storage.close()


def a_giveable_role(sandbox: Sandbox) -> Any:
    guild = sandbox.world.guild
    plain = [role for role in guild.roles.values() if role.id != guild.id and not role.managed]
    return min(plain, key=lambda role: role.position)


async def test_before_the_first_start_all_is_well(configure: Configure) -> None:
    found = await findings(configure())
    assert {name: finding.level for name, finding in found.items()} == {
        "DISCORD_TOKEN": Level.OK,
        "Server Members Intent": Level.OK,
        "server Emberwood": Level.OK,
        "PATREON_CLIENT_ID": Level.OK,
        "PATREON_CLIENT_SECRET": Level.OK,
        "PATREON_CREATOR_ACCESS_TOKEN": Level.OK,
        "PATREON_CAMPAIGN_ID": Level.OK,
        "creator token's scopes": Level.OK,
        "PATREON_WEBHOOK_SECRET": Level.NOTE,
        "DATABASE_URL": Level.NOTE,
        "ENCRYPTION_KEYS": Level.OK,
        "PUBLIC_URL": Level.NOTE,
    }


@pytest.mark.parametrize(
    ("setting", "value", "row", "to_do"),
    [
        ("discord_token", f"{'w' * 24}.wrong6.{'w' * 38}", "DISCORD_TOKEN", "Reset Token"),
        ("discord_api_url", "http://127.0.0.1:9/api/v10", "DISCORD_API_URL", "check again"),
        ("discord_guild_id", "123", "server 123", "https://discord.com/oauth2/authorize?client_id="),
        ("patreon_url", "http://127.0.0.1:9", "PATREON_URL", "Check the address"),
        ("patreon_client_id", "wrong", "PATREON_CLIENT_ID", "/oauth/callback"),
        ("patreon_client_secret", "wrong", "PATREON_CLIENT_SECRET", "Copy Client ID and Client Secret again"),
        ("database_url", "sqlite+aiosqlite:////proc/x/bot.db", "DATABASE_URL", "choose another place"),
        ("public_url", "http://127.0.0.1:9", "PATREON_CLIENT_ID", "http://127.0.0.1:9/oauth/callback"),
        ("patreon_creator_access_token", "wrong", "PATREON_CREATOR_ACCESS_TOKEN", "copy both tokens again"),
        ("patreon_campaign_id", "123", "PATREON_CAMPAIGN_ID", "one of these: 1"),
    ],
)
async def test_a_wrong_value_is_found(configure: Configure, setting: str, value: str, row: str, to_do: str) -> None:
    finding = (await findings(configure(**{setting: value})))[row]
    assert finding.level is Level.WRONG
    assert to_do in finding.to_do


@pytest.mark.parametrize("fault", ["error_page", "error_json"])
async def test_a_refusal_of_the_redirect_uri_is_found_in_whatever_way_patreon_says_it(
    sandbox: Sandbox, configure: Configure, fault: str
) -> None:
    sandbox.weather.set(Fault("patreon", "/oauth2/authorize", fault))
    finding = (await findings(configure()))["PATREON_CLIENT_ID"]
    assert finding.level is Level.WRONG
    assert f"the redirect URI {sandbox.bot_url}/oauth/callback" in finding.to_do


async def test_the_way_to_a_login_is_well(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.weather.set(Fault("patreon", "/oauth2/authorize", "login_first"))
    assert (await findings(configure()))["PATREON_CLIENT_ID"].level is Level.OK


@pytest.mark.parametrize(
    ("fault", "route", "row"),
    [("sent_back", "/oauth2/authorize", "PATREON_CLIENT_ID"), ("other_api", "/campaigns", "PATREON_API_VERSION")],
)
async def test_a_client_of_the_other_api_version_is_found(
    sandbox: Sandbox, configure: Configure, fault: str, route: str, *, row: str
) -> None:
    sandbox.weather.set(Fault("patreon", route, fault))
    finding = (await findings(configure()))[row]
    assert finding.level is Level.WRONG
    assert "PATREON_API_VERSION" in finding.to_do


@pytest.mark.parametrize(
    ("status", "location", "body", "level"),
    [
        (302, "/oauth2/errors?error=invalid_request&error_description=Mismatching+redirect+URI.", "", Level.WRONG),
        (302, "https://www.patreon.com/oauth2/errors?error=unauthorized_client", "", Level.WRONG),
        (307, "/oauth2/errors", "", Level.WRONG),
        (302, "/oauth2/errors?error=", "", Level.WRONG),
        (200, "", '{"error_description": "Mismatching redirect URI."}', Level.WRONG),
        (302, "/login?ru=%2Foauth2%2Fauthorize%3Fx%3D1%26error%3Dno", "", Level.OK),
        (302, "//[oops", "", Level.OK),
        (302, "/oauth2/errors?error=server_error", "", Level.NOTE),
        (200, "", '{"error": "invalid_request", "error_description": "Mismatching redirect URI."}', Level.WRONG),
        (200, "", '{"errors": [{"code_name": "OAuthClientNotFound"}]}', Level.WRONG),
        (200, "", '{"error": null}', Level.OK),
        (200, "", "<html>Allow?</html>", Level.OK),
        (200, "", "[]", Level.OK),
        (404, "", "", Level.WRONG),
        (429, "", "", Level.NOTE),
        (403, "", "<html>challenge</html>", Level.NOTE),
    ],
)
async def test_what_the_consent_page_s_answers_mean(
    configure: Configure, status: int, location: str, *, body: str, level: Level
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": location} if location else {})

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=401)  # so that nothing is asked again

    app = web.Application()
    app.router.add_get("/oauth2/authorize", answer)
    app.router.add_get("/{other:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    finding = (await findings(configure(patreon_url=f"http://{host}:{port}")))["PATREON_CLIENT_ID"]
    await runner.cleanup()
    assert finding.level is level


async def test_a_role_that_got_power_in_a_channel_is_found(sandbox: Sandbox, configure: Configure) -> None:
    settings, role = configure(), a_giveable_role(sandbox)
    await plant_rule(settings, role.id)
    assert (await findings(settings))[f"role @{role.name}"].level is Level.OK
    channel = next(iter(sandbox.world.guild.channels.values()))
    channel.overwrites[role.id] = Overwrite(role.id, allow=1 << 13)
    finding = (await findings(settings))[f"role @{role.name}"]
    assert finding.level is Level.WRONG
    assert f"Manage Messages in #{channel.name}" in finding.result


async def test_a_missing_intent_is_told_with_what_is_lost(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.world.discord.intents_allowed.clear()
    finding = (await findings(configure()))["Server Members Intent"]
    assert finding.level is Level.WRONG
    assert "joins, leaves and manual role changes" in finding.result


async def test_the_missing_right_to_manage_roles_is_found(sandbox: Sandbox, configure: Configure) -> None:
    for role in sandbox.world.guild.roles.values():
        role.permissions = 0
    finding = (await findings(configure()))["server Emberwood"]
    assert (finding.level, finding.to_do) == (Level.WRONG, "Give it to the bot's role in Server Settings > Roles.")


async def test_two_factor_authentication_that_the_owner_lacks_is_found(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.discord.set_2fa(is_required=True, owner_has_it=False)
    finding = (await findings(configure()))["two-factor authentication"]
    assert finding.level is Level.WRONG
    assert "Emberwood requires it" in finding.result
    sandbox.discord.set_2fa(is_required=True, owner_has_it=True)
    assert "two-factor authentication" not in await findings(configure())


async def test_a_pledge_role_below_the_bot_is_well(sandbox: Sandbox, configure: Configure) -> None:
    role = a_giveable_role(sandbox)
    await plant_rule(configure(), role.id)
    assert (await findings(configure()))[f"role @{role.name}"].level is Level.OK


async def test_a_pledge_role_above_the_bot_is_found(sandbox: Sandbox, configure: Configure) -> None:
    role = a_giveable_role(sandbox)
    await plant_rule(configure(), role.id)
    role.position = 200
    finding = (await findings(configure()))[f"role @{role.name}"]
    assert finding.level is Level.WRONG
    assert "drag the bot's role above it" in finding.to_do


async def test_a_pledge_role_at_the_bot_s_own_position_is_judged_by_its_id(
    sandbox: Sandbox, configure: Configure
) -> None:
    guild = sandbox.world.guild
    bot_role = next(role for role in guild.roles.values() if role.tags and "bot_id" in role.tags)
    role = a_giveable_role(sandbox)
    await plant_rule(configure(), role.id)
    role.position = bot_role.position
    is_below = int(role.id) > int(bot_role.id)
    assert (await findings(configure()))[f"role @{role.name}"].is_fine == is_below


async def test_a_pledge_role_that_is_gone_is_found(configure: Configure) -> None:
    await plant_rule(configure(), "4242")
    finding = (await findings(configure()))["a role in Emberwood"]
    assert (finding.level, finding.result) == (Level.WRONG, "A rule names a role that no longer exists.")


async def test_a_token_without_the_members_scope_is_found(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.weather.set(Fault(service="patreon", route="/members", fault="401"))
    finding = (await findings(configure()))["creator token's scopes"]
    assert finding.level is Level.WRONG
    assert "campaigns.members" in finding.to_do


async def test_the_refreshed_pair_is_tested_and_not_the_seed(sandbox: Sandbox, configure: Configure) -> None:
    settings = configure(patreon_creator_access_token="used-up", patreon_creator_refresh_token="used-up-too")
    seed = TokenPair(access_token=Secret("used-up"), refresh_token=Secret("used-up-too"), expires_at=NOW)
    good = sandbox.world.client.creator_access_token
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    stored = await storage.credentials.ensure_seed(seed, fingerprint(seed.refresh_token), at=NOW)
    rotated = TokenPair(access_token=Secret(good), refresh_token=Secret("r"), expires_at=NOW + timedelta(days=31))
    await storage.credentials.save_pair(stored, rotated)
    await storage.close()
    finding = (await findings(settings))["PATREON_CREATOR_ACCESS_TOKEN"]
    assert (finding.level, finding.code) == (Level.OK, Found.CREATOR_WORKS_AS_KEPT)


async def test_a_dead_pair_is_told_without_a_call(configure: Configure) -> None:
    settings = configure()
    assert settings.patreon_creator_refresh_token is not None
    seed = TokenPair(access_token=Secret("a"), refresh_token=settings.patreon_creator_refresh_token, expires_at=NOW)
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    stored = await storage.credentials.ensure_seed(seed, fingerprint(seed.refresh_token), at=NOW)
    await storage.credentials.mark_dead(stored, NOW)
    await storage.close()
    finding = (await findings(settings))["PATREON_CREATOR_ACCESS_TOKEN"]
    assert finding.level is Level.WRONG
    assert "dead" in finding.result


async def test_stored_tokens_that_no_key_opens_are_found(configure: Configure) -> None:
    settings = configure()
    pair = TokenPair(access_token=Secret("a"), refresh_token=Secret("r"), expires_at=NOW)
    storage = await Storage.open(settings.database_url, Vault((new_key(),)))
    await save_consent(storage, PatreonUserId("somebody"), pair, at=NOW)
    await storage.close()
    finding = (await findings(settings))["ENCRYPTION_KEYS"]
    assert (finding.level, finding.result) == (Level.WRONG, "1 of 1 stored tokens can't be opened.")


async def test_a_check_works_beside_a_running_bot_and_changes_nothing(configure: Configure) -> None:
    settings = configure()
    running = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    found = await findings(settings)
    await running.close()
    assert "A running bot is using it" in found["DATABASE_URL"].result
    assert found["PUBLIC_URL"].level is Level.WRONG  # it runs, and does not answer


@pytest.mark.parametrize(
    ("answer", "level", "result"),
    [
        ('{"status": "ok", "parts": {"web": {"ok": true}}}', Level.OK, "is well"),
        ('{"status": "failing", "parts": {"web": {"ok": true}, "sync": {"ok": false}}}', Level.WRONG, "fails: sync"),
        ("<html>It works!</html>", Level.WRONG, "Something other than this bot"),
        ("[]", Level.WRONG, "Something other than this bot"),
    ],
    ids=["well", "ailing", "another site", "another program"],
)
async def test_the_public_url_is_asked_for_the_bot_s_health(
    sandbox: Sandbox, configure: Configure, answer: str, level: Level, *, result: str
) -> None:
    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sandbox.bot_url.rpartition(":")[2])).start()
    finding = (await findings(configure()))["PUBLIC_URL"]
    await runner.cleanup()
    assert finding.level is level
    assert result in finding.result


async def test_the_table_fits_eighty_columns_and_names_each_setting_whole(configure: Configure) -> None:
    page = io.StringIO()
    code = await run_check(configure(discord_guild_id="123"), Console(file=page, width=80))
    assert code == 1
    assert max(map(len, page.getvalue().splitlines())) <= 80
    assert "PATREON_CREATOR_ACCESS_TOKEN" in page.getvalue()
    assert "1 of 12 need you" in page.getvalue()


async def test_the_exit_code_is_zero_where_nothing_is_wrong(configure: Configure) -> None:
    page = io.StringIO()
    assert await run_check(configure(), Console(file=page, width=80)) == 0
    assert "Everything works." in page.getvalue()


async def test_no_refresh_and_no_write_reaches_either_service(sandbox: Sandbox, configure: Configure) -> None:
    tokens = sandbox.world.client.creator_access_token, sandbox.world.client.creator_refresh_token
    await findings(configure())
    await findings(configure(patreon_creator_access_token="wrong"))
    assert (sandbox.world.client.creator_access_token, sandbox.world.client.creator_refresh_token) == tokens
