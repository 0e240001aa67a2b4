"""Looks at Discord: a guild's roles, and which roles the people we follow have. Never writes, never decides.

Rules:
1. What a member shows is kept only for people we were asked about: memory follows patrons, not the guild.
2. Members are asked for by 100 ids at a time over the gateway (discord-api-docs, Request Guild Members): a look costs
   no REST call, but for a few people while the gateway's own limit holds us up. The gateway's events then keep them
   true; a new session forgets them all, and now and then they are asked for anew, for an event may be lost.
3. A write that Discord accepted is assumed, and marked as not yet seen, until an event or a look shows the member.
4. Without the members intent no event keeps that true: it counts for a minute, and each round looks anew.
"""

import asyncio
import math
import time
from collections.abc import Iterable
from itertools import islice

import aiohttp
import discord
import msgspec
import structlog
from discord.abc import GuildChannel

from bot.discord.holder import ClientHolder, DiscordAway
from bot.domain.assignable import ChannelRights, Powers, RoleLook
from bot.domain.errors import Later
from bot.domain.ledger import GuildMember
from bot.domain.model import DiscordUserId, GuildId, RoleId

log = structlog.get_logger(__name__)

IDS_PER_LOOK = 100
# discord.py waits half a minute for an answer, and before that up to a minute where 110 messages left within the last.
LOOK_TIMEOUT_SECONDS = 95.0
UNHEARD_SECONDS = 60.0
FEW = 5  # people: for so many REST is asked while the gateway's own limit (120 messages a minute) keeps us waiting
ASK_SECONDS = 8.0  # somebody waits in front of a page


class GuildLook(msgspec.Struct, frozen=True, kw_only=True):
    """A guild's roles, and what the bot may do there."""

    guild_id: GuildId
    name: str
    roles: dict[RoleId, RoleLook]
    bot: Powers


class _Seen(msgspec.Struct, frozen=True):
    """A person as they were last shown, and when (monotonic)."""

    member: GuildMember | None
    at: float


class Observer:
    """What Discord shows now."""

    def __init__(self, holder: ClientHolder) -> None:
        self._holder = holder
        self._seen: dict[GuildId, dict[DiscordUserId, _Seen]] = {}

    @property
    def is_connected(self) -> bool:
        """Tell whether Discord shows us anything now."""
        return self._holder.current is not None

    @property
    def hears_members(self) -> bool:
        """Tell whether the gateway tells of joins, leaves and roles: it does with the members intent only."""
        client = self._holder.current
        return client is None or client.intents.members

    def look_guild(self, guild_id: GuildId) -> GuildLook | None:
        """Return the guild as the gateway keeps it; None while it cannot be seen."""
        guild = self._find_guild(guild_id)
        if guild is None or guild.me is None:
            return None
        dangers = find_dangers(guild.channels)
        return GuildLook(
            guild_id=guild_id,
            name=guild.name,
            roles={RoleId(role.id): look_role(role, dangers.get(RoleId(role.id), ())) for role in guild.roles},
            bot=powers_of(guild.me),
        )

    def guild_ids(self) -> tuple[GuildId, ...]:
        """Return the guilds that can be seen now."""
        client = self._holder.current
        return tuple(GuildId(guild.id) for guild in client.guilds) if client is not None else ()

    async def look(
        self,
        guild_id: GuildId,
        people: Iterable[DiscordUserId],
        *,
        is_fresh: bool = False,
        along: Iterable[DiscordUserId] = (),
    ) -> dict[DiscordUserId, GuildMember | None]:
        """Return what each person shows as a member (None: they are none); who is not known is asked for.

        Everyone is if `is_fresh`. Where that leaves room in a call, those of `along` who are not known either are asked
        for too, so that the next look at them costs none. Raises DiscordAway.
        """
        wanted = tuple(people)
        known = self._seen.setdefault(guild_id, {})
        oldest = -math.inf if self.hears_members else time.monotonic() - UNHEARD_SECONDS
        shown = {one: known[one] for one in wanted if not is_fresh and one in known and known[one].at >= oldest}
        missing = [one for one in wanted if one not in shown]
        room = -len(missing) % IDS_PER_LOOK
        missing += islice((one for one in along if one not in known and one not in wanted), room)
        for start in range(0, len(missing), IDS_PER_LOOK):
            asked = {person: known.get(person) for person in missing[start : start + IDS_PER_LOOK]}
            at = time.monotonic()
            for person, member in (await self._ask(guild_id, tuple(asked))).items():
                shown[person] = _Seen(member, at)
                if known.get(person) is asked[person]:  # else: what was seen or written meanwhile is newer
                    known[person] = shown[person]
        return {person: known.get(person, shown[person]).member for person in wanted}

    def known(self, guild_id: GuildId) -> list[DiscordUserId]:
        """Return, in order, of whom something is remembered here."""
        return sorted(self._seen.get(guild_id, {}))

    async def renew(self, guild_id: GuildId, people: Iterable[DiscordUserId]) -> None:
        """Ask for people anew, over the gateway alone. Raises DiscordAway; then nothing of them is remembered."""
        wanted = tuple(people)
        try:
            await self.look(guild_id, wanted, is_fresh=True)
        except DiscordAway:
            for person in wanted:
                self.forget(guild_id, person)
            raise

    async def find_holders(self, guild_id: GuildId, role_id: RoleId) -> frozenset[DiscordUserId] | None:
        """Return who holds a role, bots left out; None without the members intent, which the list of members needs.

        Reads the whole list (discord-api-docs, List Guild Members): for an admin's rare question. Raises DiscordAway.
        """
        guild = self._find_guild(guild_id)
        if guild is None:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        if not self.hears_members:
            return None
        try:
            return frozenset(
                [
                    DiscordUserId(member.id)
                    async for member in guild.fetch_members(limit=None)
                    if not member.bot and role_id in member_of(member).role_ids
                ]
            )
        except (TimeoutError, discord.DiscordException, OSError) as error:
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id) from error

    async def may_manage_roles(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool | None:
        """Ask Discord whether this person may manage roles there; None where it cannot be found out. Never raises."""
        guild = self._find_guild(guild_id)
        if guild is None:
            return None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                member = await guild.fetch_member(discord_user_id)
        except discord.NotFound:
            return False
        except Exception as error:  # noqa: BLE001  discord.py lets aiohttp's errors through; none of them is a no
            log.info("a member's rights could not be asked for", guild_id=guild_id, why=repr(error))
            return None
        return guild.owner_id == member.id or member.guild_permissions.manage_roles

    def saw(self, member: discord.Member) -> None:
        """Take a member as the gateway just showed them, where we follow them."""
        self._note(GuildId(member.guild.id), DiscordUserId(member.id), member_of(member))

    def left(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> None:
        """Take it that this person left the guild."""
        self._note(guild_id, discord_user_id, None)

    def assume(self, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId, *, has_role: bool) -> None:
        """Take a write that Discord accepted as done, though not yet seen."""
        seen = self._seen.get(guild_id, {}).get(discord_user_id)
        if seen is None or seen.member is None or (role_id in seen.member.role_ids) is has_role:
            return
        member = seen.member
        role_ids = member.role_ids | {role_id} if has_role else member.role_ids - {role_id}
        unseen = msgspec.structs.replace(member, role_ids=role_ids, unseen_role_ids=member.unseen_role_ids | {role_id})
        self._seen[guild_id][discord_user_id] = _Seen(unseen, seen.at)

    def forget(self, guild_id: GuildId | None = None, discord_user_id: DiscordUserId | None = None) -> None:
        """Drop what is known of everyone, of a guild, or of one person in it; they are looked at again."""
        if guild_id is None:
            self._seen.clear()
        elif discord_user_id is None:
            self._seen.pop(guild_id, None)
        else:
            self._seen.get(guild_id, {}).pop(discord_user_id, None)

    def _note(self, guild_id: GuildId, discord_user_id: DiscordUserId, member: GuildMember | None) -> None:
        known = self._seen.get(guild_id, {})
        if discord_user_id in known:
            known[discord_user_id] = _Seen(member, time.monotonic())

    @property
    def is_slowed(self) -> bool:
        """Tell whether the gateway takes no message from us for a while."""
        client = self._holder.current
        return client is not None and client.is_ws_ratelimited()

    def _find_guild(self, guild_id: GuildId) -> discord.Guild | None:
        client = self._holder.current
        guild = client.get_guild(guild_id) if client is not None else None
        return None if guild is None or guild.unavailable else guild

    async def _ask(self, guild_id: GuildId, ids: tuple[DiscordUserId, ...]) -> dict[DiscordUserId, GuildMember | None]:
        guild = self._find_guild(guild_id)
        if guild is None:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        try:
            if len(ids) <= FEW and self.is_slowed:
                return {person: await _fetch_member(guild, person) for person in ids}
            async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
                # cache=True: discord.py drops updates of members that it does not hold
                found = await guild.query_members(user_ids=list(ids), limit=IDS_PER_LOOK, cache=True)
        except (TimeoutError, discord.DiscordException, aiohttp.ClientError, ConnectionError) as error:
            log.warning(
                "discord did not answer a look at members", guild_id=guild_id, people=len(ids), error=repr(error)
            )
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id, people=len(ids)) from error
        members = {DiscordUserId(member.id): member_of(member) for member in found}
        return {person: members.get(person) for person in ids}


async def _fetch_member(guild: discord.Guild, discord_user_id: DiscordUserId) -> GuildMember | None:
    try:
        member = await guild.fetch_member(discord_user_id)
    except discord.NotFound:
        return None
    guild._add_member(member)  # noqa: SLF001  discord.py drops updates of members that it does not hold
    return member_of(member)


def member_of(member: discord.Member) -> GuildMember:
    """Return the roles that a member has, @everyone left out."""
    return GuildMember(
        role_ids=frozenset(RoleId(role_id) for role_id in member._roles),  # noqa: SLF001  .roles sorts and resolves each
        joined_at=member.joined_at,
        is_pending=member.pending,
    )


def find_dangers(channels: Iterable[GuildChannel]) -> dict[RoleId, tuple[ChannelRights, ...]]:
    """Return, by role, which channels allow it what a pledge must not buy."""
    found: dict[RoleId, tuple[ChannelRights, ...]] = {}
    for channel in channels:
        for overwrite in channel._overwrites:  # noqa: SLF001  .overwrites resolves each, and this is asked for often
            rights = ChannelRights(channel=channel.name, permissions=overwrite.allow)
            if overwrite.is_role() and rights.is_dangerous:
                found[RoleId(overwrite.id)] = (*found.get(RoleId(overwrite.id), ()), rights)
    return found


def look_role(role: discord.Role, channels: tuple[ChannelRights, ...] = ()) -> RoleLook:
    """Return a role as our pure files know it."""
    return RoleLook(
        role_id=RoleId(role.id),
        name=role.name,
        position=role.position,
        permissions=role.permissions.value,
        is_managed=role.managed,
        is_everyone=role.is_default(),
        channels=channels,
    )


def powers_of(member: discord.Member) -> Powers:
    """Return what a member may do, by their roles in the guild, not in a channel."""
    return Powers(
        top=look_role(member.top_role),
        permissions=member.guild_permissions.value,
        is_owner=member.guild.owner_id == member.id,
    )
