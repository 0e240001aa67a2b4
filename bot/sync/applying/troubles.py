"""Tells a guild's admins what keeps its roles from being changed: a role out of our reach, or Discord itself.

Each trouble is told once, and once when it is over. Decides nothing and writes no role.
"""

from collections.abc import Collection
from typing import Protocol

from bot.domain.assignable import Block
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.planned import GuildPlan
from bot.runtime.health import HealthBoard, Note
from bot.storage import Storage
from bot.sync.applying.apply import Herald, blocked_roles, trouble_key
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import Reader, say_block
from bot.texts.renderer import Medium, Renderer

ADMINS = Renderer(ENGLISH, Medium.DISCORD)
BAN = "ban"
BANNED = (
    "Discord lets me change no role now: it blocks my address for too many calls, or does not know my token. "
    "I try again within minutes and go on by myself; nothing is lost. If this lasts, read my log"
)
BAN_OVER = "Discord lets me change roles again; I go on where I was"
TWO_FACTOR = "owner_needs_2fa"
TWO_FACTOR_NEEDED = (
    "Discord doesn't let me change any role here: this server requires two-factor authentication for moderation, and "
    "the Discord account that owns my application doesn't use it. Its owner can turn it on in Discord under User "
    "Settings > My Account. I'll try again every few minutes; nothing is lost"
)
TWO_FACTOR_OVER = "Two-factor authentication is in place; I can change roles here again"
REJECTED = (
    "Discord keeps refusing to change the roles of <@{person}> and doesn't say why. I'll keep trying, less and less "
    "often; nobody else is affected. If it lasts, change their role manually; Discord's answer is in my log"
)
REJECTED_OVER = "I can change the roles of <@{person}> again"


class Teller(Herald, Protocol):
    """Tells admins, and knows what they were told."""

    async def told(self, guild_id: GuildId, prefix: str) -> tuple[str, ...]:
        """Return the keys, beginning so, of the troubles that were told of and are not over."""


class Troubles:
    """What admins hear of roles that cannot be changed."""

    def __init__(self, *, storage: Storage, herald: Teller, health: HealthBoard) -> None:
        self._storage = storage
        self._herald = herald
        self._health = health
        self._without_2fa: set[GuildId] = set()
        self._unhindered: set[GuildId] = set()  # where no ban is told of; after a start that has to be asked

    async def tell_ban(self, guild_id: GuildId) -> None:
        """Tell that Discord lets nobody through."""
        self._unhindered.discard(guild_id)
        await self._herald.tell_admin(guild_id, BAN, BANNED)

    async def tell_2fa(self, guild_id: GuildId) -> None:
        """Tell that the server asks for two-factor authentication, which our application's owner does not have."""
        self._unhindered.discard(guild_id)
        self._without_2fa.add(guild_id)
        self._health.note(Note.OWNER_NEEDS_2FA)
        await self._herald.tell_admin(guild_id, TWO_FACTOR, TWO_FACTOR_NEEDED)

    async def note_write(self, guild_id: GuildId) -> bool:
        """Take it that Discord took a write; tell whether two-factor authentication was asked for until now."""
        asked = guild_id in self._without_2fa
        self._without_2fa.discard(guild_id)
        if not self._without_2fa:
            self._health.withdraw(Note.OWNER_NEEDS_2FA)
        if guild_id not in self._unhindered:
            self._unhindered.add(guild_id)
            await self._herald.over(guild_id, BAN, BAN_OVER)
            await self._herald.over(guild_id, TWO_FACTOR, TWO_FACTOR_OVER)
        return asked

    def forget_all_but(self, guild_ids: Collection[GuildId]) -> None:
        """Take it that only these guilds are ours: what another asked of the application's owner is over."""
        self._without_2fa.intersection_update(guild_ids)
        if not self._without_2fa:
            self._health.withdraw(Note.OWNER_NEEDS_2FA)

    async def tell_rejected(self, guild_id: GuildId, person: DiscordUserId) -> None:
        """Tell that Discord refuses one person's roles, again and again."""
        await self._herald.tell_admin(guild_id, f"rejected:{person}", REJECTED.format(person=person))

    async def over_rejected(self, guild_id: GuildId, person: DiscordUserId) -> None:
        """Tell that it does so no more."""
        await self._herald.over(guild_id, f"rejected:{person}", REJECTED_OVER.format(person=person))

    async def told_blocked(self, guild_id: GuildId) -> tuple[str, ...]:
        """Return which roles a guild was told of as out of our reach: a plan made from now on may say otherwise."""
        return await self._herald.told(guild_id, trouble_key(""))

    async def tell_blocked(self, drawn: GuildPlan, *, told: Collection[str]) -> None:
        """Tell of roles that cannot be changed, also of those that nobody is to get now; and which can be again.

        `told`: as of before the plan, for what was found meanwhile is newer than the plan.
        """
        guild_id, roles = drawn.guild_id, drawn.guild.roles
        blocked = {role_id: block for plan in drawn.plans for role_id, block in blocked_roles(plan).items()}
        blocked |= drawn.blocked
        for role_id, block in blocked.items():
            if block is Block.OWNER_NEEDS_2FA:
                continue  # told of for the server as a whole, when Discord said so
            text = f"I cannot change the role **{roles.get(role_id, '')}**: {say_block(ADMINS, block, Reader.TEAM)}"
            await self._herald.tell_admin(guild_id, trouble_key(role_id), text)
        for rule in await self._storage.rules.list_guild(guild_id) if told else ():
            key = trouble_key(rule.role_id)
            if key in told and rule.role_id not in blocked and rule.role_id not in drawn.guild.on_trial:
                await self._herald.over(guild_id, key, f"I can change the role **{roles.get(rule.role_id, '')}** again")
