"""Whatever is remembered wrongly or not at all, the world comes right: each memory is emptied or spoilt in turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from bot.discord import observe
from bot.discord.holder import DiscordAway
from bot.discord.observe import _Seen
from bot.domain.audit import AuditAction
from bot.domain.changes import Trigger
from bot.domain.model import ChargeStatus, GrantState, PatreonUserId, Secret
from bot.runtime.clock import SystemClock
from bot.sync.applying import reconcile
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, SOON, Scene, connect, serve, set_stage
from tests.fakes.stored import list_links

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A connected bot that has read its campaign once."""
    async with set_stage() as stage, serve(stage) as app, connect(app) as bot:
        await app.rounds.run(trigger=Trigger.SYNC)
        yield Scene(stage, app, bot)


LEAPS: list[timedelta] = []  # by which the bot's clock is ahead


@pytest.fixture(autouse=True)
def leaping(monkeypatch: pytest.MonkeyPatch) -> None:
    LEAPS.clear()
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + sum(LEAPS, timedelta()))


@pytest.fixture
async def town(scene: Scene) -> Scene:
    """Someone holds Gold by us, in a bot whose rounds are a minute apart."""
    resync = scene.app.rounds._resync
    resync._interval = MINUTE
    resync._turns.clear()
    await scene.add_rule()
    await scene.link()
    await held(scene)
    await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    return scene


async def held(scene: Scene) -> None:
    async with asyncio.timeout(SOON):
        while True:
            grants = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(MEMBER))
            if [one.state for one in grants.values()] == [GrantState.HELD]:
                return
            await asyncio.sleep(0.02)


async def rounds(scene: Scene, *, within: timedelta, is_right: Callable[[], bool], step: timedelta = MINUTE) -> None:
    """Let rounds pass until the world is right, and no longer than that."""
    passed = timedelta()
    while passed < within:
        passed += step
        LEAPS.append(step)
        await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
        await quiet(scene)
        if is_right():
            return
    raise AssertionError(f"still wrong after {within}")


async def quiet(scene: Scene) -> None:
    """Wait until nobody stands in a queue."""
    while scene.app.reconciler.backlog()[0] or any(
        not queue._turns and queue._arrived.is_set() for queue in scene.app.reconciler._queues.values()
    ):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def has_gold(scene: Scene) -> bool:
    return "Gold" in scene.stage.roles(MEMBER)


def slip(scene: Scene) -> None:
    """Take a member's role away at Discord, and lose the event."""
    member = scene.stage.sandbox.world.guild.members[scene.stage.user_id(MEMBER)]
    member.role_ids -= {scene.stage.role_id("Gold")}


def patron(scene: Scene) -> PatreonUserId:
    return PatreonUserId(scene.stage.patron_id(GOLD_PATRON))


# --- what is remembered of Discord's members


@pytest.mark.parametrize("has_seat", [True, False], ids=["a role that is gone", "somebody who is not gone"])
async def test_what_is_remembered_of_members_is_asked_for_anew_within_an_hour(town: Scene, has_seat: bool) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    slip(town)
    seen = town.app.observer._seen[town.guild_id]
    if not has_seat:
        seen[town.person(MEMBER)] = _Seen(None, 0.0)
    calls = len(town.discord.calls)
    await rounds(town, within=timedelta(hours=1), is_right=lambda: has_gold(town), step=timedelta(minutes=5))
    routes = {call.route for call in town.discord.calls[calls:] if call.method == "GET"}
    assert routes == set(), "no REST call looks at a member"


async def test_forgotten_members_are_asked_for_in_one_request(town: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    town.app.observer._seen.clear()
    await rounds(town, within=MINUTE, is_right=lambda: not has_gold(town))


async def test_an_hour_of_rounds_costs_one_gateway_request_for_a_hundred(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ask = town.app.observer._ask

    async def counted(guild_id: Any, ids: tuple[Any, ...]) -> Any:
        asked.append(len(ids))
        return await ask(guild_id, ids)

    monkeypatch.setattr(town.app.observer, "_ask", counted)
    calls = len(town.stage.sandbox.patreon.calls)
    for _ in range(60):
        LEAPS.append(MINUTE)
        await town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    known = len(town.app.observer.known(town.guild_id))
    assert known <= 100
    assert asked == [known]
    assert len(town.stage.sandbox.patreon.calls) - calls <= 60 + 2, "one page a round, and the campaign once an hour"


# --- what is remembered of what was stored


KEPT: dict[str, Callable[[Scene], dict[object, Any]]] = {
    "links": lambda scene: dict.fromkeys(
        [(scene.person(MEMBER), False), (scene.person(MEMBER), True), patron(scene)], None
    ),
    "rules": lambda scene: {scene.guild_id: ()},
    "campaigns": lambda _: {"follows": ()},
    "guilds": lambda scene: {scene.guild_id: "nothing that could be read"},
    "holds": lambda scene: {("any", scene.guild_id): "nothing that could be read"},
}


@pytest.mark.parametrize("name", KEPT)
async def test_rows_that_are_kept_wrongly_count_for_one_round_at_most(town: Scene, name: str) -> None:
    kept = getattr(town.app.storage, name).kept
    kept._values.update(KEPT[name](town))
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await rounds(town, within=MINUTE, is_right=lambda: not has_gold(town))


async def stale_record(scene: Scene) -> None:
    """Memory says what Patreon says; what is stored says something else."""
    storage, where = scene.app.storage, {"patron": patron(scene)}
    read = text("SELECT record FROM memberships WHERE patreon_user_id = :patron")
    async with storage.database.read() as connection:
        before = (await connection.execute(read, where)).scalar_one()
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))
    await rounds(scene, within=MINUTE, is_right=lambda: not has_gold(scene))
    write = text("UPDATE memberships SET record = :record WHERE patreon_user_id = :patron")
    async with storage.database.write() as connection:
        await connection.execute(write, {"record": before, **where})


async def no_readings(scene: Scene) -> None:
    for known in scene.app.intake._known.values():
        known.fingerprints.clear()
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))


async def no_campaign(scene: Scene) -> None:
    scene.app.intake._known.clear()
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))


@pytest.mark.parametrize("spoil", [stale_record, no_readings, no_campaign], ids=lambda spoil: spoil.__name__)
async def test_what_is_remembered_of_readings_gives_way_to_what_is_stored_and_said(
    town: Scene, spoil: Callable[[Scene], Awaitable[None]]
) -> None:
    await spoil(town)
    for _ in range(12):
        LEAPS.append(5 * MINUTE)
        await town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
        await quiet(town)
    assert not has_gold(town)
    (stored,) = await town.app.storage.memberships.load_person(patron(town))
    assert stored.believed is not None
    assert stored.believed.charge_status is ChargeStatus.REFUNDED


async def test_a_change_that_comes_with_time_alone_needs_no_memory(town: Scene) -> None:
    """Days of grace end, though nobody remembers that they run."""
    town.stage.sandbox.patreon.decline(town.stage.patron_id(GOLD_PATRON))
    await town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    assert has_gold(town)
    for known in town.app.intake._known.values():
        known.restless.clear()
        known._second_looks.clear()
    LEAPS.append(timedelta(days=8))
    for known in town.app.intake._known.values():
        known.restless.clear()
    await rounds(town, within=10 * MINUTE, is_right=lambda: not has_gold(town))


# --- what is remembered of what is to be done


async def test_whoever_fell_out_of_the_queue_is_planned_again_within_ten_minutes(town: Scene) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    town.discord.take_role(town.stage.user_id(MEMBER), town.stage.role_id("Gold"))
    for queue in town.app.reconciler._queues.values():
        queue._turns.clear()
        queue._heap.clear()
    await rounds(town, within=10 * MINUTE, is_right=lambda: has_gold(town))


async def test_a_refusal_that_is_remembered_wrongly_counts_for_an_hour_at_most(town: Scene) -> None:
    town.app.breakers.open(town.guild_id, town.role("Gold"))
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    await quiet(town)
    assert has_gold(town)
    await rounds(town, within=timedelta(hours=1), is_right=lambda: not has_gold(town), step=timedelta(minutes=6))


async def test_a_place_on_the_rota_that_makes_no_sense_is_everybodys_turn(town: Scene) -> None:
    for turns in town.app.rounds._resync._turns.values():
        turns.planned._at = datetime.now(UTC) + timedelta(days=400)
        turns.planned._last = town.person(MEMBER)
    town.app.reconciler._queues.clear()
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await rounds(town, within=MINUTE, is_right=lambda: not has_gold(town))


async def test_reports_that_count_without_having_been_looked_at_are_looked_at(town: Scene) -> None:
    links = town.app.storage.links
    (reported,) = [one for one in await list_links(town.app.storage) if one.discord_user_id != town.person(MEMBER)]
    async with town.app.storage.database.write() as connection:
        await connection.execute(
            text("DELETE FROM links WHERE discord_user_id = :person"), {"person": reported.discord_user_id}
        )

    async def is_linked() -> bool:
        return await links.find_patreon(reported.patreon_user_id) is not None

    for _ in range(12):
        LEAPS.append(timedelta(minutes=5))
        await town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
        if await is_linked():
            return
    raise AssertionError("the report was never looked at again")


# --- a look that failed


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


async def test_a_link_that_is_confirmed_while_the_connection_resumes_is_followed_when_it_is_back(scene: Scene) -> None:
    await scene.add_rule()
    await answer_yes(scene, meanwhile=lambda: scene.app.holder.lose(scene.bot))
    assert not has_gold(scene)
    come_back(scene)
    await scene.until(lambda: has_gold(scene), "the role is given")


async def test_an_unlink_while_the_connection_resumes_is_followed_when_it_is_back(town: Scene) -> None:
    town.app.holder.lose(town.bot)
    assert (await town.app.unlinker.unlink(town.person(MEMBER))).news is None
    assert has_gold(town)
    come_back(town)
    await town.until(lambda: not has_gold(town), "the role is taken")


async def test_who_was_changed_while_the_connection_resumes_is_planned_when_it_is_back(town: Scene) -> None:
    town.app.holder.lose(town.bot)
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
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
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.1)
    await scene.add_rule()
    await scene.link()
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    guild.unavailable = True
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))
    await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    assert has_gold(scene)
    await asyncio.sleep(0.3)
    guild.unavailable = False  # and no event tells
    await scene.until(lambda: not has_gold(scene), "the role is taken")


async def test_whom_we_owe_a_look_in_a_server_that_we_left_is_forgotten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.05)
    await scene.add_rule()
    await scene.link()
    scene.discord.kick_bot()
    await scene.until(lambda: not scene.bot.guilds, "the bot is out")
    reconciler = scene.app.reconciler
    reconciler.mark(scene.guild_id, [scene.person(MEMBER)], trigger=Trigger.SYNC)
    with pytest.raises(DiscordAway):
        await reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    await scene.until(lambda: not reconciler._later and not reconciler._bulk._postponed, "nothing is tried again")


# --- /patreon sync trusts no memory


async def test_a_sync_sees_what_no_event_told_of(town: Scene) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    slip(town)
    assert "I'm updating the roles of 1 person now." in await town.say(ADMIN, "patreon sync")
    await town.until(lambda: has_gold(town), "the role is given again")
    await quiet(town)
    assert "Nothing would change" in await town.say(ADMIN, "patreon preview")


async def test_a_sync_tries_a_refused_role_again_at_once(scene: Scene) -> None:
    await scene.add_rule()
    scene.stage.sandbox.weather.set(Fault("discord", "/roles/", "missing_permission", times=2))
    await scene.link()
    await scene.until(lambda: len(scene.app.breakers) == 1, "it is refused")
    assert "No roles need to change" not in await scene.say(ADMIN, "patreon sync")
    await scene.until(lambda: len(scene.app.breakers) == 1, "it is refused again")
    assert "Waiting for an admin:" in await scene.say(ADMIN, "patreon preview")
    await scene.say(ADMIN, "patreon sync")
    await scene.until(lambda: has_gold(scene), "the role is given")


async def test_a_refused_role_is_told_of_once_however_often_it_is_tried(scene: Scene) -> None:
    """An hour later, or where an admin asks, it is tried again: nobody is told that it can be changed before it was."""
    weather = scene.stage.sandbox.weather
    weather.set(Fault("discord", "/roles/", "missing_permission", times=None))
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: len(scene.app.breakers) == 1, "it is refused")
    assert "I can't change the role **Gold**" in await scene.say(ADMIN, "patreon sync")
    for _ in range(2):
        LEAPS.append(timedelta(hours=2))
        calls = len(scene.stage.role_writes)
        await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
        await quiet(scene)
        assert len(scene.stage.role_writes) == calls + 1
        await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    assert "I can change the role" not in await scene.say(ADMIN, "patreon preview")
    weather.clear()
    LEAPS.append(timedelta(hours=2))
    await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    await scene.until(lambda: has_gold(scene), "the role is given")
    await quiet(scene)
    await scene.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    assert "I can change the role **Gold** again" in await scene.say(ADMIN, "patreon preview")


async def test_a_sync_names_what_waits_and_why(scene: Scene) -> None:
    await scene.add_rule()
    scene.discord.move_role(scene.stage.role_id("Gold"), 40)
    await scene.link()
    said = await scene.say(ADMIN, "patreon sync")
    assert "Waiting for an admin:" in said
    assert "drag my role above it" in said


async def test_a_sync_names_what_is_held_back_and_what_somebody_took_by_hand(town: Scene) -> None:
    town.discord.take_role(town.stage.user_id(MEMBER), town.stage.role_id("Gold"))
    await town.written(MEMBER, AuditAction.SUPPRESS)
    said = await town.say(ADMIN, "patreon sync")
    assert "Removed manually, so I won't assign them again:" in said
    assert "/patreon restore" in said
    await town.say(ADMIN, "patreon restore", user=str(town.person(MEMBER)), role=str(town.role("Gold")))
    await town.until(lambda: has_gold(town), "it is given again")
    await held(town)
    await town.app.storage.guilds.change(town.guild_id, mode="grant_only")
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    said = await town.say(ADMIN, "patreon sync")
    assert "Held back:" in said
    assert "No roles need to change." in said


async def test_a_sync_says_that_discord_takes_no_write_at_all(town: Scene) -> None:
    town.app.reconciler._applier._writer._banned_until = datetime.now(UTC) + timedelta(minutes=5)
    assert "All changes are waiting:" in await town.say(ADMIN, "patreon sync")


async def test_who_asks_for_a_sync_in_the_midst_of_a_round_gets_a_plan_of_everyone_too(town: Scene) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    slip(town)
    under_way = asyncio.create_task(town.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False))
    await asyncio.sleep(0)
    assert "I'm updating the roles of 1 person now." in await town.say(ADMIN, "patreon sync")
    await under_way
    await town.until(lambda: has_gold(town), "the role is given again")
