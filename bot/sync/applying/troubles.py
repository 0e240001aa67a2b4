"""Tells a guild's admins what keeps its roles from being changed: a role out of our reach, or Discord itself.

Each trouble is told once, and once when it is over. Decides nothing and writes no role.
"""

from collections.abc import Collection

from bot.discord.notifier import Notifier
from bot.domain.assignable import Block
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.domain.notices import DiscordBan, RoleBlocked, Solved, Topic, TwoFactorNeeded, WritesRejected
from bot.domain.planned import GuildPlan
from bot.runtime.health import HealthBoard, Note
from bot.sync.applying.apply import blocked_roles


class Troubles:
    """What admins hear of roles that cannot be changed."""

    def __init__(self, *, notifier: Notifier, health: HealthBoard) -> None:
        self._notifier = notifier
        self._health = health
        self._without_2fa: set[GuildId] = set()
        self._unhindered: set[GuildId] = set()  # where no ban is told of; after a start that has to be asked

    async def tell_ban(self, guild_id: GuildId) -> None:
        """Tell that Discord lets nobody through."""
        self._unhindered.discard(guild_id)
        await self._notifier.tell_admin(guild_id, DiscordBan())

    async def tell_2fa(self, guild_id: GuildId) -> None:
        """Tell that the server asks for two-factor authentication, which our application's owner does not have."""
        self._unhindered.discard(guild_id)
        self._without_2fa.add(guild_id)
        self._health.note(Note.OWNER_NEEDS_2FA)
        await self._notifier.tell_admin(guild_id, TwoFactorNeeded())

    async def note_write(self, guild_id: GuildId) -> bool:
        """Take it that Discord took a write; tell whether two-factor authentication was asked for until now."""
        asked = guild_id in self._without_2fa
        self._without_2fa.discard(guild_id)
        if not self._without_2fa:
            self._health.withdraw(Note.OWNER_NEEDS_2FA)
        if guild_id not in self._unhindered:
            self._unhindered.add(guild_id)
            await self._notifier.over(guild_id, Solved(topic=Topic.DISCORD_BAN))
            await self._notifier.over(guild_id, Solved(topic=Topic.TWO_FACTOR))
        return asked

    def forget_all_but(self, guild_ids: Collection[GuildId]) -> None:
        """Take it that only these guilds are ours: what another asked of the application's owner is over."""
        self._without_2fa.intersection_update(guild_ids)
        if not self._without_2fa:
            self._health.withdraw(Note.OWNER_NEEDS_2FA)

    async def tell_rejected(self, guild_id: GuildId, person: DiscordUserId) -> None:
        """Tell that Discord refuses one person's roles, again and again."""
        await self._notifier.tell_admin(guild_id, WritesRejected(discord_user_id=person))

    async def over_rejected(self, guild_id: GuildId, person: DiscordUserId) -> None:
        """Tell that it does so no more."""
        await self._notifier.over(guild_id, Solved(topic=Topic.WRITES_REJECTED, subject=person))

    async def told_blocked(self, guild_id: GuildId) -> frozenset[RoleId]:
        """Return which roles a guild was told of as out of our reach: a plan made from now on may say otherwise."""
        return frozenset(RoleId(int(role_id)) for role_id in await self._notifier.told(guild_id, Topic.ROLE))

    async def tell_blocked(self, drawn: GuildPlan, *, told: Collection[RoleId]) -> None:
        """Tell of roles that cannot be changed, also of those that nobody is to get now; and which can be again.

        `told`: as of before the plan, for what was found meanwhile is newer than the plan.
        """
        guild_id, roles = drawn.guild_id, drawn.guild.roles
        blocked = {role_id: block for plan in drawn.plans for role_id, block in blocked_roles(plan).items()}
        blocked |= drawn.blocked
        for role_id, block in blocked.items():
            if block is Block.OWNER_NEEDS_2FA:
                continue  # told of for the server as a whole, when Discord said so
            await self._notifier.tell_admin(
                guild_id, RoleBlocked(role_id=role_id, role=roles.get(role_id, str(role_id)), block=block)
            )
        for rule in drawn.guild.rules:
            role_id = rule.role_id
            if role_id in told and role_id not in blocked and role_id not in drawn.guild.on_trial:
                solved = Solved(topic=Topic.ROLE, subject=role_id, name=roles.get(role_id, str(role_id)))
                await self._notifier.over(guild_id, solved)
