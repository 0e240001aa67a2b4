"""Gateways share what Discord takes from one application."""

import asyncio

import pytest

from bot.app import App
from bot.discord.request_pace import RequestPace
from bot.discord.role_writer import RoleWriter, WriteReason
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import DatabaseAway, Later
from bot.domain.model import GuildSettings
from tests.bot.patreon.test_limiter import FakeTime, most_within
from tests.fakes.scene import MEMBER, SOON, Scene, connect
from tests.fakes.stage import Stage

WHY = WriteReason(trigger=Trigger.LINK, settings=GuildSettings())


class Gateways:
    """How many have shards."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.is_away = False

    async def __call__(self) -> int:
        if self.is_away:
            raise DatabaseAway(Later.DATABASE_AWAY, reason="invented")
        return self.count


async def send(pace: RequestPace, time: FakeTime, requests: int) -> list[float]:
    times: list[float] = []

    async def one() -> None:
        await pace.wait_turn()
        times.append(time.present)

    await asyncio.gather(*(one() for _ in range(requests)))
    return times


@pytest.mark.parametrize(("gateways", "share"), [(2, 25), (3, 16), (60, 1)])
async def test_each_gateway_keeps_to_an_even_part(gateways: int, share: int) -> None:
    time = FakeTime()
    pace = RequestPace(Gateways(gateways), monotonic=time, sleep=time.sleep)
    await pace.look()
    assert most_within(await send(pace, time, 3 * share + 1), 1.0) == share


@pytest.mark.parametrize("gateways", [0, 1])
async def test_one_that_is_alone_is_held_to_nothing(gateways: int) -> None:
    time = FakeTime()
    pace = RequestPace(Gateways(gateways), monotonic=time, sleep=time.sleep)
    await pace.look()
    assert set(await send(pace, time, 500)) == {0}


async def test_the_part_changes_with_the_number_and_is_kept_while_nobody_can_tell_it() -> None:
    time, gateways = FakeTime(), Gateways(2)
    pace = RequestPace(gateways, monotonic=time, sleep=time.sleep)
    await pace.look()
    gateways.count, gateways.is_away = 5, True
    await pace.look()
    assert most_within(await send(pace, time, 80), 1.0) == 25
    gateways.is_away = False
    await pace.look()
    assert most_within(await send(pace, time, 80), 1.0) == 10
    gateways.count = 1
    await pace.look()
    assert len(set(await send(pace, time, 80))) == 1


async def test_a_number_that_stays_begins_no_second_anew() -> None:
    time = FakeTime()
    pace = RequestPace(Gateways(2), monotonic=time, sleep=time.sleep)
    await pace.look()
    times = await send(pace, time, 25)
    await pace.look()
    times += await send(pace, time, 25)
    assert most_within(times, 1.0) == 25


async def test_a_role_write_waits_for_its_turn_and_is_not_sent_where_another_one_speaks_by_then(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_ours, turns = True, asyncio.Semaphore(0)
    waiting = asyncio.Event()

    async def wait_turn() -> None:
        waiting.set()
        await turns.acquire()

    async with connect(app, may_speak=lambda: is_ours) as bot:
        scene = Scene(stage, app, bot)
        role = scene.role("Gold")
    monkeypatch.setattr(app.request_pace, "wait_turn", wait_turn)
    for _ in range(50):
        turns.release()  # for the login
    async with connect(app, may_speak=lambda: is_ours):
        while not turns.locked():
            await turns.acquire()
        writes: list[Outcome] = []
        for _ in range(2):
            waiting.clear()
            write = asyncio.create_task(
                RoleWriter(app.holder, app.clock).put(scene.guild_id, scene.person(MEMBER), role, why=WHY)
            )
            async with asyncio.timeout(SOON):
                await waiting.wait()
            assert not write.done()
            is_ours = not writes
            turns.release()
            writes.append(await write)
            await asyncio.sleep(0)
        is_ours = True
    assert writes == [Outcome.DONE, Outcome.UNKNOWN]
    assert [one.status for one in stage.role_writes] == [204]
