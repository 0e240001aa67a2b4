"""A scene whose clock leaps from round to round, and what its people see of it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.model import GrantState, PatreonUserId
from bot.runtime.clock import SystemClock
from tests.fakes.rounds import whole_round
from tests.fakes.scene import GOLD_PATRON, MEMBER, SOON, Scene

MINUTE = timedelta(minutes=1)


LEAPS: list[timedelta] = []  # by which the bot's clock is ahead


@pytest.fixture
def leaping(monkeypatch: pytest.MonkeyPatch) -> None:
    LEAPS.clear()
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + sum(LEAPS, timedelta()))


@pytest.fixture
async def town(leaping: None, read: Scene) -> Scene:
    """Someone holds Gold by us, in a bot whose rounds are a minute apart."""
    resync = read.app.resync
    resync._interval = MINUTE
    resync._turns.clear()
    await read.add_rule()
    await read.link()
    await held(read)
    await whole_round(read.app)
    return read


async def held(scene: Scene, username: str = MEMBER) -> None:
    """Wait until someone holds one role by us, it was seen on them, and nobody has a turn who got one beside them."""
    async with asyncio.timeout(SOON):
        while True:
            grants = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(username))
            if [one.state for one in grants.values()] == [GrantState.HELD]:
                break
            await asyncio.sleep(0.02)
    await scene.at_rest()


async def rounds(scene: Scene, *, within: timedelta, is_right: Callable[[], bool], step: timedelta = MINUTE) -> None:
    """Let rounds pass until the world is right, and no longer than that."""
    passed = timedelta()
    while passed < within:
        passed += step
        LEAPS.append(step)
        await whole_round(scene.app)
        await scene.at_rest()
        if is_right():
            return
    raise AssertionError(f"still wrong after {within}")


def has_gold(scene: Scene) -> bool:
    return "Gold" in scene.stage.roles(MEMBER)


def slip(scene: Scene) -> None:
    """Take a member's role away at Discord, and lose the event."""
    member = scene.stage.sandbox.world.guild.members[scene.stage.user_id(MEMBER)]
    member.role_ids -= {scene.stage.role_id("Gold")}


def patron(scene: Scene) -> PatreonUserId:
    return PatreonUserId(scene.stage.patron_id(GOLD_PATRON))
