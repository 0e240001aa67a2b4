"""Long work lets others have their turn."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from bot.domain.changes import Trigger
from bot.domain.model import Grant, GrantState
from bot.runtime import unhurried as module
from bot.runtime.unhurried import portions, unhurried
from bot.sync.applying import facts, planning
from bot.sync.applying.bulk_planner import BulkPlanner
from bot.sync.applying.holds import Reined
from bot.sync.applying.planning import Planning
from tests.fakes.scene import SOON, Scene
from tests.fakes.watchdog import Watchdog


async def test_everything_comes_once_and_in_order() -> None:
    assert [one async for one in unhurried(range(1000))] == list(range(1000))


def test_portions_are_all_of_it_in_order_and_small() -> None:
    found = list(portions(range(2 * module.PORTION + 1)))
    assert [one for some in found for one in some] == list(range(2 * module.PORTION + 1))
    assert [len(some) for some in found] == [module.PORTION, module.PORTION, 1]
    assert list(portions(())) == []


async def test_long_work_stops_the_loop_for_a_moment_only() -> None:
    async with Watchdog() as watchdog:
        async for _ in unhurried(range(2000)):
            sum(range(50_000))
    assert watchdog.busiest.busy_seconds < 0.3, watchdog.busiest.stack


async def test_the_watchdog_sees_who_stops_the_loop() -> None:
    async with Watchdog() as watchdog:
        await asyncio.sleep(0.05)
        time.sleep(0.3)  # noqa: ASYNC251  a stop
    assert watchdog.longest.seconds > 0.2
    assert "time.sleep(0.3)" in watchdog.longest.stack


class Passes:
    """Counts the passes of the loop, and how often something was called within one."""

    def __init__(self) -> None:
        self.passes = 0
        self.most = self.calls = 0
        self._last = (-1, 0)

    async def count(self) -> None:
        while True:
            self.passes += 1
            await asyncio.sleep(0)

    def watch(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            at, calls = self._last
            self._last = (self.passes, calls + 1 if at == self.passes else 1)
            self.most, self.calls = max(self.most, self._last[1]), self.calls + 1
            return call(*arguments, **options)

        return watched


@pytest.mark.parametrize(
    ("place", "name"),
    [
        pytest.param(facts, "PersonFacts", id="the facts of a person are gathered"),
        pytest.param(Planning, "_compare", id="a person is compared with what was seen"),
        pytest.param(planning, "try_plan", id="a person is planned"),
        pytest.param(Reined, "take", id="the brake is asked"),
    ],
)
async def test_a_plan_of_everybody_handles_one_person_at_a_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, place: object, name: str
) -> None:
    await settle(scene)
    passes = await count_passes(scene, monkeypatch, place, name)
    assert passes.calls > 4, "somebody is handled"
    assert passes.most == 1


async def test_a_plan_of_everybody_reads_one_grant_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await settle(scene)
    passes = await count_passes(scene, monkeypatch, msgspec, "convert", only=lambda _, into: into is Grant)
    assert passes.calls > 4, "somebody has one"
    assert passes.most == 1


async def test_those_with_a_change_are_queued_one_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await settle(scene)
    (rule,) = await scene.app.storage.rules.list_guild(scene.guild_id)
    await scene.app.storage.rules.remove(scene.guild_id, rule.rule_id)
    passes = await count_passes(scene, monkeypatch, BulkPlanner, "queue_changes")
    assert passes.calls > 4, "somebody is queued"
    assert passes.most == 1


async def count_passes(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    *,
    only: Callable[..., bool] = lambda *_: True,
) -> Passes:
    """Plan everybody, and count how often something is called in one pass of the loop."""
    monkeypatch.setattr(module, "AT_A_TIME_SECONDS", 0.0)
    passes = Passes()
    real = getattr(place, name)
    watched = passes.watch(real)
    monkeypatch.setattr(place, name, lambda *given, **options: (watched if only(*given) else real)(*given, **options))
    counting = asyncio.create_task(passes.count())
    await scene.app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    counting.cancel()
    return passes


async def settle(scene: Scene) -> None:
    """Let several people have roles by us."""
    world = scene.stage.sandbox.world
    for number in range(6):
        user = world.discord.add_user(f"patron{number}")
        world.discord.add_member(world.guild, user)
        patron = world.patreon.add_patron(f"Patron {number}", discord_user_id=user.id)
        world.patreon.add_member(patron, world.patreon.tiers[scene.stage.tier_id("Gold")])
    await scene.add_rule()
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    async with asyncio.timeout(SOON):
        while await is_unsettled(scene):
            await asyncio.sleep(0.02)


async def is_unsettled(scene: Scene) -> bool:
    """Tell whether a role is not yet seen on its holder, or somebody still has a turn: that would be counted, too."""
    reconciler, people = scene.app.reconciler, await scene.app.storage.ledger.load_guild(scene.guild_id)
    grants = [grant for theirs in people.values() for grant in theirs.values()]
    is_held = len(grants) > 4 and all(grant.state is GrantState.HELD for grant in grants)
    return not is_held or reconciler.backlog()[0] > 0 or bool(reconciler._served)
