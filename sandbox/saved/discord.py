"""The Discord half of a saved world."""

from datetime import datetime

import msgspec

from sandbox.clock import SandboxClock
from sandbox.discord.model import DEFAULT_LOCALE, NO_ROLES, Application, Channel, Guild, Member, Overwrite, Role, User
from sandbox.discord.state import DiscordState


class SavedMember(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A member, by their user's id."""

    user: str
    joined_at: datetime
    roles: list[str] = []
    nick: str | None = None
    pending: bool = False
    flags: int = 0


class SavedChannel(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A text channel without its messages."""

    id: str
    name: str
    position: int = 0
    topic: str | None = None
    overwrites: list[Overwrite] = []


class SavedGuild(msgspec.Struct, kw_only=True):
    """A server."""

    id: str
    name: str
    owner_id: str
    system_channel_id: str | None
    requires_2fa: bool
    roles: list[Role]
    channels: list[SavedChannel]
    members: list[SavedMember]
    preferred_locale: str = DEFAULT_LOCALE


class SavedDiscord(msgspec.Struct, kw_only=True):
    """All of Discord; the application's own user is the bot."""

    application_id: str
    application_name: str
    developer_id: str
    intents_allowed: list[str]
    users: list[User]
    guilds: list[SavedGuild]


def save_discord(state: DiscordState) -> SavedDiscord:
    """Return what is kept of the state."""
    application = state.application
    return SavedDiscord(
        application_id=application.id,
        application_name=application.name,
        developer_id=application.owner.id,
        intents_allowed=sorted(state.intents_allowed),
        users=list(state.users.values()),
        guilds=[_save_guild(guild) for guild in state.guilds.values()],
    )


def _save_guild(guild: Guild) -> SavedGuild:
    return SavedGuild(
        id=guild.id,
        name=guild.name,
        owner_id=guild.owner_id,
        system_channel_id=guild.system_channel_id,
        requires_2fa=guild.requires_2fa,
        roles=list(guild.roles.values()),
        channels=[
            SavedChannel(
                id=one.id,
                name=one.name,
                position=one.position,
                topic=one.topic,
                overwrites=list(one.overwrites.values()),
            )
            for one in guild.channels.values()
        ],
        members=[_save_member(member) for member in guild.members.values()],
        preferred_locale=guild.preferred_locale,
    )


def _save_member(member: Member) -> SavedMember:
    return SavedMember(
        user=member.id,
        joined_at=member.joined_at,
        roles=sorted(member.role_ids, key=int),
        nick=member.nick,
        pending=member.pending,
        flags=member.flags,
    )


def load_discord(saved: SavedDiscord, clock: SandboxClock) -> DiscordState:
    """Return a state in which everybody is as they were. Raises KeyError for an id that is nowhere."""
    state = DiscordState(saved.application_name, clock=clock)
    state.users = {user.id: user for user in saved.users}
    developer = state.users[saved.developer_id]
    state.application = Application(saved.application_id, saved.application_name, developer)
    state.bot = state.users[saved.application_id]
    state.intents_allowed = set(saved.intents_allowed)
    for guild in saved.guilds:
        _load_guild(state, guild)
    known = [*state.users, *state.guilds, *state.channels, *(r for g in state.guilds.values() for r in g.roles)]
    state.ids.go_beyond(max(known, key=int))
    return state


def _load_guild(state: DiscordState, saved: SavedGuild) -> None:
    state.users[saved.owner_id]  # a server without its owner would fail far from here
    guild = Guild(saved.id, saved.name, saved.owner_id, requires_2fa=saved.requires_2fa)
    guild.system_channel_id = saved.system_channel_id
    guild.preferred_locale = saved.preferred_locale
    guild.roles = {role.id: role for role in saved.roles}
    for one in saved.channels:
        overwrites = {overwrite.id: overwrite for overwrite in one.overwrites}
        channel = Channel(one.id, one.name, guild_id=guild.id, position=one.position, topic=one.topic)
        channel.overwrites = overwrites
        guild.channels[one.id] = state.channels[one.id] = channel
    for person in saved.members:
        guild.members[person.user] = _load_member(state, guild, person)
    state.guilds[guild.id] = guild


def _load_member(state: DiscordState, guild: Guild, saved: SavedMember) -> Member:
    role_ids = frozenset(guild.roles[role_id].id for role_id in saved.roles) or NO_ROLES
    user = state.users[saved.user]
    return Member(user, saved.joined_at, role_ids, saved.nick, pending=saved.pending, flags=saved.flags)
