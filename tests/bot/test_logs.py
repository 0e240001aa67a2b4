import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot.logs import OURS, configure_logging, mask
from bot.model import Secret

LONG = "MARKER-0123456789-abcdefghij"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Logging belongs to the process: give it back as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture(params=["console", "json"])
def style(request: pytest.FixtureRequest) -> Any:
    return request.param


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_our_events_follow_the_level(capsys: pytest.CaptureFixture[str], style: str) -> None:
    configure_logging("INFO", style)
    log = structlog.get_logger("bot.roles.plan")
    log.debug("too fine")
    log.info("a sync ended", granted=3)
    out = printed(capsys)
    assert "a sync ended" in out
    assert "too fine" not in out


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json")
    structlog.get_logger("bot.x").info("a sync ended", granted=3, token=Secret("MARKER"))
    line = json.loads(printed(capsys))
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "a sync ended", "granted": 3, "token": "***", "level": "info", "logger": "bot.x"}


@pytest.mark.parametrize("name", ["discord.http", "aiohttp.access", "sqlalchemy.engine", "alembic.runtime", "asyncio"])
def test_foreign_loggers_stay_at_warning(capsys: pytest.CaptureFixture[str], style: str, name: str) -> None:
    configure_logging("DEBUG", style)
    foreign = logging.getLogger(name)
    foreign.debug("too fine")
    foreign.info("too fine")
    foreign.warning("worth %s", "knowing")
    out = printed(capsys)
    assert "worth knowing" in out
    assert "too fine" not in out


def test_foreign_loggers_are_as_quiet_as_ours(capsys: pytest.CaptureFixture[str], style: str) -> None:
    configure_logging("ERROR", style)
    logging.getLogger("discord").warning("too fine")
    assert printed(capsys) == ""


def test_warnings_of_python_are_logged(capsys: pytest.CaptureFixture[str], style: str) -> None:
    configure_logging("INFO", style)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old-fashioned", stacklevel=1)
    assert "old-fashioned" in printed(capsys)


def test_an_error_is_told_with_its_traceback_and_without_its_values(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    configure_logging("DEBUG", style)
    access_token = LONG  # a local variable of a frame in the traceback
    try:
        int(f"GET /oauth/callback?code={access_token}&state={access_token}")
    except ValueError as error:
        structlog.get_logger("bot.web").exception("the callback failed", error=error, text=repr(error))
    out = printed(capsys)
    assert "Traceback" in out
    assert "ValueError" in out
    assert "MARKER" not in out


@pytest.mark.parametrize(
    "text",
    [
        "GET /oauth/callback?code={}&state=1",
        "https://bot.example.org/oauth/callback?x=1&state={}",
        "access_token={}&token_type=Bearer",
        "{{'refresh_token': '{}'}}",
        '{{"client_secret": "{}"}}',
        "TokenPair(access_token='{}')",
        "Authorization: Bearer {}",
        "Authorization: Bot {}",
        "PATCH https://discord.com/api/v10/webhooks/123/{}/messages/@original",
        "POST /api/v10/interactions/123/{}/callback",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "MARKER" not in mask(text.format(LONG))
    assert "***" in mask(text.format(LONG))


@pytest.mark.parametrize(
    "text",
    [
        "state=granting code=50013",
        "PUT /guilds/1/members/2/roles/3 answered 403",
        "a token pair was refreshed",
        "Bot is ready",
        "the creator token is dead: give consent again",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert mask(text) == text
