"""Takes the list of patrons away as a file: written down, and told to the server's team, before anybody has it."""

from bot.discord.notifier import Notifier
from bot.domain.audit_entry import AuditAction, AuditEntry, PatronsExported
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.notices import PatronsTaken
from bot.domain.patrons import Wish
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.patrons import PatronBook
from bot.texts.patron_sheet import Sheet
from bot.texts.renderer import Renderer

MOST_ROWS = 40_000  # some 200 bytes each; Discord takes 10 MiB in one file (discord-api-docs, Uploading Files)


class PatronExport:
    """Makes the file; whether whoever asks may have it, the command decides."""

    def __init__(self, *, storage: Storage, patrons: PatronBook, notifier: Notifier, clock: Clock) -> None:
        self._storage = storage
        self._patrons = patrons
        self._notifier = notifier
        self._clock = clock

    async def take(
        self, guild_id: GuildId, wish: Wish, plain: Renderer, *, has_amounts: bool, by: DiscordUserId
    ) -> Sheet:
        """Return the file of those who are wanted. Raises DiscordAway, and UserMistake where they are too many."""
        guild = await self._patrons.guild(guild_id)
        sheet = Sheet(plain, guild, has_amounts=has_amounts)
        async for row in self._patrons.everyone(guild, wish):
            if sheet.rows == MOST_ROWS:
                raise UserMistake(Mistake.LIST_TOO_LONG, most=MOST_ROWS)
            sheet.add(row)
        entry = AuditEntry(
            at=self._clock.now(),
            guild_id=guild_id,
            action=AuditAction.EXPORT,
            reason=PatronsExported(rows=sheet.rows, has_amounts=has_amounts, by=by),
            trigger=Trigger.PATRONS,
        )
        await self._storage.audit.add(entry)
        await self._notifier.tell_news(guild_id, PatronsTaken(rows=sheet.rows, has_amounts=has_amounts, by=by))
        return sheet
