"""What a person does in Discord's client: uses commands and buttons, gives roles by hand, joins, leaves.

Refusals are `ActionError`s with words that a person understands. Ids may come as numbers or texts.
"""

from collections.abc import Iterable
from typing import Any

from sandbox.discord import interaction, permissions
from sandbox.discord.backend import Backend
from sandbox.discord.changes import Actor
from sandbox.discord.errors import ActionError
from sandbox.discord.forms import components
from sandbox.discord.interaction import Interaction
from sandbox.discord.invocations import Place, Typed, offered_commands, pressed
from sandbox.discord.locales import LOCALES
from sandbox.discord.modals import submitted
from sandbox.discord.model import DM_CHANNEL
from sandbox.discord.state import Channel, Guild, Json, Member, Message, Role, User

Id = str | int
PATREONS_BOT = "216303189073461248"  # Patreon's own bot has one account everywhere


class People(Backend):
    """The acts of people upon the world."""

    # --- commands, components, modals

    def commands(self) -> list[Json]:
        """Return the registered commands, global ones first, as Discord lists them."""
        application = self.state.application
        by_guild = [c for commands in application.guild_commands.values() for c in commands.values()]
        return [*application.commands.values(), *by_guild]

    def commands_for(self, user_id: Id, channel_id: Id | None = None) -> list[Json]:
        """Return the slash commands that this person is offered; none where they or the bot are not."""
        try:
            return offered_commands(self._place(user_id, channel_id))
        except ActionError:
            return []

    async def run_command(
        self, user_id: Id, path: str, options: Json | None = None, *, channel_id: Id | None = None
    ) -> Interaction:
        """Run a slash command ("patreon rule add") as a person; `channel_id` may be "dm"."""
        place = self._place(user_id, channel_id)
        typed = Typed(place, path, options or {})
        kind = interaction.COMMAND
        return self.interactions.open(kind, place.user, place.channel, data=typed.data)

    async def autocomplete(
        self, user_id: Id, path: str, options: Json, focused: str, *, channel_id: Id | None = None
    ) -> list[Json]:
        """Return what the bot suggests for the option `focused`."""
        place = self._place(user_id, channel_id)
        typed = Typed(place, path, options, focused=focused)
        kind = interaction.AUTOCOMPLETE
        asked = self.interactions.open(kind, place.user, place.channel, data=typed.data)
        if not await asked.answered(self.interactions.response_seconds + 1):
            raise ActionError("loading options failed: the application did not respond")
        return asked.choices

    async def press(self, user_id: Id, message_id: Id, custom_id: str, values: Iterable[Id] = ()) -> Interaction:
        """Press a button, or choose `values` in a menu, of a message that this person can see."""
        user = self._user(user_id)
        message = next((m for m in self.messages_for(user.id) if m.id == str(message_id)), None)
        if message is None:
            raise ActionError("this person cannot see that message")
        component = components.find(message.components, custom_id)
        if component is None:
            raise ActionError(f"that message has no component {custom_id}")
        channel = self.state.channels[message.channel_id]
        data = pressed(Place(self.state, user, channel), component, [str(value) for value in values])
        return self.interactions.open(interaction.COMPONENT, user, channel, data=data, source=message)

    async def submit_modal(self, user_id: Id, interaction_id: Id, fields: Json) -> Interaction:
        """Fill in and send the modal that answered an interaction of this person."""
        opener = self.interactions.by_id.get(str(interaction_id))
        if opener is None or opener.modal is None or opener.user_id != str(user_id):
            raise ActionError("no modal is open here for this person")
        if opener.modal_sent is not None and opener.modal_sent.state != "failed":
            raise ActionError("this modal was sent already")
        user, channel = self._user(user_id), self.state.channels[opener.channel_id]
        data = submitted(Place(self.state, user, channel), opener.modal, fields)
        opener.modal_sent = self.interactions.open(
            interaction.MODAL, user, channel, data=data, source=opener.source, opener=opener
        )
        return opener.modal_sent

    def messages_for(self, user_id: Id) -> list[Message]:
        """Return what this person can see, oldest first: their channels, their direct messages, replies to them."""
        user = self._user(user_id)
        seen = [m for c in self._visible_channels(user) for m in c.messages.values()]
        shown = [m for m in seen if not m.ephemeral or m.only_for == user.id]
        return sorted(shown, key=lambda message: int(message.id))

    def _visible_channels(self, user: User) -> list[Channel]:
        own = self.state.dms.get(user.id)
        visible = [own] if own else []
        for guild in self.state.guilds.values():
            member = guild.members.get(user.id)
            if member:
                visible += [c for c in guild.channels.values() if can_see(guild, member, c)]
        return visible

    def _place(self, user_id: Id, channel_id: Id | None) -> Place:
        user = self._user(user_id)
        if channel_id == "dm":
            return Place(self.state, user, self.state.dm_channel(user))
        if channel_id is None:
            channel = next((c for c in self._visible_channels(user) if c.kind != DM_CHANNEL), None)
        else:
            channel = next((c for c in self._visible_channels(user) if c.id == str(channel_id)), None)
        if channel is None:
            raise ActionError("this person sees no such channel")
        return Place(self.state, user, channel)

    # --- members

    def give_role(self, user_id: Id, role_id: Id, guild_id: Id | None = None) -> None:
        """Give a role by hand, as the server's owner."""
        guild, member, role = self._member_and_role(user_id, role_id, guild_id)
        self.changes.set_roles(guild, member, member.role_ids | {role.id}, Actor(guild.owner_id))

    def take_role(self, user_id: Id, role_id: Id, guild_id: Id | None = None) -> None:
        """Take a role away by hand, as the server's owner."""
        guild, member, role = self._member_and_role(user_id, role_id, guild_id)
        self.changes.set_roles(guild, member, member.role_ids - {role.id}, Actor(guild.owner_id))

    def _member_and_role(self, user_id: Id, role_id: Id, guild_id: Id | None) -> tuple[Guild, Member, Role]:
        guild, role = self._role(role_id)
        if role.managed or role.id == guild.id or (guild_id is not None and guild.id != str(guild_id)):
            raise ActionError(f"the role {role.name} cannot be given or taken by hand here")
        return guild, self._member(guild, user_id), role

    def join(self, user_id: Id, guild_id: Id | None = None, *, pending: bool = False) -> None:
        """Let a person join a server; `pending` until they pass its screening."""
        guild, user = self._guild(guild_id), self._user(user_id)
        if user.id in guild.members:
            raise ActionError(f"{user.username} is in {guild.name} already")
        self.changes.join(guild, user, pending=pending)

    def leave(self, user_id: Id, guild_id: Id | None = None) -> None:
        """Let a person leave a server."""
        guild = self._guild(guild_id)
        member = self._member(guild, user_id)
        if member.id in (guild.owner_id, self.state.bot.id):
            raise ActionError(f"{member.user.username} cannot leave {guild.name} like this")
        self.changes.leave(guild, member)

    def finish_screening(self, user_id: Id, guild_id: Id | None = None) -> None:
        """Let a member accept the server's rules."""
        guild = self._guild(guild_id)
        member = self._member(guild, user_id)
        if not member.pending:
            raise ActionError(f"{member.user.username} has passed the screening already")
        self.changes.update_member(guild, member, Actor(member.id), pending=False)

    def set_dms(self, user_id: Id, *, is_open: bool) -> None:
        """Let a person open or close their direct messages."""
        self._user(user_id).dms_open = is_open
        self.changes.announce()

    # --- languages

    def set_locale(self, user_id: Id, locale: str) -> None:
        """Choose the language in a person's user settings."""
        self._user(user_id).locale = _known(locale)
        self.changes.announce()

    def set_preferred_locale(self, locale: str, guild_id: Id | None = None) -> None:
        """Choose a server's language, as its owner."""
        guild = self._guild(guild_id)
        self.changes.update_guild(guild, Actor(guild.owner_id), preferred_locale=_known(locale))

    # --- roles and the bot

    def create_role(
        self,
        name: str,
        guild_id: Id | None = None,
        *,
        colour: int = 0,
        permissions: int = 0,
        position: int = 1,
        managed: bool = False,
    ) -> Role:
        """Make a role, as the server's owner; `managed` as an integration would."""
        guild = self._guild(guild_id)
        tags = {"integration_id": self.state.ids.seeded()} if managed else {}
        role_id = self.state.ids.seeded()
        role = Role(role_id, name, permissions, position, colour=colour, managed=managed, tags=tags)
        self.changes.create_role(guild, role, Actor(guild.owner_id))
        return role

    def edit_role(self, role_id: Id, **changes: Any) -> None:
        """Change name, colour, permissions, hoist or mentionable of a role."""
        guild, role = self._role(role_id)
        unknown = set(changes) - {"name", "colour", "permissions", "hoist", "mentionable", "managed"}
        if unknown:
            raise ActionError(f"a role has no {', '.join(sorted(unknown))} to change")
        self.changes.update_role(guild, role, Actor(guild.owner_id), **changes)

    def move_role(self, role_id: Id, position: int) -> None:
        """Put a role at `position`, as it stands: two roles may share one."""
        guild, role = self._role(role_id)
        if role.id == guild.id or position < 1:
            raise ActionError("@everyone stays at the bottom, all others above it")
        self.changes.update_role(guild, role, Actor(guild.owner_id), position=position)

    def delete_role(self, role_id: Id) -> None:
        """Delete a role."""
        guild, role = self._role(role_id)
        if role.managed or role.id == guild.id:
            raise ActionError(f"the role {role.name} cannot be deleted")
        self.changes.delete_role(guild, role, Actor(guild.owner_id))

    def set_bot_permissions(self, bits: int, guild_id: Id | None = None) -> None:
        """Set what the bot's own role may do."""
        guild = self._guild(guild_id)
        role = self.state.bot_role(guild)
        if role is None:
            raise ActionError(f"the bot is not in {guild.name}")
        self.changes.update_role(guild, role, Actor(guild.owner_id), permissions=bits)

    def set_2fa(self, guild_id: Id | None = None, *, is_required: bool, owner_has_it: bool) -> None:
        """Set whether a server asks its moderators for two-factor authentication, and whether the bot's owner has it.

        No event tells the bot of the latter (Discord docs, "Guild MFA Level"; DiscordSRV #852).
        """
        guild = self._guild(guild_id)
        self.state.application.owner_has_2fa = owner_has_it
        if guild.requires_2fa is not is_required:
            self.changes.update_guild(guild, Actor(guild.owner_id), requires_2fa=is_required)

    def add_patreons_bot(self, guild_id: Id | None = None, *, position: int | None = None) -> Role:
        """Invite Patreon's own bot. Its role stands right below ours, or at `position`: an owner has moved it."""
        guild = self._guild(guild_id)
        user = self.state.users.setdefault(PATREONS_BOT, User(PATREONS_BOT, "Patreon", is_bot=True))
        if user.id in guild.members:
            raise ActionError(f"Patreon's bot is in {guild.name} already")
        ours = self.state.bot_role(guild)
        if position is None:
            position = 1 if ours is None else ours.position  # of two at one position the later one ranks lower
        tags = {"bot_id": user.id}
        role = Role(self.state.ids.seeded(), user.username, permissions.MANAGE_ROLES, position, managed=True, tags=tags)
        self.changes.create_role(guild, role, Actor(guild.owner_id))
        member = self.changes.join(guild, user)
        self.changes.set_roles(guild, member, frozenset({role.id}), Actor(guild.owner_id))
        return role

    def kick_patreons_bot(self, guild_id: Id | None = None) -> None:
        """Throw Patreon's own bot out; its role goes with it."""
        guild = self._guild(guild_id)
        member = self._member(guild, PATREONS_BOT)
        (role,) = [guild.roles[role_id] for role_id in member.role_ids]
        self.changes.leave(guild, member, kicked_by=Actor(guild.owner_id))
        self.changes.delete_role(guild, role, Actor(guild.owner_id))

    def set_outage(self, guild_id: Id | None = None, *, is_out: bool) -> None:
        """Let a server be out of sight at Discord for a while, for everybody."""
        self.changes.set_outage(self._guild(guild_id), is_out=is_out)

    def kick_bot(self, guild_id: Id | None = None) -> None:
        """Throw the bot out of a server."""
        guild = self._guild(guild_id)
        if self.state.bot.id not in guild.members:
            raise ActionError(f"the bot is not in {guild.name}")
        self.changes.remove_bot(guild)

    def add_bot(self, guild_id: Id | None = None) -> None:
        """Invite the bot; its role begins at the bottom."""
        guild = self._guild(guild_id)
        if self.state.bot.id in guild.members:
            raise ActionError(f"the bot is in {guild.name} already")
        self.changes.add_bot(guild, Actor(guild.owner_id))

    # --- look-ups

    def _user(self, user_id: Id) -> User:
        if str(user_id) not in self.state.users:
            raise ActionError(f"there is no user {user_id}")
        return self.state.users[str(user_id)]

    def _guild(self, guild_id: Id | None) -> Guild:
        guilds = self.state.guilds
        found = next(iter(guilds.values()), None) if guild_id is None else guilds.get(str(guild_id))
        if found is None:
            raise ActionError(f"there is no server {guild_id or ''}".rstrip())
        return found

    def _member(self, guild: Guild, user_id: Id) -> Member:
        user = self._user(user_id)
        if user.id not in guild.members:
            raise ActionError(f"{user.username} is not in {guild.name}")
        return guild.members[user.id]

    def _role(self, role_id: Id) -> tuple[Guild, Role]:
        guild = self.state.guild_of_role(str(role_id))
        if guild is None:
            raise ActionError(f"there is no role {role_id}")
        return guild, guild.roles[str(role_id)]


def _known(locale: str) -> str:
    if locale not in LOCALES:
        raise ActionError(f"Discord has no language {locale}; it has {', '.join(LOCALES)}")
    return locale


def can_see(guild: Guild, member: Member, channel: Channel) -> bool:
    """Tell whether `member` sees `channel`."""
    return bool(permissions.channel_permissions(guild, member, channel) & permissions.VIEW_CHANNEL)
