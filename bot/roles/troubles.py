"""Tells a guild's admins what keeps its roles from being changed: a role out of our reach, or Discord itself.

Each trouble is told once, and once when it is over. Decides nothing and writes no role.
"""

from bot.model import GuildId
from bot.roles.apply import Herald, blocked_roles, trouble_key
from bot.roles.planning import GuildPlan
from bot.roles.report import say_block
from bot.storage import Storage

BAN = "ban"
BANNED = (
    "Discord lets me change no role now: it blocks my address for too many calls, or does not know my token. "
    "I try again within minutes and go on by myself; nothing is lost. If this lasts, read my log"
)
BAN_OVER = "Discord lets me change roles again; I go on where I was"


class Troubles:
    """What admins hear of roles that cannot be changed."""

    def __init__(self, *, storage: Storage, herald: Herald) -> None:
        self._storage = storage
        self._herald = herald
        self._unhindered: set[GuildId] = set()  # where no ban is told of; after a start that has to be asked

    async def tell_ban(self, guild_id: GuildId) -> None:
        """Tell that Discord lets nobody through."""
        self._unhindered.discard(guild_id)
        await self._herald.tell_admin(guild_id, BAN, BANNED)

    async def note_write(self, guild_id: GuildId) -> None:
        """Take it that Discord took a write."""
        if guild_id not in self._unhindered:
            self._unhindered.add(guild_id)
            await self._herald.over(guild_id, BAN, BAN_OVER)

    async def tell_blocked(self, drawn: GuildPlan, *, is_everyone: bool) -> None:
        """Tell of roles that cannot be changed: while all are looked at, also of those that nobody is to get now."""
        guild_id, names = drawn.guild_id, drawn.names
        blocked = {role_id: block for plan in drawn.plans for role_id, block in blocked_roles(plan).items()}
        blocked |= drawn.blocked if is_everyone else {}
        for role_id, block in blocked.items():
            text = f"I cannot change the role **{names.role(role_id)}**: {say_block(block)}"
            await self._herald.tell_admin(guild_id, trouble_key(role_id), text)
        for rule in await self._storage.rules.list_guild(guild_id) if is_everyone else ():
            if rule.role_id not in blocked:
                text = f"I can change the role **{names.role(rule.role_id)}** again"
                await self._herald.over(guild_id, trouble_key(rule.role_id), text)
