"""What the page shows, worked out from the state for one who looks at it. Reads only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sandbox.botprocess import BotProcess
from sandbox.discord import Interaction, permissions
from sandbox.discord.model import Channel, Guild, Member, Message, Role, User
from sandbox.page.body import OPTION_PREFIX
from sandbox.page.commands import Runnable, find_runnable, runnables
from sandbox.page.forecast import FAULTS, ROUTES
from sandbox.page.guide import Step, admin_of, steps
from sandbox.page.parts import Parts
from sandbox.page.patrons import Row, TierCard, rows, tier_cards
from sandbox.page.scripts import calls_of, faults_of

NO_COLOUR = 0x7B828C
LOG_LINES_SHOWN = 200
MESSAGES_SHOWN = 50
DIRECT = "dm"
PADDING = re.compile(r" +\]")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Members with the same highest role, as Discord's member list groups them."""

    name: str
    members: list[Member]


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A channel that can be looked at."""

    key: str
    name: str
    count: int
    is_current: bool


class Scene:
    """The page's content; templates read its attributes."""

    def __init__(self, parts: Parts, asked: Mapping[str, str]) -> None:
        self.parts = parts
        self.asked = asked
        self.guild: Guild = parts.world.guild
        self.campaign = parts.world.campaign
        self.faults, self.fault_routes = FAULTS, ROUTES

    @property
    def now(self) -> datetime:
        return self.parts.clock.now()

    @property
    def notice(self) -> str:
        return self.asked.get("notice", "")

    @property
    def problem(self) -> str:
        return self.asked.get("problem", "")

    # Discord

    @cached_property
    def people(self) -> list[User]:
        """Everyone whom a person can act as: all users but bots, in the server or not."""
        users = self.parts.discord.state.users.values()
        unseen = self.parts.discord.state.application.owner
        return [user for user in users if not user.is_bot and user is not unseen]

    @cached_property
    def me(self) -> User:
        users = self.parts.discord.state.users
        return users.get(self.asked.get("me", "")) or users[admin_of(self.guild)]

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

    @cached_property
    def seen(self) -> list[Message]:
        return self.parts.discord.messages_for(self.me.id)

    @cached_property
    def dm_id(self) -> str:
        channel = self.parts.discord.state.dms.get(self.me.id)
        return channel.id if channel else ""

    @property
    def channel_key(self) -> str:
        asked = self.asked.get("channel", "")
        return asked if asked == DIRECT or asked in self.guild.channels else next(iter(self.guild.channels), DIRECT)

    @property
    def tabs(self) -> list[Tab]:
        """The server's channels, then the direct messages."""
        places = [(channel.id, f"#{channel.name}", channel.id) for channel in self.guild.channels.values()]
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
        return self.parts.discord.state.users[message.author_id]

    @cached_property
    def commands(self) -> list[Runnable]:
        return runnables(self.parts.discord.commands())

    @property
    def command(self) -> Runnable | None:
        return find_runnable(self.parts.discord.commands(), self.asked.get("command", ""))

    def prefilled(self, option: str) -> str:
        """Return what the address says that an option begins with."""
        return self.asked.get(OPTION_PREFIX + option, "")

    @property
    def modal(self) -> Interaction | None:
        return self.parts.open_modals.get(self.me.id)

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
    def groups(self) -> list[Group]:
        """The members by their highest role, the highest group first."""
        by_role: dict[str, list[Member]] = {role_id: [] for role_id in (*(r.id for r in self.roles), self.guild.id)}
        for member in self.guild.members.values():
            by_role[permissions.top_role(self.guild, member).id].append(member)
        names = {role.id: role.name for role in self.roles} | {self.guild.id: "Members"}
        return [Group(name=names[key], members=members) for key, members in by_role.items() if members]

    def colour_of(self, member: Member) -> int:
        """Return the colour of a member's highest role that has one."""
        return next((role.colour for role in self.roles_of(member) if role.colour), NO_COLOUR)

    def name_of(self, kind: str, thing_id: str) -> str:
        """Name what a message mentions."""
        if kind == "@":
            user = self.parts.discord.state.users.get(thing_id)
            return (user.display_name or user.username) if user else "unknown-user"
        if kind == "@&":
            role = self.guild.roles.get(thing_id)
            return role.name if role else "deleted-role"
        channel = self.guild.channels.get(thing_id)
        return channel.name if channel else "unknown"

    def address_of(self, channel_id: str) -> str:
        """Return where on the page a channel is, for the one who looks."""
        key = DIRECT if channel_id == self.dm_id else channel_id
        return "/?" + urlencode({"me": self.me.id, "channel": key})

    # Patreon

    @cached_property
    def patrons(self) -> list[Row]:
        return rows(self.parts)

    @property
    def tiers(self) -> list[TierCard]:
        return tier_cards(self.campaign)

    # Inside

    @property
    def bot(self) -> BotProcess:
        return self.parts.bot

    @property
    def log(self) -> list[str]:
        """The latest lines, without the blanks that line columns up on a wide screen."""
        return [PADDING.sub("]", line) for line in list(self.parts.bot.lines)[-LOG_LINES_SHOWN:]]

    @cached_property
    def calls(self) -> dict[str, Any]:
        return calls_of(self.parts)

    @property
    def weather(self) -> list[dict[str, Any]]:
        return faults_of(self.parts)

    @property
    def guide(self) -> list[Step]:
        return steps(self.guild, self.parts)
