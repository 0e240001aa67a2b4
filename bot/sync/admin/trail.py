"""The audit as admins read it: its entries by page, and the runs that they can name. Changes no role."""

import msgspec

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditFilter, AuditRow, SyncAsked
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import AuditId, DiscordUserId, GuildId, RunId
from bot.domain.runs import Run
from bot.runtime.clock import Clock
from bot.storage import Storage

ENTRIES_ON_A_PAGE = 5  # of several lines each
RUNS_OFFERED = 25  # Discord shows no more choices
MOST_DIGITS = 18


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries, the newest first; where there are others before and after it, their neighbours here."""

    rows: tuple[AuditRow, ...]
    newer_than: AuditId | None = None  # the first entry of this page, where newer ones exist
    older_than: AuditId | None = None  # the last, where older ones exist


class Trail:
    """Reads the audit."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def page(
        self, wanted: AuditFilter, *, before: AuditId | None = None, after: AuditId | None = None
    ) -> AuditPage:
        """Return the newest entries, or those before or after one. Raises UserMistake for a run of nobody here."""
        if wanted.run_id is not None:
            await self.run(wanted.guild_id, wanted.run_id)
        found = await self._storage.audit.page(wanted, before=before, after=after, limit=ENTRIES_ON_A_PAGE + 1)
        has_more = len(found) > ENTRIES_ON_A_PAGE
        if after is not None:
            rows = found[-ENTRIES_ON_A_PAGE:]
            has_newer, has_older = has_more, True
        else:
            rows = found[:ENTRIES_ON_A_PAGE]
            has_newer, has_older = before is not None, has_more
        return AuditPage(
            rows=rows,
            newer_than=rows[0].audit_id if rows and has_newer else None,
            older_than=rows[-1].audit_id if rows and has_older else None,
        )

    async def run(self, guild_id: GuildId, run_id: RunId) -> Run:
        """Return a run of this guild. Raises UserMistake where there is none such."""
        run = await self._storage.audit.find_run(guild_id, run_id)
        if run is None:
            raise UserMistake(Mistake.RUN_UNKNOWN, run_id=run_id)
        return run

    async def list_runs(self, guild_id: GuildId) -> tuple[tuple[Run, int], ...]:
        """Return the newest runs that changed roles, with how many."""
        return await self._storage.audit.list_runs(guild_id, limit=RUNS_OFFERED)

    async def note_sync(self, guild_id: GuildId, *, by: DiscordUserId) -> None:
        """Write down that an admin has everyone checked: a run of its own."""
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=guild_id,
                action=AuditAction.SYNC,
                reason=SyncAsked(by=by),
                trigger=Trigger.SYNC,
            )
        )


def run_number(typed: str) -> RunId:
    """Take a run's number as typed, with or without what stands behind it where it is offered. Raises UserMistake."""
    digits = typed.partition(":")[0].strip().lstrip("#")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > MOST_DIGITS:
        raise UserMistake(Mistake.RUN_NO_NUMBER)
    return RunId(int(digits))
