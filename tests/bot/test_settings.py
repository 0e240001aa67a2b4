import base64
import ipaddress
import os
from pathlib import Path
from typing import Any

import pytest

from bot import settings as settings_file
from bot.domain.errors import SettingsInvalid
from bot.domain.model import Secret
from bot.settings import Settings, WebAddress, load_settings, load_web_address
from bot.texts.catalogs import ENGLISH
from bot.texts.causes import say_settings
from bot.texts.renderer import Medium, Renderer

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.discord-token-of-a-test-only"
KEY = base64.urlsafe_b64encode(b"a key of thirty-two plain bytes!").decode()  # the same in every worker

GOOD = {
    "DISCORD_TOKEN": TOKEN,
    "PATREON_CLIENT_ID": "client-id",
    "PATREON_CLIENT_SECRET": "client-secret",
    "PATREON_CAMPAIGN_ID": "1234567",
    "PUBLIC_URL": "https://pledges.example.org",
    "ENCRYPTION_KEYS": KEY,
}
LOOPBACK = {"DISCORD_API_URL": "http://127.0.0.1:8401/api/v10", "PATREON_URL": "http://localhost:8402"}


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with no setting of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.lower() in Settings.model_fields or name.startswith("PLEDGEKEEPER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_values(**changes: str) -> Settings:
        for name, value in {**GOOD, **changes}.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return with_values


def refusal(load: Any, **changes: str) -> list[str]:
    """Return the lines about settings as an operator reads them, without the heading."""
    with pytest.raises(SettingsInvalid) as refused:
        load(**changes)
    text = say_settings(Renderer(ENGLISH, Medium.PLAIN), refused.value)
    for value in changes.values():
        assert len(value) < 4 or value not in text, "the value stands in the message"
        assert len(value) < 4 or value not in str(refused.value), "the value stands in the error"
    return [line.strip() for line in text.splitlines()[1:]]


def test_what_is_not_set_has_its_default(load: Any) -> None:
    settings = load()
    assert settings.discord_api_url == "https://discord.com/api/v10"
    assert settings.patreon_url == "https://www.patreon.com"
    assert (settings.web_host, settings.web_port) == ("127.0.0.1", 8080)
    assert settings.database_url == "sqlite+aiosqlite:///data/pledgekeeper.db"
    assert (settings.patreon_api_version, settings.sync_interval_seconds) == ("v2", 300)
    assert (settings.log_level, settings.log_format) == ("INFO", "console")
    assert settings.trusted_proxies is None
    assert (settings.discord_guild_id, settings.patreon_creator_access_token, settings.clock_url) == (None, None, None)


def test_values_come_in_their_own_types(load: Any) -> None:
    proxies = "127.0.0.1, 10.0.0.0/24"
    settings = load(
        DISCORD_GUILD_ID="900", WEB_PORT="8403", LOG_LEVEL="debug", LOG_FORMAT="JSON", TRUSTED_PROXIES=proxies
    )
    assert settings.trusted_proxies == tuple(map(ipaddress.ip_network, ("127.0.0.1/32", "10.0.0.0/24")))
    assert settings.discord_token == Secret(TOKEN)
    assert settings.encryption_keys == (Secret(KEY),)
    assert (settings.discord_guild_id, settings.patreon_campaign_id) == (900, "1234567")
    assert (settings.web_port, settings.log_level, settings.log_format) == (8403, "DEBUG", "json")


@pytest.mark.parametrize("blank", ["", "   ", "\t"], ids=["empty", "spaces", "tab"])
@pytest.mark.parametrize(
    "name", ["DISCORD_GUILD_ID", "PATREON_CREATOR_ACCESS_TOKEN", "WEB_PORT", "LOG_LEVEL", "CLOCK_URL"]
)
def test_blank_means_unset(load: Any, name: str, blank: str) -> None:
    default = Settings.model_fields[name.lower()].default
    assert getattr(load(**{name: blank}), name.lower()) == default


def test_spaces_around_a_value_do_not_count(load: Any) -> None:
    assert load(DISCORD_TOKEN=f"  {TOKEN} \n").discord_token == Secret(TOKEN)


def test_all_wrong_settings_stand_in_one_message(load: Any) -> None:
    lines = refusal(load, DISCORD_TOKEN="", WEB_PORT="eighty", PATREON_CREATOR_REFRESH_TOKEN="MARKER", LOG_LEVEL="LOUD")
    assert [line.split()[0] for line in lines] == [
        "DISCORD_TOKEN",
        "PATREON_CREATOR_REFRESH_TOKEN",
        "WEB_PORT",
        "LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("DISCORD_TOKEN", "Bot MARKER", "must be one line of letters"),
        ("DISCORD_TOKEN", "MARKER", "isn't a bot token"),
        ("DISCORD_TOKEN", "MARKER-or-another-secret-that-is-long-enough-to-be-one", "isn't a bot token"),
        ("DISCORD_TOKEN", f"MARKER{TOKEN}.{TOKEN}", "isn't a bot token"),
        ("DISCORD_TOKEN", f'"MARKER{TOKEN}"', "isn't a bot token"),
        ("DISCORD_TOKEN", "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.MARKER", "isn't a bot token"),
        ("DISCORD_TOKEN", f"MARKER.{TOKEN.partition('.')[2]}", "isn't a bot token"),
        ("DISCORD_TOKEN", "", "is required and has no value"),
        ("DISCORD_API_URL", "discord.com/MARKER", "must be an address that begins with https:// or http://"),
        ("DISCORD_API_URL", "https://discord.com/api?MARKER", "must not contain ? or #"),
        ("DISCORD_GUILD_ID", "MARKER", "must have digits only"),
        ("DISCORD_GUILD_ID", "99999999999999999999", "must be at most"),
        ("PATREON_URL", "ftp://MARKER", "must be an address"),
        ("PATREON_URL", "https://name:MARKER@example.org", "must not contain a user name or password"),
        ("PATREON_CLIENT_ID", "MARKER id", "contains a sign that doesn't belong there"),
        ("PATREON_CLIENT_SECRET", "MARKER\x7f", "must be one line of letters"),
        ("PATREON_CREATOR_ACCESS_TOKEN", "MARKÉR", "must be one line of letters"),
        ("PATREON_CAMPAIGN_ID", "my-MARKER", "must have digits only"),
        ("PATREON_CAMPAIGN_ID", "", "is required, because there is no creator token"),
        ("PATREON_API_VERSION", "MARKER", "must be 'v1' or 'v2'"),
        ("PUBLIC_URL", "https://example.org/MARKER", "must end after the host"),
        ("PUBLIC_URL", "https://example.org:MARKER", "must be an address"),
        ("PUBLIC_URL", "https://exa mple.org", "must be an address"),
        ("WEB_HOST", "0.0.0.0/MARKER", "contains a sign that doesn't belong there"),
        ("WEB_PORT", "65536", "must be at most 65535"),
        ("TRUSTED_PROXIES", "MARKER.example.org", ": part 1 of 1 isn't an IP address or a network"),
        ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.1/8", ": part 2 of 2 isn't an IP address or a network"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", ": part 1 of 1 is the whole internet"),
        ("DATABASE_URL", "sqlite:///MARKER.db", "must begin with sqlite+aiosqlite:///"),
        ("DATABASE_URL", "mysql://MARKER@db/bot", "must begin with sqlite+aiosqlite:/// or postgresql://"),
        ("DATABASE_URL", "postgresql://user:MARKER@db", "must name a database"),
        ("DATABASE_URL", "postgresql://user:MARKER@db:port/bot", "must name a database"),
        ("DATABASE_URL", "postgresql://user:MARKER@db:5432,other:port/bot", "must name a database"),
        ("DATABASE_URL", "postgresql://user:pass@MARKER@db:5432,other:5432/bot", "must name a database"),
        ("DATABASE_URL", "postgresql://user:MARKER@db:5432,other:5432", "must name a database"),
        ("DATABASE_URL", "postgresql://user:pass@MARKER@db/bot", "must name a database"),
        ("DATABASE_URL", "postgresql://user:pa@ss/MARKER@db/bot", "must name a database"),
        ("DATABASE_URL", "postgresql://user:pa?ss@MARKER@db/bot", "must name a database"),
        ("DATABASE_URL", "sqlite+aiosqlite:///:memory:", "names no file"),
        ("DATABASE_LISTEN_URL", "sqlite+aiosqlite:///MARKER.db", "must begin with postgresql://"),
        ("DATABASE_LISTEN_URL", "postgresql://user:MARKER@db", "must name a database"),
        ("ENCRYPTION_KEYS", "MARKER", ": key 1 of 1 isn't a Fernet key"),
        ("ENCRYPTION_KEYS", f"{KEY},MARKER", ": key 2 of 2 isn't a Fernet key"),
        ("ENCRYPTION_KEYS", " , ", "is required and has no value"),
        ("SYNC_INTERVAL_SECONDS", "0", "must be at least 1"),
        ("SYNC_INTERVAL_SECONDS", "99999999999999999999", "must be at most 86400"),
        ("SYNC_INTERVAL_SECONDS", "MARKER", "must be a whole number"),
        ("SYNC_INTERVAL_SECONDS", "1.5", "must be a whole number"),
        pytest.param("SYNC_INTERVAL_SECONDS", "9" * 5000, "must be a whole number", id="endless digits"),
        ("LOG_FORMAT", "MARKER", "must be 'console' or 'json'"),
        ("METRICS_TOKEN", "MARKER token", "must be one line of letters"),
        ("CLOCK_URL", "http://127.0.0.1:8400/MARKER", "is for tests only"),
        ("HOOKS_ALLOW_LOOPBACK", "true", "is for tests only"),
        ("HOOKS_ALLOW_LOOPBACK", "MARKER", "must be true or false"),
    ],
)
def test_a_wrong_value_is_named_with_an_example_and_never_shown(load: Any, name: str, value: str, what: str) -> None:
    (line,) = refusal(load, **{name: value})
    assert line.removeprefix(name).lstrip().startswith(what)
    assert f"Example: {name}=" in line
    assert "MARK" not in line


def test_keys_are_made_by_a_command_that_the_message_names(load: Any) -> None:
    (line,) = refusal(load, ENCRYPTION_KEYS="")
    assert "python run.py new-key makes one" in line


@pytest.mark.parametrize(
    ("access", "refresh", "what"),
    [
        ("MARKER", "", "is missing: PATREON_CREATOR_ACCESS_TOKEN has a value"),
        ("", "MARKER", "has a value, but PATREON_CREATOR_ACCESS_TOKEN has none"),
    ],
    ids=["access token only", "refresh token only"],
)
def test_the_creator_s_pair_is_set_whole_or_not_at_all(load: Any, access: str, refresh: str, what: str) -> None:
    (line,) = refusal(load, PATREON_CREATOR_ACCESS_TOKEN=access, PATREON_CREATOR_REFRESH_TOKEN=refresh)
    assert line.startswith(f"PATREON_CREATOR_REFRESH_TOKEN {what}")


def test_a_creator_s_pair_makes_the_campaign_optional(load: Any) -> None:
    settings = load(
        PATREON_CREATOR_ACCESS_TOKEN="access", PATREON_CREATOR_REFRESH_TOKEN="refresh", PATREON_CAMPAIGN_ID=""
    )
    assert settings.patreon_campaign_id is None


@pytest.mark.parametrize(
    ("services", "is_allowed"),
    [
        (LOOPBACK, True),
        ({**LOOPBACK, "DISCORD_API_URL": "http://[::1]:8401/api/v10"}, True),
        ({**LOOPBACK, "DISCORD_API_URL": "https://discord.com/api/v10"}, False),
        ({**LOOPBACK, "PATREON_URL": "https://www.patreon.com"}, False),
        ({**LOOPBACK, "PATREON_URL": "http://127.0.0.1.example.org"}, False),
    ],
    ids=["both loopback", "IPv6", "Discord is real", "Patreon is real", "a name that looks like loopback"],
)
def test_a_foreign_clock_and_webhooks_to_this_machine_are_for_loopback_services_only(
    load: Any, services: dict[str, str], *, is_allowed: bool
) -> None:
    for name, value in {"CLOCK_URL": "http://127.0.0.1:8400/clock", "HOOKS_ALLOW_LOOPBACK": "true"}.items():
        asked = {**services, "CLOCK_URL": "", "HOOKS_ALLOW_LOOPBACK": "", name: value}
        if is_allowed:
            assert getattr(load(**asked), name.lower())
        else:
            with pytest.raises(SettingsInvalid, match=f"{name}=for_tests_only"):
                load(**asked)
    assert load(**services, CLOCK_URL="", HOOKS_ALLOW_LOOPBACK="false").hooks_allow_loopback is False


@pytest.mark.parametrize(
    ("given", "public_url", "is_https"),
    [
        ("https://pledges.example.org/", "https://pledges.example.org", True),
        ("http://127.0.0.1:8403", "http://127.0.0.1:8403", False),
    ],
)
def test_the_redirect_uri_hangs_under_the_public_url(load: Any, given: str, public_url: str, *, is_https: bool) -> None:
    settings = load(PUBLIC_URL=given)
    assert settings.public_url == public_url
    assert settings.redirect_uri == f"{public_url}/oauth/callback"
    assert settings.is_https == is_https


def test_the_environment_counts_before_the_file_and_the_file_before_the_secrets(load: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEB_HOST=from-file\nWEB_PORT=1001\nUNKNOWN_NAME=1\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/web_host").write_text("from-secrets")
    (tmp_path / "secrets/metrics_token").write_text("from-secrets\n")
    settings = load(WEB_PORT="1002")
    assert (settings.web_host, settings.web_port) == ("from-file", 1002)
    assert settings.metrics_token == Secret("from-secrets")


def test_a_blank_value_leaves_the_next_source_its_word(load: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEB_HOST=from-file\nMETRICS_TOKEN='  '\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/metrics_token").write_text("from-secrets\n")
    settings = load(WEB_HOST="   ", METRICS_TOKEN="\t")
    assert (settings.web_host, settings.metrics_token) == ("from-file", Secret("from-secrets"))


def test_a_blank_secret_leaves_the_other_folder_its_word(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = tmp_path / "first", tmp_path / "second"
    monkeypatch.setattr(settings_file, "SECRETS_FOLDERS", folders)
    for folder, value in zip(folders, ("from-first", " \n"), strict=True):
        folder.mkdir()
        (folder / "metrics_token").write_text(value)
    assert load().metrics_token == Secret("from-first")


def test_files_are_left_unread_where_asked(load: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEB_PORT=1001\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/metrics_token").write_text("from-secrets\n")
    settings = load(PLEDGEKEEPER_NO_DOTENV="1")
    assert (settings.web_port, settings.metrics_token) == (8080, None)


def test_where_the_web_server_listens_is_known_whatever_else_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=MARKER\nWEB_PORT=1001\n")
    assert load_web_address() == WebAddress(web_host="127.0.0.1", web_port=1001)
    (tmp_path / ".env").write_bytes(b"WEB_PORT=\xff")
    monkeypatch.setenv("WEB_HOST", "0.0.0.0")
    assert load_web_address() == WebAddress(web_host="0.0.0.0", web_port=8080)
    monkeypatch.setenv("WEB_PORT", "MARKER")
    with pytest.raises(SettingsInvalid, match="WEB_PORT=not_a_number"):
        load_web_address()


def test_a_file_that_is_no_text_is_named(load: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"WEB_HOST=\xff\xfe")
    with pytest.raises(SettingsInvalid, match="settings_unreadable reason=UnicodeDecodeError"):
        load()


def test_printing_the_settings_shows_no_secret(load: Any) -> None:
    settings = load(
        DISCORD_TOKEN=f"MARKER1{TOKEN}",
        PATREON_CLIENT_SECRET="MARKER2",
        PATREON_CREATOR_ACCESS_TOKEN="MARKER3",
        PATREON_CREATOR_REFRESH_TOKEN="MARKER4",
        PATREON_WEBHOOK_SECRET="MARKER5",
        METRICS_TOKEN="MARKER6",
    )
    for text in (repr(settings), str(settings), str(settings.model_dump())):
        assert "MARKER" not in text
        assert KEY not in text


def test_printing_the_settings_shows_no_password_of_a_database(load: Any) -> None:
    address = "postgresql://bot:MARKER@host/bot"
    settings = load(DATABASE_URL=address, DATABASE_LISTEN_URL=address.replace("postgresql", "postgres"))
    assert settings.database_listen_url == address
    assert "MARKER" not in repr(settings) + str(settings)
