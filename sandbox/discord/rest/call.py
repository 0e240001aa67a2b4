"""One REST request, read and authorised, and the look-ups that every resource shares.

Each look-up refuses as Discord does: what does not exist, then what the bot may not see, then what it may not do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord import permissions
from sandbox.discord.backend import Backend
from sandbox.discord.changes import Actor
from sandbox.discord.errors import invalid, refusal
from sandbox.discord.model import DEFAULT_LOCALE, DM_CHANNEL, Json
from sandbox.discord.state import Channel, DiscordState, Guild, Member, Role, User


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with a status other than 200."""

    status: int
    body: Any = None


@dataclass(slots=True)
class ApiCall:
    """What a handler is given; it answers JSON, None for 204, or an Answer."""

    backend: Backend
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    files: list[Json] = field(default_factory=list)
    reason: str | None = None
    locale: str = DEFAULT_LOCALE

    @property
    def state(self) -> DiscordState:
        return self.backend.state

    @property
    def actor(self) -> Actor:
        return Actor(self.state.bot.id, self.reason)

    def id(self, name: str) -> str:
        """Return an id from the path; it must be a number."""
        return snowflake(self.path[name], name)

    def form(self) -> Json:
        """Return the body, which must be an object."""
        if not isinstance(self.body, dict):
            raise invalid("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return self.body

    def flag(self, name: str) -> bool:
        """Return a yes or no from the query."""
        return self.query.get(name) in ("1", "true", "True")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a number from the query, between `low` and `high`."""
        raw = self.query.get(name, str(default))
        if not raw.isdecimal():
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{raw}" is not int.')
        if not low <= int(raw) <= high:
            wrong = "less" if int(raw) > high else "greater"
            bound = high if int(raw) > high else low
            code = "NUMBER_TYPE_MAX" if int(raw) > high else "NUMBER_TYPE_MIN"
            raise invalid(name, code, f"int value should be {wrong} than or equal to {bound}.")
        return int(raw)

    def guild(self) -> Guild:
        """Return the guild of the path, which the bot must be in."""
        guild = self.state.guilds.get(self.id("g"))
        if guild is None:
            raise refusal(10004)
        if self.state.bot.id not in guild.members:
            raise refusal(50001)
        return guild

    def guild_where(self, bits: int) -> Guild:
        """Return the guild of the path, where the bot must have these permissions."""
        guild = self.guild()
        if permissions.guild_permissions(guild, self.me(guild)) & bits != bits:
            raise refusal(50013)
        if bits & permissions.NEEDS_2FA and guild.requires_2fa and not self.state.application.owner_has_2fa:
            raise refusal(60003)
        return guild

    def me(self, guild: Guild) -> Member:
        return guild.members[self.state.bot.id]

    def user(self) -> User:
        user = self.state.users.get(self.id("u"))
        if user is None:
            raise refusal(10013)
        return user

    def member(self, guild: Guild) -> Member:
        member = guild.members.get(self.user().id)
        if member is None:
            raise refusal(10007)
        return member

    def role(self, guild: Guild) -> Role:
        role = guild.roles.get(self.id("r"))
        if role is None:
            raise refusal(10011)
        return role

    def role_below_me(self, guild: Guild, role: Role) -> Role:
        """Return `role` if it stands below the bot's highest one."""
        if not permissions.outranks(guild, self.me(guild), role):
            raise refusal(50013)
        return role

    def channel(self) -> Channel:
        """Return the channel of the path, which the bot must be able to see."""
        channel = self.state.channels.get(self.id("c"))
        if channel is None:
            raise refusal(10003)
        if channel.kind != DM_CHANNEL and not self.allowed_in(channel) & permissions.VIEW_CHANNEL:
            raise refusal(50001)
        return channel

    def allowed_in(self, channel: Channel) -> int:
        """Return what the bot may do in a guild's channel."""
        guild = self.state.guilds[channel.guild_id or ""]
        me = guild.members.get(self.state.bot.id)
        return permissions.channel_permissions(guild, me, channel) if me else 0


def snowflake(raw: object, path: str) -> str:
    """Return an id as the text that we keep; it comes as a number or a text of one."""
    if isinstance(raw, (int, str)) and not isinstance(raw, bool) and str(raw).isdecimal():
        return str(int(raw))
    raise invalid(path, "NUMBER_TYPE_COERCE", f'Value "{raw}" is not snowflake.')


Handler = Callable[[ApiCall], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A served route. `top` is the path's name for the id that its bucket hangs on (docs, "Rate Limits")."""

    method: str
    template: str
    handler: Handler
    bucket: str = "other"

    @property
    def top(self) -> tuple[str, ...]:
        return tuple(name for name in ("g", "c", "a", "i", "t") if f"{{{name}}}" in self.template)[:2]

    @property
    def needs_token(self) -> bool:
        return not self.template.startswith(("/interactions", "/webhooks")) and self.template != "/gateway"
