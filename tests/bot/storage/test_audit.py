from datetime import UTC, datetime

import pytest

from bot.domain.audit_entry import AuditAction, AuditEntry
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
