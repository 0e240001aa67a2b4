"""Keeps what admins would be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.changes import ChangeFound, RoleChanged
from bot.domain.model import GuildId, HoldId
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import say_change
from bot.texts.renderer import Medium, Renderer

ADMINS = Renderer(ENGLISH, Medium.DISCORD)


@dataclass
class HeardHerald:
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

    async def tell_changes(self, guild_id: GuildId, changes: Sequence[str | RoleChanged | ChangeFound]) -> None:
        self.changes += [one if isinstance(one, str) else say_change(ADMINS, one) for one in changes]
