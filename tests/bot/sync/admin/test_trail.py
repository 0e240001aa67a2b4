"""Pages of the audit, and the numbers of runs as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditFilter
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import AuditId, GuildId, RunId
from bot.domain.reasons import OldText
from bot.runtime.clock import SystemClock
from bot.storage import Storage
from bot.sync.admin.trail import AuditPage, Trail, run_number

GUILD = GuildId(900)
EVERY = AuditFilter(guild_id=GUILD)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def trail(storage: Storage) -> Trail:
    """Return the audit of a guild with twelve entries, numbered from one."""
    for number in range(12):
        await storage.audit.add(
            AuditEntry(
                at=NOON + timedelta(seconds=number),
                guild_id=GUILD,
                action=AuditAction.GRANT,
                reason=OldText(""),
                trigger=Trigger.WEBHOOK,
            )
        )
    return Trail(storage=storage, clock=SystemClock())


def ids(page: AuditPage) -> list[int]:
    return [row.audit_id for row in page.rows]


async def test_pages_are_turned_to_the_end_and_back(trail: Trail) -> None:
    first = await trail.page(EVERY)
    assert (ids(first), first.newer_than, first.older_than) == ([12, 11, 10, 9, 8], None, 8)
    second = await trail.page(EVERY, before=first.older_than)
    assert (ids(second), second.newer_than, second.older_than) == ([7, 6, 5, 4, 3], 7, 3)
    last = await trail.page(EVERY, before=second.older_than)
    assert (ids(last), last.newer_than, last.older_than) == ([2, 1], 2, None)
    assert await trail.page(EVERY, after=last.newer_than) == second
    again = await trail.page(EVERY, after=second.newer_than)
    assert (ids(again), again.newer_than, again.older_than) == (ids(first), None, 8)


async def test_a_page_without_entries_leads_nowhere(trail: Trail) -> None:
    empty = AuditPage(rows=(), newer_than=None, older_than=None)
    assert await trail.page(AuditFilter(guild_id=GuildId(901))) == empty
    assert await trail.page(EVERY, before=AuditId(1)) == empty


async def test_the_run_of_another_server_is_unknown(trail: Trail) -> None:
    assert (await trail.page(AuditFilter(guild_id=GUILD, run_id=RunId(1)))).rows
    with pytest.raises(UserMistake) as unknown:
        await trail.page(AuditFilter(guild_id=GuildId(901), run_id=RunId(1)))
    assert unknown.value.code is Mistake.RUN_UNKNOWN


@pytest.mark.parametrize("typed", ["12", " #12 ", "12: An admin started a sync (3 roles)"])
def test_a_run_is_named_by_its_number(typed: str) -> None:
    assert run_number(typed) == 12


@pytest.mark.parametrize("typed", ["", "the last", "-1", "1.5", "9" * 19, "¹²"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(UserMistake) as refused:
        run_number(typed)
    assert refused.value.code is Mistake.RUN_NO_NUMBER
