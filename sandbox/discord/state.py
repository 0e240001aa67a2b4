"""The world of the stand-in Discord, and the builders that a world file or a test fills it with.

Builders change the state in silence; what happens while the stand-in runs goes through `changes.py`, which also tells
the gateway and the audit log.
"""

import secrets
from datetime import datetime

from sandbox.clock import SandboxClock
from sandbox.discord import permissions
from sandbox.discord.model import (
    DM_CHANNEL,
    NO_ROLES,
    Application,
    AuditEntry,
    Channel,
    Guild,
    Json,
    Member,
    Message,
    Overwrite,
    Role,
    User,
)
from sandbox.discord.snowflakes import Snowflakes

__all__ = [
    "Application",
    "AuditEntry",
    "Channel",
    "DiscordState",
    "Guild",
    "Json",
    "Member",
    "Message",
    "Overwrite",
    "Role",
    "User",
]


class DiscordState:
    """Everything that the stand-in knows: one application with its bot, users, guilds, direct channels."""

    def __init__(
        self, application_name: str = "Pledgekeeper", *, clock: SandboxClock | None = None, seed: int = 0
    ) -> None:
        self.clock = clock or SandboxClock()
        self.ids = Snowflakes(seed)
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.dms: dict[str, Channel] = {}
        self.intents_allowed: set[str] = {"members"}
        developer = self.add_user("developer")
        self.application = Application(self.ids.seeded(), application_name, developer)
        self.bot = User(self.application.id, application_name, is_bot=True)
        self.users[self.bot.id] = self.bot
        self.bot_token = fresh_bot_token()

    def add_user(self, username: str, display_name: str | None = None, *, dms_open: bool = True) -> User:
        """Add a person with an account."""
        user = User(self.ids.seeded(), username, display_name, dms_open=dms_open)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner_username: str = "owner", *, with_bot: bool = True) -> Guild:
        """Add a server with its owner, @everyone, a first text channel, and (unless told) the bot."""
        owner = self.add_user(owner_username)
        guild = Guild(self.ids.seeded(), name, owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", permissions.EVERYONE_DEFAULT, position=0)
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        self.add_channel(guild, "general")
        if with_bot:
            self.add_bot(guild)
        return guild

    def add_bot(self, guild: Guild, bits: int = permissions.BOT_DEFAULT) -> Member:
        """Invite the bot: it comes with a managed role of its own, above nothing but @everyone."""
        role = Role(self.ids.seeded(), self.bot.username, bits, managed=True, tags={"bot_id": self.bot.id})
        guild.roles[role.id] = role
        return self.add_member(guild, self.bot, roles=[role])

    def add_member(
        self,
        guild: Guild,
        user: User,
        roles: "list[Role] | tuple[Role, ...]" = (),
        *,
        joined_at: datetime | None = None,
        pending: bool = False,
    ) -> Member:
        """Let `user` be a member of `guild`, from now on or since `joined_at`."""
        role_ids = frozenset(role.id for role in roles) if roles else NO_ROLES
        member = Member(user, joined_at or self.clock.now(), role_ids, pending=pending)
        guild.add(member)
        return member

    def add_role(
        self,
        guild: Guild,
        name: str,
        *,
        colour: int = 0,
        permissions: int = 0,
        managed: bool = False,
        position: int | None = None,
    ) -> Role:
        """Add a role: at `position` as it stands (equal ones are allowed), else right below the bot's own role."""
        if position is None:
            position = self._make_room_below_bot(guild)
        tags: Json = {"integration_id": self.ids.seeded()} if managed else {}
        role = Role(self.ids.seeded(), name, permissions, position, colour=colour, managed=managed, tags=tags)
        guild.roles[role.id] = role
        return role

    def _make_room_below_bot(self, guild: Guild) -> int:
        own = self.bot_role(guild)
        if own is None:
            return 1 + max(role.position for role in guild.roles.values())
        place = own.position
        for role in guild.roles.values():
            role.position += role.position >= place
        return place

    def add_channel(self, guild: Guild, name: str) -> Channel:
        """Add a text channel; the first one is where the server's system messages go."""
        channel = Channel(self.ids.seeded(), name, guild_id=guild.id, position=len(guild.channels))
        guild.channels[channel.id] = self.channels[channel.id] = channel
        guild.system_channel_id = guild.system_channel_id or channel.id
        return channel

    def deny(self, channel: Channel, role_or_member_id: str, bits: int) -> None:
        """Deny permissions in one channel to a role (or a member)."""
        is_member = role_or_member_id in self.users
        channel.overwrites[role_or_member_id] = Overwrite(role_or_member_id, deny=bits, is_member=is_member)

    def dm_channel(self, user: User) -> Channel:
        """Return the direct channel between the bot and `user`, opening it if there is none yet."""
        if user.id not in self.dms:
            channel = Channel(self.ids.seeded(), kind=DM_CHANNEL, recipient_id=user.id)
            self.dms[user.id] = self.channels[channel.id] = channel
        return self.dms[user.id]

    def bot_role(self, guild: Guild) -> Role | None:
        """Return the bot's own managed role in `guild`."""
        return next((r for r in guild.roles.values() if r.tags.get("bot_id") == self.bot.id), None)

    def bot_guilds(self) -> list[Guild]:
        """Return the servers that the bot is in."""
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def share_a_guild(self, user: User) -> bool:
        """Tell whether the bot and `user` are in one server together."""
        return any(user.id in guild.members for guild in self.bot_guilds())

    def guild_of_role(self, role_id: str) -> Guild | None:
        """Return the server that has this role."""
        return next((guild for guild in self.guilds.values() if role_id in guild.roles), None)


def fresh_bot_token() -> str:
    """Return a bot token that has never been used; three parts, as Discord's have."""
    return ".".join(secrets.token_urlsafe(size) for size in (18, 4, 27))
