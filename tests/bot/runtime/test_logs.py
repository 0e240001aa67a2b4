import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from bot.domain.errors import DatabaseAway, Later
from bot.domain.model import Secret
from bot.runtime.logs import _MASKED, MAX_CHARACTERS, MAX_ITEMS, OURS, configure_logging, mask, watched_log

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
    log = structlog.get_logger("bot.domain.plan")
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


@pytest.mark.parametrize("as_what", [True, "error", "all"])
def test_an_error_of_ours_is_told_in_one_line(capsys: pytest.CaptureFixture[str], style: str, as_what: object) -> None:
    configure_logging("INFO", style)
    try:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="OperationalError")  # noqa: TRY301  it is logged where it is caught
    except DatabaseAway as error:
        shown = {"error": error, "all": sys.exc_info()}.get(str(as_what), True)
        structlog.get_logger("bot.x").error("a round failed", exc_info=shown)
    out = printed(capsys)
    assert "database_away reason=OperationalError" in out
    assert "Traceback" not in out
    assert out.count("\n") == 1


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
        "postgresql://pledgekeeper:{}@db.example.org/pledgekeeper",
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


WORDS = [
    *("a", "token", "token ", "token=", "token:a ", "tokenbot ", "secret'", "password=*", "?code=", "&state= "),
    *("Bot ", "Bearer aaa ", "Bearer\n\n", "/webhooks/1", "/webhooks/1/a ", "_", " ", "\u4e00", "=", '"'),
]


def least_time(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("lead", ["", "token", "Bot ", "?code=", "/webhooks/"])
def test_a_pattern_takes_time_in_proportion_to_the_text(lead: str, word: str) -> None:
    """Compared within one run: sixteen times the text may cost fifty times the time, where squares would cost 256."""
    small, large = (lead + word * (size // len(word)) for size in (1_000, 16_000))
    for pattern in _MASKED:
        quick = least_time(lambda p=pattern: p.sub("", small))  # type: ignore[misc]
        slow = least_time(lambda p=pattern: p.sub("", large))  # type: ignore[misc]
        assert slow < 50 * quick + 0.002


def test_a_long_text_costs_no_more_than_the_part_that_is_kept() -> None:
    text = "a" * MAX_CHARACTERS
    whole = least_time(lambda: mask(text))
    endless = text * 600
    assert least_time(lambda: mask(endless)) < 5 * whole + 0.002
    assert len(mask(endless)) < MAX_CHARACTERS + 100
    assert mask(endless).endswith(f"(cut: {len(endless)} characters)")
    assert mask(text) == text


@pytest.mark.parametrize("kept", [*range(1, len(LONG))])
@pytest.mark.parametrize("before", ["access_token=", "Authorization: Bearer ", "?state=", "/webhooks/12/"])
def test_a_secret_that_is_cut_through_is_masked(before: str, kept: int) -> None:
    filler = " " * (MAX_CHARACTERS - len(before) - kept)
    assert "***" in mask(filler + before + LONG + " and more" * 100)
    assert "M" not in mask(filler + before + LONG + " and more" * 100)


def test_what_is_logged_is_cut_and_masked_in_lists_and_objects_too(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    configure_logging("INFO", style)
    log = structlog.get_logger("bot.x")
    log.info("much", names=["a" * 10 * MAX_CHARACTERS], told={"token": LONG}, ids=list(range(100 * MAX_ITEMS)))
    log.info(
        "more",
        names=(f"access_token={LONG}",),
        why=ValueError("a" * 10 * MAX_CHARACTERS),
        raw=b"token=" + LONG.encode(),
    )
    out = printed(capsys)
    assert "MARKER" not in out
    assert len(out) < 3 * MAX_CHARACTERS


def test_a_block_of_lines_is_for_people_and_its_fields_for_programs(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    configure_logging("INFO", style)
    structlog.get_logger("bot.process").info("pledgekeeper runs", block="  Version  1\n  Does     all", version="1")
    out = printed(capsys)
    if style == "json":
        line = json.loads(out)
        assert line["version"] == "1"
        assert "block" not in line
    else:
        first, *rest = out.splitlines()
        assert first.endswith("[bot.process]")
        assert "pledgekeeper runs" in first
        assert rest == ["  Version  1", "  Does     all"]


def test_whoever_watches_the_log_is_told_of_each_warning_and_error(
    capsys: pytest.CaptureFixture[str], style: str
) -> None:
    configure_logging("INFO", style)
    log, told = structlog.get_logger("bot.x"), []
    with watched_log(lambda level, event: told.append((level, event))):
        log.info("a sync ended")
        log.warning("a part begins anew", name="due")
        try:
            raise ValueError("odd")  # noqa: TRY301  it is logged where it is caught
        except ValueError:
            log.exception("a command failed")
        logging.getLogger("discord.gateway").warning("Shard ID %s has stopped responding", 3)
    log.warning("after the end")
    assert told == [("warning", "a part begins anew"), ("error", "a command failed"), ("warning", "discord")]
    assert "after the end" in printed(capsys)
