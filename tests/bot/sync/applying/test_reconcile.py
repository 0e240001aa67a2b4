"""Whom a lost connection, a failed look or a lost place in the queue passed by is planned when it can be."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.discord import observe
from bot.discord.holder import DiscordAway
from bot.discord.role_writer import RoleWriter
from bot.domain.changes import Trigger
from bot.domain.errors import DatabaseAway, Later
from bot.domain.model import Secret
from bot.sync.applying import reconcile
from tests.bot.sync.leaps import MINUTE, has_gold, rounds, slip
from tests.fakes.rounds import whole_round
from tests.fakes.scene import GOLD_PATRON, MEMBER, SOON, Scene

pytestmark = pytest.mark.usefixtures("leaping")


async def test_whoever_fell_out_of_the_queue_is_planned_again_within_ten_minutes(town: Scene) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    town.discord.take_role(town.stage.user_id(MEMBER), town.stage.role_id("Gold"))
    for queue in town.app.reconciler._queues.values():
        queue._turns.clear()
        queue._heap.clear()
    await rounds(town, within=10 * MINUTE, is_right=lambda: has_gold(town))


async def answer_yes(scene: Scene, *, meanwhile: Callable[[], object]) -> None:
    url = await scene.stage.authorize_url(MEMBER)
    callback = await scene.stage.browser().callback_url(url, scene.stage.patron_id(GOLD_PATRON))
    answer, flow = parse_qs(urlsplit(callback).query), scene.app.linking
    landing = await flow.finish_callback(state=Secret(answer["state"][0]), code=Secret(answer["code"][0]), error=None)
    view = await flow.show(landing.cookie)
    assert view.question is not None
    meanwhile()
    await flow.confirm(landing.cookie, view.question.token)


def come_back(scene: Scene) -> None:
    """The session is resumed: no member, and no role, changed for all that Discord tells."""
    scene.bot._is_connected = True
    scene.bot.dispatch("resumed")


async def test_a_link_that_is_confirmed_while_the_connection_resumes_is_followed_when_it_is_back(read: Scene) -> None:
    await read.add_rule()
    await answer_yes(read, meanwhile=lambda: read.app.holder.lose(read.bot))
    assert not has_gold(read)
    come_back(read)
    await read.until(lambda: has_gold(read), "the role is given")


async def test_an_unlink_while_the_connection_resumes_is_followed_when_it_is_back(town: Scene) -> None:
    town.app.holder.lose(town.bot)
    assert (await town.app.unlinker.unlink(town.person(MEMBER))).news is None
    assert has_gold(town)
    come_back(town)
    await town.until(lambda: not has_gold(town), "the role is taken")


async def test_who_was_changed_while_the_connection_resumes_is_planned_when_it_is_back(town: Scene) -> None:
    town.app.holder.lose(town.bot)
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await whole_round(town.app)
    assert has_gold(town)
    come_back(town)
    await town.until(lambda: not has_gold(town), "the role is taken")


async def test_a_look_at_a_whole_server_that_failed_is_made_again_within_seconds(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.1)
    failures, ask = iter([True, True]), town.app.observer._ask

    async def fails_twice(guild_id: Any, ids: Any) -> Any:
        if next(failures, False):
            raise DiscordAway("no answer")
        return await ask(guild_id, ids)

    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    slip(town)
    town.app.observer.forget()
    monkeypatch.setattr(town.app.observer, "_ask", fails_twice)
    monkeypatch.setattr(observe, "FEW", 0)  # a few are asked for by REST then
    with pytest.raises(DiscordAway):
        await town.app.reconciler.consider(town.guild_id, None, trigger=Trigger.SYNC)
    await town.until(lambda: has_gold(town), "the role is given")


async def test_a_server_that_is_out_of_sight_when_its_rules_change_is_planned_when_it_can_be(
    read: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.1)
    await read.add_rule()
    await read.link()
    guild = read.bot.get_guild(read.guild_id)
    assert guild is not None
    guild.unavailable = True
    read.stage.sandbox.patreon.refund(read.stage.patron_id(GOLD_PATRON))
    await whole_round(read.app)
    assert has_gold(read)
    await asyncio.sleep(0.3)
    guild.unavailable = False  # and no event tells
    await read.until(lambda: not has_gold(read), "the role is taken")


async def test_whom_we_owe_a_look_in_a_server_that_we_left_is_forgotten(
    read: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.05)
    await read.add_rule()
    await read.link()
    read.discord.kick_bot()
    await read.until(lambda: not read.bot.guilds, "the bot is out")
    reconciler = read.app.reconciler
    reconciler.mark(read.guild_id, [read.person(MEMBER)], trigger=Trigger.SYNC)
    with pytest.raises(DiscordAway):
        await reconciler.consider(read.guild_id, None, trigger=Trigger.SYNC)
    await read.until(lambda: not reconciler._later and not reconciler._bulk._postponed, "nothing is tried again")


async def test_a_ban_in_the_midst_of_a_bulk_keeps_no_worker_busy_and_ends_for_everybody(
    read: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler, bans = read.app.reconciler, [True]

    async def away(_: object) -> None:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="it restarts")

    monkeypatch.setattr(reconciler._troubles, "tell_ban", away)
    await read.add_rule()  # somebody has a turn now
    monkeypatch.setattr(RoleWriter, "is_banned", property(lambda _: bool(bans)))
    async with asyncio.timeout(SOON):
        await asyncio.gather(*reconciler.mark(read.guild_id, [read.person(MEMBER)], trigger=Trigger.LOOK))
        await read.link()
    assert not has_gold(read)
    bans.clear()
    await read.until(lambda: has_gold(read), "the role, once the ban is over")
