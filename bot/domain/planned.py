"""What planning returns: values that nobody has applied, with the facts that they were made with."""

from collections.abc import Mapping

import msgspec

from bot.domain.assignable import Block
from bot.domain.comps import Comp
from bot.domain.holds import HoldItem
from bot.domain.member_answer import MemberAnswer
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.domain.plan import GuildFacts, PersonPlan

Presence = Mapping[DiscordUserId, bool]  # of whom the API answers, where the server has a token


class HoldChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan means for the holds of its guild."""

    held: tuple[HoldItem, ...] = ()  # revokes to be held from now on
    outdated: tuple[HoldItem, ...] = ()  # held revokes that are planned no more


class PlannedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One person's plan."""

    guild: GuildFacts
    plan: PersonPlan
    counted: frozenset[RoleId] = frozenset()  # roles whose revokes count for the brake
    holds: HoldChanges = HoldChanges()
    ended_comps: tuple[Comp, ...] = ()  # on which nothing rests any more
    members: tuple[MemberAnswer, ...] = ()  # how they stand, where the server's hooks are to be told
    presence: Presence = msgspec.field(default_factory=dict)


class GuildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync would do now."""

    guild: GuildFacts
    plans: tuple[PersonPlan, ...]
    holds: HoldChanges = HoldChanges()
    is_of_everyone: bool = False
    is_halted: bool = False  # Discord takes no write at all for a while
    refused: Mapping[DiscordUserId, frozenset[RoleId]] = msgspec.field(
        default_factory=dict
    )  # at the last try, by Discord
    unsettled: frozenset[DiscordUserId] = frozenset()  # their ledger rows say something else than what was seen
    members: tuple[MemberAnswer, ...] = ()  # how those stand of whom the server's hooks are to be told
    presence: Presence = msgspec.field(default_factory=dict)

    @property
    def guild_id(self) -> GuildId:
        """Of which guild this is the plan."""
        return self.guild.guild_id

    @property
    def blocked(self) -> dict[RoleId, Block]:
        """The pledge roles that cannot be given."""
        blocked = self.guild.blocked
        return {rule.role_id: blocked[rule.role_id] for rule in self.guild.rules if rule.role_id in blocked}

    @property
    def unplanned(self) -> tuple[DiscordUserId, ...]:
        """Those whose planning failed; their roles stay."""
        return tuple(plan.discord_user_id for plan in self.plans if plan.is_unplanned)

    @property
    def changing(self) -> frozenset[DiscordUserId]:
        """Those whose plan changes something."""
        return frozenset(plan.discord_user_id for plan in self.plans if plan.is_change)
