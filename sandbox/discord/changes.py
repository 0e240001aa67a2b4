"""Each thing that can change while the stand-in runs, in one place: state, audit log, gateway event, live update.

Whether someone may do it is asked before, by the REST routes for the bot and by `people.py` for a person.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.discord import intents
from sandbox.discord.gateway import Gateway
from sandbox.discord.model import DM_CHANNEL
from sandbox.discord.objects import (
    audit_json,
    channel_json,
    guild_create_json,
    guild_json,
    member_facts,
    member_json,
    message_json,
    role_json,
    user_json,
)
from sandbox.discord.permissions import VIEW_AUDIT_LOG, guild_permissions
from sandbox.discord.state import AuditEntry, Channel, DiscordState, Guild, Json, Member, Message, Role, User

GUILD_UPDATED = 1
CHANNEL_CREATED, CHANNEL_UPDATED, CHANNEL_DELETED = 10, 11, 12
MEMBER_KICKED, MEMBER_UPDATED, MEMBER_ROLES_UPDATED, BOT_ADDED = 20, 24, 25, 28
ROLE_CREATED, ROLE_UPDATED, ROLE_DELETED = 30, 31, 32


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, and the reason they give the audit log."""

    user_id: str
    reason: str | None = None


class Changes:
    """Changes the world and tells everyone whom Discord would tell."""

    def __init__(self, state: DiscordState, gateway: Gateway) -> None:
        self.state = state
        self.gateway = gateway
        self._watchers: list[Callable[[], None]] = []
        self._guild_watchers: list[Callable[[Guild, Member | None], None]] = []

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher()` after each change."""
        self._watchers.append(watcher)

    def on_guild_change(self, watcher: Callable[[Guild, Member | None], None]) -> None:
        """Call `watcher(guild, member)` when a member came, went or changed; no member means the guild's roles."""
        self._guild_watchers.append(watcher)

    def _touched(self, guild: Guild, member: Member | None = None) -> None:
        for watcher in self._guild_watchers:
            watcher(guild, member)
        self.announce()

    def announce(self) -> None:
        """Tell the watchers that something changed."""
        for watcher in self._watchers:
            watcher()

    def _audit(self, guild: Guild, actor: Actor, action: int, target_id: str, changes: list[Json]) -> None:
        entry_id = self.state.ids.at(self.state.clock.now())
        entry = AuditEntry(entry_id, action, actor.user_id, target_id, changes, actor.reason)
        guild.audit_log.append(entry)
        me = guild.members.get(self.state.bot.id)
        if me and guild_permissions(guild, me) & VIEW_AUDIT_LOG:
            told = audit_json(entry) | {"guild_id": guild.id}
            self.gateway.dispatch(
                "GUILD_AUDIT_LOG_ENTRY_CREATE", told, guild_id=guild.id, intent=intents.GUILD_MODERATION
            )

    def _tell_guild(self, guild: Guild, event: str, data: Json) -> None:
        self.gateway.dispatch(event, data | {"guild_id": guild.id}, guild_id=guild.id, intent=intents.GUILDS)

    def _tell_about_member(self, guild: Guild, event: str, member: Member, data: Json) -> None:
        intent = 0 if member.id == self.state.bot.id else intents.GUILD_MEMBERS
        self.gateway.dispatch(event, data | {"guild_id": guild.id}, guild_id=guild.id, intent=intent)

    # --- members

    def set_roles(self, guild: Guild, member: Member, role_ids: frozenset[str], actor: Actor) -> None:
        """Give a member exactly these roles; nothing happens where they have them."""
        added, removed = role_ids - member.role_ids, member.role_ids - role_ids
        if not added and not removed:
            return
        member.role_ids = role_ids
        changes = [
            {"key": key, "new_value": [{"id": r, "name": guild.roles[r].name} for r in sorted(ids)]}
            for key, ids in (("$add", added), ("$remove", removed))
            if ids
        ]
        self._audit(guild, actor, MEMBER_ROLES_UPDATED, member.id, changes)
        self._tell_about_member(guild, "GUILD_MEMBER_UPDATE", member, member_json(member))
        self._touched(guild, member)

    def update_member(self, guild: Guild, member: Member, actor: Actor, **new: object) -> None:
        """Change fields of a member."""
        changes = [{"key": k, "old_value": getattr(member, k), "new_value": v} for k, v in new.items()]
        for field, value in new.items():
            setattr(member, field, value)
        self._audit(guild, actor, MEMBER_UPDATED, member.id, changes)
        self._tell_about_member(guild, "GUILD_MEMBER_UPDATE", member, member_json(member))
        self._touched(guild, member)

    def join(self, guild: Guild, user: User, *, pending: bool = False) -> Member:
        """Let `user` come in, with no role."""
        member = self.state.add_member(guild, user, pending=pending)
        self._tell_about_member(guild, "GUILD_MEMBER_ADD", member, member_json(member))
        self._touched(guild, member)
        return member

    def leave(self, guild: Guild, member: Member, *, kicked_by: Actor | None = None) -> None:
        """Let a member go, with all their roles."""
        guild.remove(member.id)
        if kicked_by:
            self._audit(guild, kicked_by, MEMBER_KICKED, member.id, [])
        self._tell_about_member(guild, "GUILD_MEMBER_REMOVE", member, {"user": user_json(member.user)})
        self._touched(guild, member)

    # --- the bot in a guild

    def remove_bot(self, guild: Guild) -> None:
        """Take the bot out, and its own role with it."""
        self.gateway.dispatch("GUILD_DELETE", {"id": guild.id}, guild_id=guild.id, intent=intents.GUILDS)
        guild.remove(self.state.bot.id)
        own = self.state.bot_role(guild)
        if own:
            del guild.roles[own.id]
        self._touched(guild)

    def add_bot(self, guild: Guild, actor: Actor) -> None:
        """Invite the bot; its role stands at the bottom, as after a real invitation."""
        self.state.add_bot(guild)
        self._audit(guild, actor, BOT_ADDED, self.state.bot.id, [])
        created = guild_create_json(self.state, guild, large_threshold=50)
        self.gateway.dispatch("GUILD_CREATE", created, guild_id=guild.id, intent=intents.GUILDS)
        self._touched(guild)

    def set_outage(self, guild: Guild, *, is_out: bool) -> None:
        """Let a guild fall out of sight, or come back with all that happened meanwhile (docs, "Guild Delete")."""
        if is_out:
            gone = {"id": guild.id, "unavailable": True}
            self.gateway.dispatch("GUILD_DELETE", gone, guild_id=guild.id, intent=intents.GUILDS)
            guild.is_out = True
        elif guild.is_out:
            guild.is_out = False
            back = guild_create_json(self.state, guild, large_threshold=50) | {"unavailable": False}
            self.gateway.dispatch("GUILD_CREATE", back, guild_id=guild.id, intent=intents.GUILDS)
        self._touched(guild)

    def update_guild(self, guild: Guild, actor: Actor, **new: object) -> None:
        """Change fields of the guild itself."""
        changes = [{"key": k, "old_value": getattr(guild, k), "new_value": v} for k, v in new.items()]
        for field, value in new.items():
            setattr(guild, field, value)
        self._audit(guild, actor, GUILD_UPDATED, guild.id, changes)
        self.gateway.dispatch("GUILD_UPDATE", guild_json(guild), guild_id=guild.id, intent=intents.GUILDS)
        self.announce()

    # --- roles

    def create_role(self, guild: Guild, role: Role, actor: Actor) -> None:
        """Add a role."""
        guild.roles[role.id] = role
        self._audit(guild, actor, ROLE_CREATED, role.id, [{"key": "name", "new_value": role.name}])
        self._tell_guild(guild, "GUILD_ROLE_CREATE", {"role": role_json(role)})
        self._touched(guild)

    def update_role(self, guild: Guild, role: Role, actor: Actor, **new: object) -> None:
        """Change fields of a role."""
        changes = [{"key": k, "old_value": getattr(role, k), "new_value": v} for k, v in new.items()]
        for field, value in new.items():
            setattr(role, field, value)
        self._audit(guild, actor, ROLE_UPDATED, role.id, changes)
        self._tell_guild(guild, "GUILD_ROLE_UPDATE", {"role": role_json(role)})
        self._touched(guild)

    def delete_role(self, guild: Guild, role: Role, actor: Actor) -> None:
        """Delete a role; whoever had it has it no more, with no event for each (as Discord does)."""
        del guild.roles[role.id]
        for member in guild.members.values():
            if role.id in member.role_ids:
                member.role_ids -= {role.id}
        self._audit(guild, actor, ROLE_DELETED, role.id, [{"key": "name", "old_value": role.name}])
        self._tell_guild(guild, "GUILD_ROLE_DELETE", {"role_id": role.id})
        self._touched(guild)

    # --- channels

    def create_channel(self, guild: Guild, name: str, actor: Actor) -> Channel:
        """Add a text channel."""
        channel = self.state.add_channel(guild, name)
        self._audit(guild, actor, CHANNEL_CREATED, channel.id, [{"key": "name", "new_value": name}])
        self._tell_guild(guild, "CHANNEL_CREATE", channel_json(self.state, channel))
        self.announce()
        return channel

    def update_channel(self, guild: Guild, channel: Channel, actor: Actor, **new: object) -> None:
        """Change fields of a channel."""
        for field, value in new.items():
            setattr(channel, field, value)
        self._audit(guild, actor, CHANNEL_UPDATED, channel.id, [{"key": key} for key in new])
        self._tell_guild(guild, "CHANNEL_UPDATE", channel_json(self.state, channel))
        self.announce()

    def delete_channel(self, guild: Guild, channel: Channel, actor: Actor) -> None:
        """Delete a channel with its messages."""
        del guild.channels[channel.id], self.state.channels[channel.id]
        if guild.system_channel_id == channel.id:
            guild.system_channel_id = None
        self._audit(guild, actor, CHANNEL_DELETED, channel.id, [{"key": "name", "old_value": channel.name}])
        self._tell_guild(guild, "CHANNEL_DELETE", channel_json(self.state, channel))
        self.announce()

    # --- messages

    def post(self, channel: Channel, message: Message) -> None:
        """Let a message appear."""
        channel.messages[message.id] = message
        self._tell_of_message("MESSAGE_CREATE", channel, message)

    def message_changed(self, channel: Channel, message: Message) -> None:
        """Tell that a message was edited."""
        self._tell_of_message("MESSAGE_UPDATE", channel, message)

    def delete_message(self, channel: Channel, message: Message) -> None:
        """Let a message disappear."""
        del channel.messages[message.id]
        data = {"id": message.id, "channel_id": channel.id}
        self._dispatch_message("MESSAGE_DELETE", channel, message, data)

    def _tell_of_message(self, event: str, channel: Channel, message: Message) -> None:
        data = message_json(self.state, message)
        if channel.guild_id:
            author = self.state.guilds[channel.guild_id].members.get(message.author_id)
            data |= {"member": member_facts(author)} if author else {}
        self._dispatch_message(event, channel, message, data)

    def _dispatch_message(self, event: str, channel: Channel, message: Message, data: Json) -> None:
        if not message.ephemeral:
            intent = intents.DIRECT_MESSAGES if channel.kind == DM_CHANNEL else intents.GUILD_MESSAGES
            data = data | ({"guild_id": channel.guild_id} if channel.guild_id else {})
            self.gateway.dispatch(event, data, guild_id=channel.guild_id, intent=intent)
        self.announce()
