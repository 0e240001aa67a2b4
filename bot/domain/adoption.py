"""What adopting a role would do: who holds it, and what becomes of their role once it is ours. Values only."""

import enum
from collections.abc import Mapping

import msgspec

from bot.domain.model import DiscordUserId, RoleId


class Fate(enum.StrEnum):
    """What becomes of somebody's role once it is ours."""

    OURS = "ours"  # it is already
    ENTITLED = "entitled"
    UNSURE = "unsure"  # nothing is proven of them: the role stays
    UNENTITLED = "unentitled"
    UNLINKED = "unlinked"


class AdoptionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a role, by what would become of it."""

    role_id: RoleId
    role_name: str
    holders: Mapping[Fate, tuple[DiscordUserId, ...]]
    sees_everyone: bool = True  # False: without the members intent, we see linked people only

    @property
    def people(self) -> tuple[DiscordUserId, ...]:
        """Everybody who would be adopted."""
        return tuple(one for fate, people in self.holders.items() if fate is not Fate.OURS for one in people)
