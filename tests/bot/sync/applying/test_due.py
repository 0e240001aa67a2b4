"""Who waits by a row that a fact left is taken into the queue, whoever stored the fact; and once is enough."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import DatabaseAway, Later
from bot.domain.model import GuildId, Link, LinkOrigin, PatreonUserId, RoleRule, RuleId, RuleKind
from bot.storage.due import EVERYONE
from bot.sync.applying import due
from tests.bot.sync.leaps import has_gold
from tests.fakes.scene import GOLD_PATRON, MEMBER, SOON, Scene

pytestmark = pytest.mark.usefixtures("leaping")
AT_ONCE = timedelta()


async def store_link(scene: Scene) -> None:
    """Store a link and nothing else, as another process would."""
    clock = scene.app.clock
    link = Link(
        discord_user_id=scene.person(MEMBER),
        patreon_user_id=PatreonUserId(scene.stage.patron_id(GOLD_PATRON)),
        patreon_name=GOLD_PATRON,
        origin=LinkOrigin.COMMAND,
        linked_at=clock.now(),
    )
    await scene.app.storage.links.complete_link(link, [])


async def nobody_waits(scene: Scene) -> None:
    async with asyncio.timeout(SOON):
        while await scene.app.storage.due.list_guild(scene.guild_id):
            await asyncio.sleep(0.02)


async def let_nobody_wait(scene: Scene) -> None:
    await scene.app.storage.due.end(await scene.app.storage.due.list_guild(scene.guild_id))


async def rule_of(scene: Scene) -> RoleRule:
    campaign_id = (await scene.app.storage.campaigns.campaigns_of(scene.guild_id))[0]
    return RoleRule(
        rule_id=RuleId(0),
        guild_id=scene.guild_id,
        role_id=scene.role("Gold"),
        campaign_id=campaign_id,
        kind=RuleKind.PAYING,
    )


async def test_a_fact_of_another_process_is_followed(read: Scene) -> None:
    await read.add_rule()
    await nobody_waits(read)
    await store_link(read)
    await read.app.due.take(None, settled=timedelta(minutes=1))
    assert not has_gold(read), "whoever stores a fact may be about to follow it"
    await read.app.due.take(None, settled=AT_ONCE)
    await read.until(lambda: has_gold(read), "the role")
    await nobody_waits(read)


async def test_the_loop_looks_at_once_when_it_is_rung_and_soon_when_it_is_not(
    read: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read.add_rule()
    monkeypatch.setattr(due, "LOOK_SECONDS", 60)
    running = asyncio.create_task(read.app.due.run())
    try:
        await asyncio.sleep(0.1)
        await store_link(read)
        read.app.due.ring()
        await read.until(lambda: has_gold(read), "the bell was heard")
        monkeypatch.setattr(due, "LOOK_SECONDS", 0.1)
        monkeypatch.setattr(due, "SETTLED", timedelta(milliseconds=10))
        read.app.due.ring()
        await asyncio.sleep(0.1)
        await read.app.storage.links.unlink(read.person(MEMBER), at=read.app.clock.now())
        await read.until(lambda: not has_gold(read), "nobody rang")
    finally:
        running.cancel()


def test_nobody_is_late_by_more_than_five_seconds_though_no_bell_is_heard() -> None:
    assert due.LOOK_SECONDS + due.SETTLED.total_seconds() < 5


async def test_everyone_is_planned_where_all_are_due(read: Scene) -> None:
    await store_link(read)
    await let_nobody_wait(read)
    await read.app.storage.rules.add(await rule_of(read), created_by=read.person(MEMBER), at=read.app.clock.now())
    assert [one.discord_user_id for one in await read.app.storage.due.list_guild(read.guild_id)] == [EVERYONE]
    await read.app.due.take(None, settled=AT_ONCE)
    await read.until(lambda: has_gold(read), "the role")
    await nobody_waits(read)


async def test_who_stands_in_the_queue_already_is_left_there(read: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Trigger] = []
    monkeypatch.setattr(read.app.reconciler, "_on_turn", lambda trigger, _: turns.append(trigger))
    await read.add_rule()
    await store_link(read)
    (turn,) = read.app.reconciler.mark(read.guild_id, [read.person(MEMBER)], trigger=Trigger.LINK)
    await read.app.due.take(None, settled=AT_ONCE)
    await turn
    await nobody_waits(read)
    await read.app.due.take(None, settled=AT_ONCE)
    assert turns.count(Trigger.LINK) == 1


async def test_who_was_not_seen_goes_on_waiting(read: Scene) -> None:
    await read.add_rule()
    await nobody_waits(read)
    read.app.holder.lose(read.bot)
    await store_link(read)
    await read.app.due.take(None, settled=AT_ONCE)
    (waiting,) = await read.app.storage.due.list_guild(read.guild_id)
    assert (waiting.discord_user_id, waiting.urgency) == (read.person(MEMBER), Urgency.WAITING)


async def test_whoever_is_being_planned_already_is_not_planned_twice(
    read: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read.add_rule()
    await nobody_waits(read)
    await read.app.storage.guilds.change(read.guild_id, grace_days=9)
    plans, plan_guild = list[object](), read.app.planning.plan_guild

    async def plan(*asked: Any, **how: Any) -> Any:
        plans.append(asked)
        if len(plans) == 1:
            await read.app.due.take(None, settled=AT_ONCE)
        return await plan_guild(*asked, **how)

    monkeypatch.setattr(read.app.planning, "plan_guild", plan)
    await read.app.reconciler.consider(read.guild_id, None, trigger=Trigger.SETTINGS)
    assert len(plans) == 1
    await nobody_waits(read)


async def test_a_large_server_keeps_nobody_else_waiting(read: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await read.add_rule()
    await nobody_waits(read)
    large, plan_guild, end = GuildId(4242), read.app.planning.plan_guild, asyncio.Event()

    async def plan(guild_id: GuildId, *asked: Any, **how: Any) -> Any:
        if guild_id == large:
            await end.wait()
        return await plan_guild(guild_id, *asked, **how)

    monkeypatch.setattr(read.app.observer, "guild_ids", lambda: (large, read.guild_id))
    monkeypatch.setattr(read.app.planning, "plan_guild", plan)
    await read.app.storage.due.add(large, [EVERYONE], trigger=Trigger.SETTINGS, urgency=Urgency.BULK_GRANT)
    await read.app.due.take(None, settled=AT_ONCE)
    await store_link(read)
    await read.app.due.take(None, settled=AT_ONCE)
    await read.until(lambda: has_gold(read), "the role")
    await read.app.due.close()


async def test_who_could_not_be_planned_is_found_again_soon_though_they_are_not_new_any_more(
    read: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LOOK_SECONDS": 0.05, "SETTLED": AT_ONCE, "RECENT": AT_ONCE, "MISSED_SECONDS": 0.2}.items():
        monkeypatch.setattr(due, name, value)
    tried, plan_guild = list[object](), read.app.planning.plan_guild

    async def plan(*asked: Any, **how: Any) -> Any:
        tried.append(asked)
        if len(tried) < 3:
            raise [RuntimeError("a defect of ours"), DatabaseAway(Later.DATABASE_AWAY, reason="it restarts")][
                len(tried) % 2
            ]
        return await plan_guild(*asked, **how)

    await read.add_rule()
    await nobody_waits(read)
    await store_link(read)
    await let_nobody_wait(read)
    await read.app.storage.due.add(
        read.guild_id, [read.person(MEMBER)], trigger=Trigger.INTERVAL, urgency=Urgency.BULK_GRANT
    )
    monkeypatch.setattr(read.app.planning, "plan_guild", plan)
    running = asyncio.create_task(read.app.due.run())
    try:
        await read.until(lambda: has_gold(read), "the role")
        await nobody_waits(read)
    finally:
        running.cancel()
    assert len(tried) == 3
