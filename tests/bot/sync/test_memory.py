"""Whatever is remembered wrongly or not at all, the world comes right: each memory is emptied or spoilt in turn."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.charge_status import ChargeStatus
from sandbox.weather import Fault
from tests.bot.sync.leaps import LEAPS, MINUTE, has_gold, held, patron, rounds, slip
from tests.fakes.rounds import whole_round
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, Scene
from tests.fakes.stored import list_links
from tests.test_map import section

pytestmark = pytest.mark.usefixtures("leaping")

# --- what is remembered of Discord's members


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
        await whole_round(town.app)
        await town.at_rest()
    assert not has_gold(town)
    (stored,) = await town.app.storage.memberships.load_person(patron(town))
    assert stored.believed is not None
    assert stored.believed.charge_status is ChargeStatus.REFUNDED


async def test_a_change_that_comes_with_time_alone_needs_no_memory(town: Scene) -> None:
    """Days of grace end, though nobody remembers that they run."""
    town.stage.sandbox.patreon.decline(town.stage.patron_id(GOLD_PATRON))
    await whole_round(town.app)
    assert has_gold(town)
    for known in town.app.intake._known.values():
        known.restless.clear()
        known._second_looks.clear()
    LEAPS.append(timedelta(days=8))
    for known in town.app.intake._known.values():
        known.restless.clear()
    await rounds(town, within=10 * MINUTE, is_right=lambda: not has_gold(town))


# --- what is remembered of what is to be done


async def test_a_refusal_that_is_remembered_wrongly_counts_for_an_hour_at_most(town: Scene) -> None:
    town.app.breakers.open(town.guild_id, town.role("Gold"))
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await whole_round(town.app)
    await town.at_rest()
    assert has_gold(town)
    await rounds(town, within=timedelta(hours=1), is_right=lambda: not has_gold(town), step=timedelta(minutes=6))


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
        await whole_round(town.app)
        if await is_linked():
            return
    raise AssertionError("the report was never looked at again")


# --- /patreon sync trusts no memory


async def test_a_sync_sees_what_no_event_told_of(town: Scene) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    slip(town)
    assert "I'm updating the roles of 1 person now." in await town.say(ADMIN, "patreon sync")
    await town.until(lambda: has_gold(town), "the role is given again")
    await town.at_rest()
    assert "Nothing would change" in await town.say(ADMIN, "patreon preview")


async def test_a_sync_tries_a_refused_role_again_at_once(read: Scene) -> None:
    await read.add_rule()
    read.stage.sandbox.weather.set(Fault("discord", "/roles/", "missing_permission", times=2))
    await read.link()
    await read.until(lambda: len(read.app.breakers) == 1, "it is refused")
    assert "No roles need to change" not in await read.say(ADMIN, "patreon sync")
    await read.until(lambda: len(read.app.breakers) == 1, "it is refused again")
    assert "Waiting for an admin:" in await read.say(ADMIN, "patreon preview")
    await read.say(ADMIN, "patreon sync")
    await read.until(lambda: has_gold(read), "the role is given")


async def test_a_refused_role_is_told_of_once_however_often_it_is_tried(read: Scene) -> None:
    """An hour later, or where an admin asks, it is tried again: nobody is told that it can be changed before it was."""
    weather = read.stage.sandbox.weather
    weather.set(Fault("discord", "/roles/", "missing_permission", times=None))
    await read.add_rule()
    await read.link()
    await read.until(lambda: len(read.app.breakers) == 1, "it is refused")
    assert "I can't change the role **Gold**" in await read.say(ADMIN, "patreon sync")
    for _ in range(2):
        LEAPS.append(timedelta(hours=2))
        calls = len(read.stage.role_writes)
        await whole_round(read.app)
        await read.at_rest()
        assert len(read.stage.role_writes) == calls + 1
        await whole_round(read.app)
    assert "I can change the role" not in await read.say(ADMIN, "patreon preview")
    weather.clear()
    LEAPS.append(timedelta(hours=2))
    await whole_round(read.app)
    await read.until(lambda: has_gold(read), "the role is given")
    await read.at_rest()
    LEAPS.append(timedelta(hours=1))
    await whole_round(read.app)
    assert "I can change the role **Gold** again" in await read.say(ADMIN, "patreon preview")


async def test_a_sync_names_what_waits_and_why(read: Scene) -> None:
    await read.add_rule()
    read.discord.move_role(read.stage.role_id("Gold"), 40)
    await read.link()
    said = await read.say(ADMIN, "patreon sync")
    assert "Waiting for an admin:" in said
    assert "drag my role above it" in said


async def test_a_sync_names_what_is_held_back_and_what_somebody_took_by_hand(town: Scene) -> None:
    town.discord.take_role(town.stage.user_id(MEMBER), town.stage.role_id("Gold"))
    await town.suppressed()
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
    under_way = asyncio.create_task(whole_round(town.app))
    await asyncio.sleep(0)
    assert "I'm updating the roles of 1 person now." in await town.say(ADMIN, "patreon sync")
    await under_way
    await town.until(lambda: has_gold(town), "the role is given again")


# --- what it is with several processes


WITH_SEVERAL = re.compile(r"(owned by the gateway|a fact|harmless)(: .+?)?(; not yet: .+)?")


@pytest.mark.parametrize("row", section("Memory"), ids=lambda row: row[0])
def test_it_is_told_what_becomes_of_each_memory_with_several_processes(row: list[str]) -> None:
    assert WITH_SEVERAL.fullmatch(row[3])
