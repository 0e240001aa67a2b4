"""What the check finds open that should be shut: files that everybody may read, and the metrics."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.domain.findings import Finding, Found, Level
from bot.domain.model import Secret
from bot.ops.check.files import inspect_dotenv, inspect_files
from bot.ops.check.web import ask_metrics
from bot.settings import Settings
from bot.storage.vault import new_key
from bot.texts.catalogs import ENGLISH
from bot.texts.check import Row, say_finding
from bot.texts.renderer import Medium, Renderer

OURS = "# TYPE pledgekeeper_plans_total counter\npledgekeeper_plans_total 1.0\n"


def said(finding: Finding) -> Row:
    return say_finding(Renderer(ENGLISH, Medium.PLAIN), finding)


class Everywhere(AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        here = ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)
        return [here]

    async def close(self) -> None: ...


@asynccontextmanager
async def public(text: str, status: int = 200) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """A public address where /metrics answers so, and a session that finds it."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Everywhere())) as session:
        yield f"http://pledges.example:{runner.addresses[0][1]}", session
    await runner.cleanup()


@pytest.fixture
def settings() -> Settings:
    given: dict[str, Any] = {
        "discord_token": f"{'t' * 24}.{'t' * 6}.{'t' * 38}",
        "patreon_client_id": "c",
        "patreon_client_secret": "s",
        "patreon_campaign_id": "1",
        "public_url": "https://pledges.example",
        "encryption_keys": new_key().reveal(),
    }
    return Settings(**given)


async def test_metrics_that_the_world_reads_are_found(settings: Settings) -> None:
    async with public(OURS) as (url, session):
        (finding,) = await ask_metrics(settings.model_copy(update={"public_url": url}), session)
    assert (finding.level, finding.code) == (Level.WRONG, Found.METRICS_OPEN)
    assert said(finding).about == "METRICS_TOKEN"
    assert "/metrics" in said(finding).to_do


@pytest.mark.parametrize(
    ("text", "status"), [("only this machine may ask", 403), ("nothing here", 404), ("<h1>pledges</h1>", 200)]
)
async def test_metrics_that_are_kept_are_no_matter(settings: Settings, text: str, status: int) -> None:
    async with public(text, status) as (url, session):
        assert await ask_metrics(settings.model_copy(update={"public_url": url}), session) == []


async def test_where_nobody_answers_nothing_is_open(settings: Settings) -> None:
    async with public(OURS) as (_, session):
        gone = settings.model_copy(update={"public_url": "http://pledges.example:9"})
        assert await ask_metrics(gone, session) == []


@pytest.mark.parametrize(
    "change",
    [lambda url: {"public_url": url.replace("pledges.example", "localhost")}, lambda _: {"metrics_token": Secret("m")}],
    ids=["a public address that is this machine", "a token"],
)
async def test_where_metrics_may_answer_they_are_not_asked_for(
    settings: Settings, change: Callable[[str], dict[str, object]]
) -> None:
    async with public(OURS) as (url, session):
        assert await ask_metrics(settings.model_copy(update={"public_url": url} | change(url)), session) == []


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLEDGEKEEPER_NO_DOTENV", raising=False)
    path = tmp_path / ".env"
    path.write_text("DISCORD_TOKEN=MARKER\n")
    return path


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_a_file_of_settings_that_everybody_may_read_is_found(dotenv: Path, mode: int) -> None:
    dotenv.chmod(mode)
    (finding,) = inspect_dotenv()
    assert finding.level is Level.NOTE
    assert (said(finding).about, said(finding).to_do) == (".env", "chmod 600 .env")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_a_file_of_settings_that_few_may_read_is_no_matter(dotenv: Path, mode: int) -> None:
    dotenv.chmod(mode)
    assert inspect_dotenv() == []


def test_a_file_that_does_not_count_and_none_at_all_are_no_matter(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv.chmod(0o644)
    monkeypatch.setenv("PLEDGEKEEPER_NO_DOTENV", "1")
    assert inspect_dotenv() == []
    monkeypatch.delenv("PLEDGEKEEPER_NO_DOTENV")
    dotenv.unlink()
    assert inspect_dotenv() == []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """Settings whose database lies in a folder of its own, as the bot makes it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLEDGEKEEPER_NO_DOTENV", raising=False)
    for folder in ("data", "secrets"):
        (tmp_path / folder).mkdir(mode=0o700)
    for name in (*DATABASE_FILES, "secrets/encryption_keys", "secrets/notes.txt"):
        (tmp_path / name).touch(mode=0o600)
    return settings.model_copy(update={"database_url": "sqlite+aiosqlite:///data/pledges.db"})


DATABASE_FILES = tuple(f"data/pledges.db{end}" for end in ("", "-wal", "-shm", "-journal", ".unlinks", ".lock"))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
@pytest.mark.parametrize("name", [*DATABASE_FILES, "secrets/encryption_keys"])
def test_a_file_of_ours_that_everybody_may_read_is_found(here: Settings, name: str, mode: int) -> None:
    Path(name).chmod(mode)
    (finding,) = inspect_files(here)
    assert finding.level is Level.NOTE
    assert said(finding).about == ("pledges.db" if name.startswith("data") else "secrets/")
    assert f"can read {Path(name).name}," in said(finding).result
    assert said(finding).to_do == f"chmod 600 {name}"


def test_all_that_everybody_may_read_of_a_database_is_one_row(here: Settings) -> None:
    for name in DATABASE_FILES:
        Path(name).chmod(0o644)
    (finding,) = inspect_files(here)
    assert said(finding).to_do == f"chmod 600 {' '.join(DATABASE_FILES)}"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o733])
def test_a_folder_in_which_everybody_may_put_a_file_beside_the_database_is_found(here: Settings, mode: int) -> None:
    Path("data").chmod(mode)
    (finding,) = inspect_files(here)
    assert (finding.level, finding.code) == (Level.NOTE, Found.FOLDER_OPEN)
    assert said(finding).about == "data"
    assert "can write to this folder" in said(finding).result


def test_files_that_few_may_read_and_files_that_are_none_of_ours_are_no_matter(here: Settings) -> None:
    Path("secrets/notes.txt").chmod(0o644)
    Path("data/pledges.db").chmod(0o640)
    Path("data").chmod(0o755)
    assert inspect_files(here) == []
    for name in DATABASE_FILES:
        Path(name).unlink()
    Path("data").rmdir()
    assert inspect_files(here) == []
