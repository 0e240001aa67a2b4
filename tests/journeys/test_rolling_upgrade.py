"""A new version takes over from the one before it, a process at a time; nobody notices.

The one before is the newest commit that lacks a step of the tables' history, and whose own steps are still the same:
one that was changed since had not been released. Where there is no history at hand, this is skipped.
"""

import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest

from sandbox.botprocess import BOT_COMMAND, REPOSITORY
from sandbox.bots import Bot
from sandbox.main import Options
from tests.fakes.postgres import Postgres
from tests.fakes.stage import Stage

HAZEL, IVY = "hazel.hollow", "ivy_afterdark"
STEPS = "bot/storage/migrations/versions"
LAYOUT = (("gateway",), ("worker",), ("web",))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the version before."""
    try:
        ours = steps("HEAD")
        commit = next(one for one in git("rev-list", "--first-parent", "HEAD").split() if steps(one) < ours)
    except (OSError, subprocess.CalledProcessError, StopIteration):
        pytest.skip("the version before this one is not at hand: there is no history here")
    folder = tmp_path_factory.mktemp("before")
    packed = subprocess.run(["git", "archive", commit], cwd=REPOSITORY, capture_output=True, check=True)
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def steps(commit: str) -> set[str]:
    """Return the steps of a commit, each with its content's number."""
    return set(git("ls-tree", commit, f"{STEPS}/").splitlines())


@pytest.fixture
def database() -> None:
    """Take none of the other journeys': their tables are made already, and by this version."""


@pytest.fixture
async def stage(before: Path, postgres: Postgres) -> AsyncIterator[Stage]:
    options = Options(
        interval=1,
        layout=LAYOUT,
        command=(sys.executable, str(before / "run.py"), "bot"),
        env={"DATABASE_URL": postgres.url(postgres.create())},
    )
    async with Stage(options) as stage:
        yield stage


def migrate(stage: Stage, extent: str) -> str:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "run.py"), "migrate", extent],
        env=stage.sandbox.bots.first.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


async def renew(stage: Stage, one: Bot) -> None:
    """Let this version take the place of the one before."""
    await one.process.stop()
    one.process.command = (*BOT_COMMAND, *(part for role in one.roles for part in ("--role", role)))
    await one.process.start()


async def until_held(stage: Stage, has_gold: bool, why: str) -> None:
    await stage.until(lambda: ("Gold" in stage.roles(IVY)) is has_gold, why)


async def test_each_step_of_the_way_serves_everybody(stage: Stage) -> None:
    gateway, worker, web = stage.sandbox.bots.members
    await stage.add_rule()
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the version before gives a role")

    assert "step" in migrate(stage, "--before")
    await stage.link(IVY, "Saga Mirren")
    stage.sandbox.patreon.change_tier(stage.patron_id("Saga Mirren"), stage.tier_id("Gold"))
    await stage.until(lambda: "Gold" in stage.roles(IVY), "the version before works on the new tables")

    for one, tier in ((worker, "Silver"), (gateway, "Gold"), (web, "Silver")):
        await renew(stage, one)
        await stage.ready()
        stage.sandbox.patreon.change_tier(stage.patron_id("Saga Mirren"), stage.tier_id(tier))
        await until_held(stage, tier == "Gold", f"{one.name} is of this version")

    migrate(stage, "--after")
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
    await stage.until(lambda: "Gold" not in stage.roles(HAZEL), "the role of a refunded pledge goes")
    assert "Traceback" not in stage.log(), stage.log()[stage.log().index("Traceback") - 2000 :][:9000]
