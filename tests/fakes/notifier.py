"""Keeps what admins would be told."""

from dataclasses import dataclass, field

from bot.discord.notifier import Notifier
from bot.domain.model import GuildId, HoldId


@dataclass
class HeardNotifier(Notifier):
    """Keeps what admins would be told."""

    troubles: list[str] = field(default_factory=list)
    holds: list[HoldId] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def tell_admin(
        self, guild_id: GuildId, key: str, text: str, *, hold_id: HoldId | None = None, is_again: bool = False
    ) -> None:
        self.troubles.append(text)
        if hold_id is not None:
            self.holds.append(hold_id)

    async def over(self, guild_id: GuildId, key: str, text: str) -> None:
        self.ended.append(text)

    async def tell_changes(self, guild_id: GuildId, lines: list[str]) -> None:
        self.changes += lines
