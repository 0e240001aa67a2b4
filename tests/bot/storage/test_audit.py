from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditFilter
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, ReadId, RoleId
from bot.domain.reasons import OldText
from bot.storage import Storage

GUILD = GuildId(900)
ADA = DiscordUserId(11)


def entry(number: int, who: DiscordUserId | None = ADA, guild: int = GUILD) -> AuditEntry:
    return AuditEntry(
        at=datetime(2026, 3, 1, 12, number, tzinfo=UTC),
        guild_id=GuildId(guild),
        discord_user_id=who,
        role_id=RoleId(31),
        action=AuditAction.GRANT,
        outcome=Outcome.DONE,
        reason=OldText("entitled to the tier Gold"),
        trigger=Trigger.LINK,
        read_id=ReadId(number),
    )


async def test_the_newest_entries_come_first(storage: Storage) -> None:
    await storage.audit.add(entry(1), entry(2))
    await storage.audit.add(entry(3, guild=901))
    await storage.audit.add(entry(4, None))
    await storage.audit.add()
    assert await storage.audit.recent(GUILD) == (entry(4, None), entry(2), entry(1))
    assert await storage.audit.recent(GUILD, limit=1) == (entry(4, None),)


async def test_one_person_s_entries_can_be_asked_for(storage: Storage) -> None:
    await storage.audit.add(entry(1), entry(2, DiscordUserId(12)))
    assert await storage.audit.recent(GUILD, ADA) == (entry(1),)


@pytest.mark.parametrize(("minute", "is_recorded"), [(0, True), (1, True), (2, False)])
async def test_a_write_is_recorded_once_a_row_stands_that_is_no_older(
    storage: Storage, minute: int, is_recorded: bool
) -> None:
    await storage.audit.add(entry(1), entry(3, DiscordUserId(12)), entry(3, guild=901))
    since = datetime(2026, 3, 1, 12, minute, tzinfo=UTC)
    intent = Grant(guild_id=GUILD, discord_user_id=ADA, role_id=RoleId(31), state=GrantState.GRANTING, since=since)
    assert await storage.audit.is_done(intent, AuditAction.GRANT) is is_recorded
    assert not await storage.audit.is_done(intent, AuditAction.REVOKE)


def change(
    number: int, *, trigger: Trigger = Trigger.INTERVAL, guild: int = GUILD, seconds: int = 0, **rest: Any
) -> AuditEntry:
    """Return an entry of so many seconds after noon."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    return replace(entry(0), role_id=RoleId(number), at=at, trigger=trigger, guild_id=GuildId(guild), **rest)


async def test_what_comes_of_one_trigger_without_a_pause_is_one_run(storage: Storage) -> None:
    first = await storage.audit.add(change(1))
    assert await storage.audit.add(change(2, seconds=50)) == first
    assert await storage.audit.add(change(3, seconds=100)) == first, "each of them keeps it going"
    assert await storage.audit.add(change(4, seconds=100, trigger=Trigger.WEBHOOK)) != first
    assert await storage.audit.add(change(5, seconds=100, guild=901)) != first
    second = await storage.audit.add(change(6, seconds=200))
    assert second not in {None, first}
    assert await storage.audit.add() is None


async def test_what_an_admin_does_begins_a_run_which_takes_what_follows(storage: Storage) -> None:
    sync: dict[str, Any] = {"trigger": Trigger.SYNC}
    first = await storage.audit.add(change(1, action=AuditAction.SYNC, **sync))
    assert await storage.audit.add(change(2, seconds=600, **sync)) == first
    second = await storage.audit.add(change(3, seconds=601, action=AuditAction.SYNC, **sync))
    assert second != first
    assert await storage.audit.add(change(4, seconds=602, **sync)) == second


async def test_a_run_is_found_by_its_number_in_its_own_server(storage: Storage) -> None:
    run_id = await storage.audit.add(change(1), change(2))
    assert run_id is not None
    run = await storage.audit.find_run(GUILD, run_id)
    assert run is not None
    assert (run.trigger, run.began_at) == (Trigger.INTERVAL, change(1).at)
    assert await storage.audit.find_run(GuildId(901), run_id) is None
    assert [row.entry.role_id for row in await storage.audit.of_run(run)] == [1, 2]


async def test_runs_that_changed_roles_are_listed_with_how_many(storage: Storage) -> None:
    await storage.audit.add(change(1), change(2), change(3, outcome=Outcome.REFUSED))
    await storage.audit.add(change(4, trigger=Trigger.SYNC, action=AuditAction.SYNC, outcome=None))
    await storage.audit.add(change(5, trigger=Trigger.WEBHOOK, action=AuditAction.REVOKE))
    await storage.audit.add(change(6, guild=901))
    found = await storage.audit.list_runs(GUILD, limit=9)
    assert [(run.trigger, roles) for run, roles in found] == [(Trigger.WEBHOOK, 1), (Trigger.INTERVAL, 2)]
    assert len(await storage.audit.list_runs(GUILD, limit=1)) == 1


async def test_pages_lead_in_both_directions_and_keep_to_what_is_wanted(storage: Storage) -> None:
    for number in range(1, 6):
        await storage.audit.add(change(number), change(number, guild=901))
    every = AuditFilter(guild_id=GUILD)
    newest = await storage.audit.page(every, limit=2)
    assert [row.entry.role_id for row in newest] == [5, 4]
    older = await storage.audit.page(every, before=newest[-1].audit_id, limit=2)
    assert [row.entry.role_id for row in older] == [3, 2]
    assert await storage.audit.page(every, after=older[0].audit_id, limit=2) == newest
    (row,) = await storage.audit.page(AuditFilter(guild_id=GUILD, role_id=RoleId(3)), limit=9)
    assert (row.entry, row.run_id) == (change(3), newest[0].run_id)
    assert await storage.audit.page(AuditFilter(guild_id=GUILD, discord_user_id=DiscordUserId(12)), limit=9) == ()
    assert len(await storage.audit.page(AuditFilter(guild_id=GUILD, run_id=row.run_id), limit=9)) == 5


async def test_what_came_later_is_found_of_those_who_are_asked_for(storage: Storage) -> None:
    await storage.audit.add(change(1), change(2), change(3, discord_user_id=DiscordUserId(12)), change(4, guild=901))
    first = (await storage.audit.page(AuditFilter(guild_id=GUILD), limit=9))[-1]
    assert [row.entry.role_id for row in await storage.audit.since(GUILD, first.audit_id, [ADA])] == [2]
    assert await storage.audit.since(GUILD, first.audit_id, []) == ()
