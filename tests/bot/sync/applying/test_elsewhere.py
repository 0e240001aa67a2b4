"""Roles in servers of other processes are waited for, and told by what is stored."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import GrantState
from bot.domain.plan import Action
from bot.domain.reasons import RoleReason
from bot.domain.role_news import RoleStatus
from bot.domain.rules import Wanted
from bot.runtime.clock import SystemClock
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from bot.sync.applying import elsewhere as parts
from bot.sync.applying.elsewhere import Elsewhere
from tests.fakes.filled import ADA, GUILD, ROLE, grant_of
from tests.fakes.postgres import Postgres

PATIENCE = 20.0
WHY = RoleReason(role="Gold", action=Action.GRANT, wanted=Wanted.YES)


@pytest.fixture
async def shared(postgres: Postgres, emptied: str) -> AsyncIterator[Storage]:
    storage = await Storage.open(postgres.url(emptied), Vault((new_key(),)))
    yield storage
    await storage.close()


async def give(storage: Storage) -> None:
    """Do what the other process does: write the role, and let the person wait no more."""
    await storage.ledger.put(grant_of(state=GrantState.HELD))
    entry = AuditEntry(
        at=SystemClock().now(),
        guild_id=GUILD,
        discord_user_id=ADA,
        role_id=ROLE,
        action=AuditAction.GRANT,
        outcome=Outcome.DONE,
        reason=WHY,
        trigger=Trigger.LINK,
    )
    await storage.audit.add(entry)
    await storage.due.end(await storage.due.list_guild(GUILD))


async def test_whoever_waits_there_is_waited_for(shared: Storage) -> None:
    await shared.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    following = asyncio.create_task(Elsewhere(storage=shared, clock=SystemClock()).follow(ADA, [GUILD], in_sight=[]))
    await asyncio.sleep(2 * parts.POLL_SECONDS)
    assert not following.done()
    await give(shared)
    async with asyncio.timeout(PATIENCE):
        (news,) = await following
    assert (news.role_name, news.guild_name, news.status) == ("Gold", "", RoleStatus.GIVEN)


async def test_what_takes_too_long_is_told_as_it_stands(shared: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PATIENCE_SECONDS", 0.01)
    await shared.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    assert await Elsewhere(storage=shared, clock=SystemClock()).follow(ADA, [GUILD], in_sight=[]) == ()


async def test_a_server_in_sight_is_not_elsewhere(shared: Storage) -> None:
    await shared.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    await shared.ledger.put(grant_of(state=GrantState.HELD))
    there = Elsewhere(storage=shared, clock=SystemClock())
    async with asyncio.timeout(PATIENCE):
        assert await there.follow(ADA, [GUILD], in_sight=[GUILD]) == ()
    assert await there.know(ADA, in_sight=[GUILD]) == ()


async def test_what_is_stored_of_a_person_is_known_everywhere(shared: Storage) -> None:
    await give(shared)
    await shared.guilds.save_names({GUILD: "Hollow"})
    (news,) = await Elsewhere(storage=shared, clock=SystemClock()).know(ADA, in_sight=[])
    assert (news.role_name, news.guild_name) == ("Gold", "Hollow")


async def test_a_process_that_is_alone_has_nothing_elsewhere(storage: Storage) -> None:
    await give(storage)
    await storage.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    alone = Elsewhere(storage=storage, clock=SystemClock())
    async with asyncio.timeout(PATIENCE):
        assert await alone.follow(ADA, [GUILD], in_sight=[]) == ()
    assert await alone.know(ADA, in_sight=[]) == ()
