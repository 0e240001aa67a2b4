"""A guild in memory, at the edge where the bot meets discord.py: what it looks at, and the two calls that it writes by.

Quick enough for thousands of steps. It is as hard as Discord on unknown people and roles, loses writes and refuses them
when told to, dies with the bot's process, and remembers whose hand each role is from.
"""

import asyncio
import enum
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import discord

from bot.domain.model import DiscordUserId, GuildId, RoleId

GUILD = GuildId(900)
BOT_TOP, MANAGE_ROLES = 50, 1 << 28
UNKNOWN_MEMBER, UNKNOWN_ROLE, MISSING_PERMISSIONS = 10007, 10011, 50013


class Mishap(enum.StrEnum):
    """What goes wrong with a write."""

    LOST = "lost"  # 204, and nothing happened (discord-api-docs #6289)
    FAILED = "failed"  # an error, and nothing happened
    BROKEN = "broken"  # an error, and it happened all the same
    FORBIDDEN = "forbidden"  # 403: a right is missing
    KILLED_BEFORE = "killed before"  # the bot's process dies: the write never arrived
    KILLED_AFTER = "killed after"  # … or it did


@dataclass(frozen=True)
class FakeRole:
    """A role, as far as the bot asks."""

    id: int
    name: str
    position: int = 1
    managed: bool = False
    permissions: Any = field(default_factory=lambda: SimpleNamespace(value=0))

    def is_default(self) -> bool:
        return self.id == GUILD


@dataclass(frozen=True)
class FakeMember:
    """A member at one moment."""

    id: int
    guild: "FakeGuild"
    joined_at: datetime
    _roles: frozenset[int] = frozenset()
    pending: bool = False
    bot: bool = False

    def with_roles(self, roles: frozenset[int]) -> "FakeMember":
        return FakeMember(self.id, self.guild, self.joined_at, roles, self.pending)


class FakeGuild:
    """The guild, its members, and each role of theirs with who gave it."""

    def __init__(self, role_names: dict[int, str]) -> None:
        self.id = GUILD
        self.name, self.owner_id, self.unavailable, self.system_channel = "Town", 1, False, None
        self.preferred_locale = SimpleNamespace(value="en-US")
        self.channels: list[Any] = []
        self.roles = [FakeRole(GUILD, "@everyone", 0), *(FakeRole(id_, name) for id_, name in role_names.items())]
        top = FakeRole(2, "Bot", BOT_TOP)
        rights = SimpleNamespace(value=MANAGE_ROLES, manage_roles=True)
        self.me = SimpleNamespace(top_role=top, guild_permissions=rights, guild=self, id=3)
        self.owner = SimpleNamespace(top_role=top, guild_permissions=rights, guild=self, id=self.owner_id)
        self.members: dict[int, FakeMember] = {}
        self.theirs: set[tuple[int, int]] = set()  # roles that a person gave, and that the bot never owned
        self.writes: list[tuple[str, int, int]] = []
        self.mishap: Mishap | None = None  # of the next write
        self.told: list[int] = []  # who was sent a direct message
        self.died = asyncio.Event()
        self.is_quick = asyncio.Event()  # cleared: Discord takes its time, and no write arrives before it is set again
        self.is_quick.set()
        self.before_write: Callable[[str, int, int], None] = lambda *_: None
        self.on_update: Callable[[FakeMember], None] = lambda _: None

    async def query_members(self, *, user_ids: list[int], limit: int, cache: bool) -> list[FakeMember]:
        assert len(user_ids) <= limit <= 100
        assert cache
        await asyncio.sleep(0)
        return [self.members[id_] for id_ in user_ids if id_ in self.members]

    async def fetch_member(self, person: int) -> Any:
        """Return who asks for a campaign, and whether they may: nobody else is asked for one by one."""
        assert person == self.owner_id
        await asyncio.sleep(0)
        return self.owner

    async def fetch_members(self, *, limit: int | None) -> AsyncIterator[FakeMember]:
        assert limit is None
        for member in list(self.members.values()):
            await asyncio.sleep(0)
            yield member

    async def write(self, verb: str, person: int, role: int) -> None:
        """Carry out a write of the bot's, under the mishap of the moment."""
        if self.died.is_set():
            await self._die()
        await self.is_quick.wait()
        self.before_write(verb, person, role)
        self.writes.append((verb, person, role))
        mishap, self.mishap = self.mishap, None
        await asyncio.sleep(0)
        if mishap is Mishap.KILLED_BEFORE:
            await self._die()
        if mishap is Mishap.FAILED:
            raise refusal(500, 0)
        if mishap is Mishap.FORBIDDEN:
            raise refusal(403, MISSING_PERMISSIONS)
        if person not in self.members:
            raise refusal(404, UNKNOWN_MEMBER)
        if all(known.id != role for known in self.roles):
            raise refusal(404, UNKNOWN_ROLE)
        if mishap is not Mishap.LOST:
            roles = self.members[person]._roles
            self._set(person, roles | {role} if verb == "PUT" else roles - {role})
        if mishap is Mishap.KILLED_AFTER:
            await self._die()
        if mishap is Mishap.BROKEN:
            raise refusal(500, 0)

    async def _die(self) -> None:
        self.died.set()
        await asyncio.get_running_loop().create_future()  # the process is gone: no answer comes

    # --- what people do

    def join(self, person: int, at: datetime, *, is_pending: bool = False) -> None:
        self.members[person] = FakeMember(person, self, at, frozenset(), is_pending)

    def leave(self, person: int) -> None:
        del self.members[person]
        self.theirs = {(one, role) for one, role in self.theirs if one != person}

    def give(self, person: int, role: int, *, is_ours: bool) -> None:
        """Give a role by hand; `is_ours`: the bot's ledger has a row of it already."""
        if role not in self.members[person]._roles and not is_ours:
            self.theirs.add((person, role))
        self._set(person, self.members[person]._roles | {role})

    def take(self, person: int, role: int) -> None:
        self.theirs.discard((person, role))
        self._set(person, self.members[person]._roles - {role})

    def pass_screening(self, person: int) -> None:
        member = self.members[person]
        self.members[person] = FakeMember(person, self, member.joined_at, member._roles)
        self.on_update(self.members[person])

    def _set(self, person: int, roles: frozenset[int]) -> None:
        if roles != self.members[person]._roles:
            self.members[person] = self.members[person].with_roles(roles)
            self.on_update(self.members[person])


class FakeClient:
    """The client that the bot holds: its guilds, two calls, and a gateway that holds nobody up."""

    def __init__(self, guilds: Sequence[FakeGuild]) -> None:
        self.by_id = {guild.id: guild for guild in guilds}
        self.guilds = guilds
        self.intents = SimpleNamespace(members=True)
        self.http = self

    def get_guild(self, guild_id: GuildId) -> FakeGuild | None:
        return self.by_id.get(guild_id)

    def is_ws_ratelimited(self) -> bool:
        return False

    async def add_role(self, guild: GuildId, person: DiscordUserId, role: RoleId, *, reason: str) -> None:
        await self.by_id[guild].write("PUT", person, role)

    async def remove_role(self, guild: GuildId, person: DiscordUserId, role: RoleId, *, reason: str) -> None:
        await self.by_id[guild].write("DELETE", person, role)

    async def create_dm(self, user: Any) -> None:
        self.guilds[0].told.append(user.id)
        raise discord.ClientException("nobody reads direct messages in this town")


def as_client(*guilds: FakeGuild) -> discord.Client:
    """Return a client that shows these guilds."""
    return cast("discord.Client", FakeClient(guilds))


def refusal(status: int, code: int) -> discord.HTTPException:
    """Return discord.py's error for an answer of Discord's."""
    kind = discord.NotFound if status == 404 else discord.HTTPException
    response = cast("Any", SimpleNamespace(status=status, reason="no"))
    return kind(response, {"code": code, "message": "no"})
