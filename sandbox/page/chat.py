"""The page's first pane: Discord as one person sees it. Reads only."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from sandbox.discord import Interaction, permissions
from sandbox.discord.model import Channel, Guild, Json, Member, Message, Role, User
from sandbox.page.address import Address
from sandbox.page.body import OPTION_PREFIX
from sandbox.page.commands import Runnable, runnables
from sandbox.page.guide import admin_of
from sandbox.page.parts import Parts
from sandbox.page.roster import Group, Roster

NO_COLOUR = 0x7B828C
MESSAGES_SHOWN = 50
MEMBERS_SHOWN = 25
"""Of each group, in a server with more than CROWD members; the rest are found by name or page by page."""
CROWD = 100
DIRECT = "dm"


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A channel that can be looked at."""

    key: str
    name: str
    count: int
    is_current: bool


class ChatPane:
    """Servers, channels, messages, members, and the command being typed."""

    def __init__(self, parts: Parts, asked: Mapping[str, str]) -> None:
        self._parts = parts
        self._asked = asked
        self._state = parts.discord.state
        self.guild: Guild = self._state.guilds.get(asked.get("guild", ""), parts.world.guild)
        self.address = Address(asked)

    @property
    def guilds(self) -> list[Guild]:
        return list(self._state.guilds.values())

    @property
    def is_crowd(self) -> bool:
        """Tell whether there are too many people to list them all."""
        return len(self._state.users) > CROWD

    # --- who looks

    @cached_property
    def people(self) -> list[User]:
        """Those whom a person can act as: all users but bots, in the server or not; of a crowd, the first and me."""
        unseen = self._state.application.owner
        users = (user for user in self._state.users.values() if not user.is_bot and user is not unseen)
        if not self.is_crowd:
            return list(users)
        first = list(islice(users, CROWD))
        return first if self.me in first else [self.me, *first]

    @cached_property
    def me(self) -> User:
        return self._state.users.get(self._asked.get("me", "")) or self._state.users[admin_of(self.guild)]

    def label(self, user: User) -> str:
        """Name someone for the list of people, with what sets them apart."""
        member = self.guild.members.get(user.id)
        if member is None:
            mark = "not in the server"
        elif user.id == self.guild.owner_id:
            mark = "owner"
        elif permissions.is_admin(self.guild, member):
            mark = "admin"
        else:
            mark = ""
        return f"{user.display_name or user.username}{f' ({mark})' if mark else ''}"

    # --- channels and messages

    @cached_property
    def seen(self) -> list[Message]:
        return self._parts.discord.messages_for(self.me.id)

    @cached_property
    def dm_id(self) -> str:
        channel = self._state.dms.get(self.me.id)
        return channel.id if channel else ""

    @property
    def channel_key(self) -> str:
        asked = self._asked.get("channel", "")
        return asked if asked == DIRECT or asked in self.guild.channels else next(iter(self.guild.channels), DIRECT)

    @cached_property
    def tabs(self) -> list[Tab]:
        """The server's channels, then the direct messages."""
        places = [(channel.id, channel.name, channel.id) for channel in self.guild.channels.values()]
        places.append((DIRECT, "Direct messages", self.dm_id))
        return [
            Tab(
                key=key,
                name=name,
                count=sum(message.channel_id == channel_id for message in self.seen),
                is_current=key == self.channel_key,
            )
            for key, name, channel_id in places
        ]

    @property
    def current_tab(self) -> Tab:
        return next(tab for tab in self.tabs if tab.is_current)

    @property
    def messages(self) -> list[Message]:
        wanted = self.dm_id if self.channel_key == DIRECT else self.channel_key
        return [message for message in self.seen if message.channel_id == wanted][-MESSAGES_SHOWN:]

    def author(self, message: Message) -> User:
        return self._state.users[message.author_id]

    def picture(self, file: Json) -> str:
        """Return a file as an address that the page may show, if it is a picture; else nothing."""
        kept = self._parts.discord.files.picture(file["id"])
        return "" if kept is None else f"data:{kept[0]};base64,{b64encode(kept[1]).decode()}"

    def asked_by(self, message: Message) -> str:
        """Say what a message answers: who ran which command; nothing for other messages."""
        begun = self._parts.discord.interactions.by_id.get(str((message.interaction or {}).get("id")))
        if begun is None or not begun.name.startswith("/"):
            return ""
        return f"{self.name_of('@', begun.user_id)} used {begun.name}"

    # --- the command being typed

    @cached_property
    def commands(self) -> list[Runnable]:
        """What the one who looks is offered; from the direct messages, a command goes to the server."""
        place = None if self.channel_key == DIRECT else self.channel_key
        return runnables(self._parts.discord.commands_for(self.me.id, place), self.me.locale)

    @property
    def command(self) -> Runnable | None:
        return next((command for command in self.commands if command.path == self._asked.get("command")), None)

    def prefilled(self, option: str) -> str:
        """Return what the address says that an option begins with."""
        return self._asked.get(OPTION_PREFIX + option, "")

    @property
    def modal(self) -> Interaction | None:
        return self._parts.open_modals.get(self.me.id)

    # --- members and roles

    @cached_property
    def roles(self) -> list[Role]:
        """All roles but @everyone, the highest first."""
        roles = [role for role in self.guild.roles.values() if role.id != self.guild.id]
        return sorted(roles, key=permissions.rank, reverse=True)

    @property
    def channels(self) -> list[Channel]:
        return list(self.guild.channels.values())

    def roles_of(self, member: Member) -> list[Role]:
        """Return a member's roles, the highest first."""
        return [role for role in self.roles if role.id in member.role_ids]

    @property
    def sought(self) -> str:
        """The part of a name that is looked for among the members."""
        return self._asked.get("who", "").strip()

    @cached_property
    def groups(self) -> list[Group]:
        """The members by their highest role, the highest group first; those who are looked for, in one group."""
        roster: Roster = self._parts.rosters.of(self.guild)
        if self.sought:
            found = roster.find(self.sought, MEMBERS_SHOWN)
            if not found:
                return []
            return [Group(key="found", name="Found", colour=0, count=len(found), members=found)]
        groups = roster.groups(CROWD if len(self.guild.members) <= CROWD else MEMBERS_SHOWN)
        paged = self._asked.get("group", "")
        return [self._turned(roster, group) if group.key == paged else group for group in groups]

    @cached_property
    def start(self) -> int:
        """How many members of the group that is turned are before those on the page."""
        asked = self._asked.get("from", "0")
        return int(asked) // MEMBERS_SHOWN * MEMBERS_SHOWN if asked.isdecimal() and len(asked) < 9 else 0

    def _turned(self, roster: Roster, group: Group) -> Group:
        members = roster.page(group.key, self.start, MEMBERS_SHOWN)
        return Group(key=group.key, name=group.name, colour=group.colour, count=group.count, members=members)

    def next_page(self, group: Group) -> str:
        """Return the address of a group's next page, or nothing."""
        start = self.start if self._asked.get("group") == group.key else 0
        more = group.key != "found" and start + len(group.members) < group.count
        return self.address.to(group=group.key, **{"from": str(start + MEMBERS_SHOWN)}) if more else ""

    def first_page(self, group: Group) -> str:
        """Return the address of a group's first page, or nothing where it is shown."""
        return self.address.to(group=None, **{"from": None}) if self._asked.get("group") == group.key else ""

    def colour_of(self, member: Member) -> int:
        """Return the colour of a member's highest role that has one."""
        return next((role.colour for role in self.roles_of(member) if role.colour), NO_COLOUR)

    def name_of(self, kind: str, thing_id: str) -> str:
        """Name what a message mentions."""
        if kind == "@":
            user = self._state.users.get(thing_id)
            return (user.display_name or user.username) if user else "unknown-user"
        if kind == "@&":
            role = self.guild.roles.get(thing_id)
            return role.name if role else "deleted-role"
        channel = self.guild.channels.get(thing_id)
        return channel.name if channel else "unknown"

    def address_of(self, channel_id: str) -> str:
        """Return where on the page a channel is, for the one who looks."""
        return self.address.to(me=self.me.id, channel=DIRECT if channel_id == self.dm_id else channel_id)
