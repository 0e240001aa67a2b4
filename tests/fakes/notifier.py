"""Keeps what admins would be told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.discord.notifier import Notifier
from bot.domain.model import GuildId, HoldId
from bot.domain.notices import Change, End, HoldWaiting, Kept, Trouble
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.troubles import say_change, say_end, say_kept, say_trouble

RENDERER = Renderer(ENGLISH, Medium.DISCORD)


def said(kept: Iterable[Kept]) -> str:
    """Return what waits for admins, as they would read it."""
    return "\n".join(say_kept(RENDERER, notice) for notice in kept)


@dataclass
class HeardNotifier(Notifier):
    """Keeps what admins would be told, as they would read it."""

    troubles: list[str] = field(default_factory=list)
    holds: list[HoldId] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def tell_admin(self, guild_id: GuildId, trouble: Trouble, *, is_again: bool = False) -> None:
        self.troubles.append(say_trouble(RENDERER, trouble))
        if isinstance(trouble, HoldWaiting):
            self.holds.append(trouble.hold_id)

    async def over(self, guild_id: GuildId, end: End) -> None:
        self.ended.append(say_end(RENDERER, end))

    async def tell_changes(self, guild_id: GuildId, changes: Sequence[Change]) -> None:
        self.changes += [say_change(RENDERER, change) for change in changes]
