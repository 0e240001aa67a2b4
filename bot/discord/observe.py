"""Looks at Discord: a guild's roles, and which roles the people we follow have. Never writes, never decides.

Rules:
1. What a member shows is kept only for people we were asked about: memory follows patrons, not the guild.
2. Members are asked for by 100 ids at a time over the gateway (discord-api-docs, Request Guild Members): a look costs
   no REST call. The gateway's events then keep them true; a new session forgets them all, and now and then they are
   asked for anew, for an event may be lost.
3. For a few people somebody waits: they are asked for by REST too where the gateway is silent or its limit holds us up.
   The first answer counts, and a late one still does for those of whom nothing newer is known.
4. Thousands of people, in a server with not many more members, are found in its list of members (REST): that costs
   fewer calls, and leaves the gateway to the few. Nobody else on it is remembered.
5. A write that Discord accepted is assumed, and marked as not yet seen, until an event or a look shows the member.
6. Without the members intent no event keeps that true: it counts for a minute, and each round looks anew.
7. No answer is never taken for "is no member": not Discord's silence, and not the end of the session that was asked.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import filterfalse, islice

import discord
import msgspec
import structlog
from discord.abc import GuildChannel

from bot.discord.failures import DISCORD_FAILURES
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
FEW = 5  # people, of whom REST may be asked
SILENCE_SECONDS = 2.0  # after so many the gateway counts as silent; it answers within a tenth of one
MOST_BY_REST = 10  # calls at a time, in all servers: 50 a second are allowed, and role writes need them too
MANY = 5_500  # people: half of what the gateway takes from us in a minute
LIST_SHARE = 5  # so many members for each of those people, and the list is no longer worth its calls
ROLE_SETS = 1_000  # of one and the same content kept once
ASK_SECONDS = 8.0  # somebody waits in front of a page
# RuntimeError: discord.py has no socket for the guild, aiohttp's session is closed
UNANSWERED = (*DISCORD_FAILURES, RuntimeError)


class GuildLook(msgspec.Struct, frozen=True, kw_only=True):
    """A guild's roles, and what the bot may do there."""

    guild_id: GuildId
    name: str
    roles: dict[RoleId, RoleLook]
    bot: Powers


class _Seen(msgspec.Struct, frozen=True, gc=False):
    """A person as they were last shown, and when (monotonic)."""

    member: GuildMember | None
    at: float


Look = asyncio.Task[dict[DiscordUserId, _Seen]]  # an ask under way, and what it will have shown
UnderWay = dict[GuildId, dict[DiscordUserId, Look]]
Shown = dict[DiscordUserId, GuildMember | None]
Ask = Callable[[GuildId, tuple[DiscordUserId, ...]], Awaitable[Shown]]


class Observer:
    """What Discord shows now."""

    def __init__(self, holder: ClientHolder) -> None:
        self._holder = holder
        self._seen: dict[GuildId, dict[DiscordUserId, _Seen]] = {}
        self._comings: dict[GuildId, int] = {}  # and goings, counted
        self._asked: UnderWay = {}  # over the gateway, or in a list
        self._fetched: UnderWay = {}  # by REST, one by one
        self._silent: dict[GuildId, float] = {}  # where the gateway does not answer, and when it was last tried
        self._by_rest = asyncio.Semaphore(MOST_BY_REST)
        self._is_closed = False

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
        shown: dict[DiscordUserId, _Seen] = {}

        def is_unknown(person: DiscordUserId) -> bool:
            seen = known.get(person)
            if is_fresh or seen is None or seen.at < oldest:
                return True
            shown[person] = seen
            return False

        missing = [one for one in wanted if is_unknown(one)]
        if 0 < len(missing) <= FEW:
            others = (one for one in along if one not in known and one not in wanted)
            room = IDS_PER_LOOK - len(missing)
            shown |= await self._look_soon(guild_id, missing, tuple(islice(others, room)), is_fresh=is_fresh)
            missing = []
        elif self._is_list_cheaper(guild_id, len(missing)):
            with contextlib.suppress(DiscordAway):  # then they are asked for by id
                shown |= await asyncio.shield(self._begin(guild_id, missing, self._find_in_list, self._asked))
                missing = []
        left = iter(missing)
        while portion := tuple(islice(filter(is_unknown, left), IDS_PER_LOOK)):  # some may have been seen meanwhile
            for look in self._looks_at(guild_id, portion, is_fresh=is_fresh):
                shown |= await asyncio.shield(look)
        return {person: known.get(person, shown[person]).member for person in wanted}

    def known(self, guild_id: GuildId) -> list[DiscordUserId]:
        """Return, in order, of whom something is remembered here."""
        return sorted(self._seen.get(guild_id, {}))

    def remembered(self, guild_id: GuildId, people: Iterable[DiscordUserId]) -> dict[DiscordUserId, bool]:
        """Tell which of these people were members when they were last shown; asks nobody, and leaves out the others."""
        known = self._seen.get(guild_id, {})
        return {person: known[person].member is not None for person in people if person in known}

    def presence_mark(self, guild_id: GuildId) -> int:
        """Return a number that is another one as soon as `remembered` may say something else."""
        return self._comings.get(guild_id, 0)

    async def renew(self, guild_id: GuildId, people: Iterable[DiscordUserId]) -> None:
        """Ask for people anew. Raises DiscordAway; then nothing of them is remembered."""
        wanted = tuple(people)
        try:
            await self.look(guild_id, wanted, is_fresh=True)
        except DiscordAway:
            for person in wanted:
                self.forget(guild_id, person)
            raise

    async def find_holders(self, guild_id: GuildId, role_id: RoleId) -> frozenset[DiscordUserId] | None:
        """Return who holds a role, as `find_members_with` does."""
        found = await self.find_members_with(guild_id, {role_id})
        return None if found is None else frozenset(found)

    async def find_members_with(
        self, guild_id: GuildId, role_ids: AbstractSet[RoleId]
    ) -> dict[DiscordUserId, GuildMember] | None:
        """Return who holds any of these roles, bots left out; None without the members intent: the list needs it.

        Reads the whole list (discord-api-docs, List Guild Members): for an admin's rare question. Raises DiscordAway.
        """
        guild = self._find_guild(guild_id)
        if guild is None:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        if not self.hears_members:
            return None
        found: dict[DiscordUserId, GuildMember] = {}
        try:
            async for member in guild.fetch_members(limit=None):
                shown = member_of(member)
                if not member.bot and shown.role_ids & role_ids:
                    found[DiscordUserId(member.id)] = shown
        except DISCORD_FAILURES as error:
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id) from error
        return found

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
        """Drop what is known of everyone, of a guild, or of one person in it; they are looked at again.

        An answer under way is nothing that we remember then: it may be from before.
        """
        for one in self._seen if guild_id is None else (guild_id,):
            self._count_coming(one)
        for known in (self._seen, self._asked, self._fetched):
            if guild_id is None:
                known.clear()
            elif discord_user_id is None:
                known.pop(guild_id, None)
            else:
                known.get(guild_id, {}).pop(discord_user_id, None)

    async def close(self) -> None:
        """Wait for no answer any more, and ask no more, before the client that was asked goes."""
        self._is_closed = True
        asked = (*self._asked.values(), *self._fetched.values())
        looks = {look for people in asked for look in people.values()}
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    def _note(self, guild_id: GuildId, discord_user_id: DiscordUserId, member: GuildMember | None) -> None:
        if any(discord_user_id in one.get(guild_id, {}) for one in (self._seen, self._asked, self._fetched)):
            self._remember(guild_id, discord_user_id, _Seen(member, time.monotonic()))

    def _remember(self, guild_id: GuildId, discord_user_id: DiscordUserId, seen: _Seen) -> None:
        known = self._seen.setdefault(guild_id, {})
        before = known.get(discord_user_id)
        known[discord_user_id] = seen
        if before is None or (before.member is None) is not (seen.member is None):
            self._count_coming(guild_id)

    def _count_coming(self, guild_id: GuildId) -> None:
        self._comings[guild_id] = self._comings.get(guild_id, 0) + 1

    @property
    def is_slowed(self) -> bool:
        """Tell whether the gateway takes no message from us for a while."""
        client = self._holder.current
        return client is not None and client.is_ws_ratelimited()

    def _find_guild(self, guild_id: GuildId) -> discord.Guild | None:
        client = self._holder.current
        guild = client.get_guild(guild_id) if client is not None else None
        return None if guild is None or guild.unavailable else guild

    def _require_guild(self, guild_id: GuildId) -> discord.Guild:
        guild = None if self._is_closed else self._find_guild(guild_id)
        if guild is None:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        return guild

    def _is_list_cheaper(self, guild_id: GuildId, people: int) -> bool:
        if people < MANY or not self.hears_members:
            return False
        guild = self._find_guild(guild_id)
        return guild is not None and guild.member_count is not None and guild.member_count <= LIST_SHARE * people

    # --- asking

    async def _look_soon(
        self,
        guild_id: GuildId,
        people: Sequence[DiscordUserId],
        others: Sequence[DiscordUserId],
        *,
        is_fresh: bool,
    ) -> dict[DiscordUserId, _Seen]:
        """Look at a few people whom somebody waits for: over the gateway, and by REST where that keeps us waiting."""
        looks = [] if is_fresh else _under_way(self._asked, guild_id, people)
        was_silent = guild_id in self._silent
        if was_silent or self.is_slowed:
            if self._may_be_tried(guild_id):
                self._silent[guild_id] = time.monotonic()
                self._begin(guild_id, (*people, *others), self._ask, self._asked)
        else:
            looks = self._looks_at(guild_id, people, others, is_fresh=is_fresh)
            _, unanswered = await asyncio.wait(looks, timeout=SILENCE_SECONDS)
            if all(map(_is_answered, looks)):
                return _join(looks)
            if looks[-1] in unanswered:
                log.warning("the gateway is silent on members: they are asked for by REST", guild_id=guild_id)
                self._silent[guild_id] = time.monotonic()
        return await _first_answer(self._fetches(guild_id, people, others, is_fresh=is_fresh), looks)

    def _may_be_tried(self, guild_id: GuildId) -> bool:
        """Tell whether it is time to find out if a silent gateway answers again."""
        return not self.is_slowed and time.monotonic() - self._silent[guild_id] >= SILENCE_SECONDS

    def _looks_at(
        self,
        guild_id: GuildId,
        people: Sequence[DiscordUserId],
        others: Sequence[DiscordUserId] = (),
        *,
        is_fresh: bool,
    ) -> list[Look]:
        """Return the looks that will show these people: those under way unless `is_fresh`, and one that begins now."""
        looks = [] if is_fresh else _under_way(self._asked, guild_id, people)
        asked = self._asked.get(guild_id, {}) if looks else {}
        new = [one for one in people if one not in asked]
        if new:
            looks.append(self._begin(guild_id, (*new, *others), self._ask, self._asked))
        return looks

    def _fetches(
        self, guild_id: GuildId, people: Sequence[DiscordUserId], others: Iterable[DiscordUserId], *, is_fresh: bool
    ) -> list[Look]:
        """Return the REST calls that will show these people; for some of the others, one begins too."""
        fetched = self._fetched.setdefault(guild_id, {})
        for one in islice(filterfalse(fetched.__contains__, others), FEW - len(people)):
            self._begin(guild_id, [one], self._fetch, self._fetched)
        return [
            fetched[one]
            if one in fetched and not is_fresh
            else self._begin(guild_id, [one], self._fetch, self._fetched)
            for one in people
        ]

    def _begin(self, guild_id: GuildId, people: Sequence[DiscordUserId], ask: Ask, asked: UnderWay) -> Look:
        """Ask for people; the answer is remembered whenever it comes, unless something newer is known by then."""
        known = self._seen.setdefault(guild_id, {})
        before = {person: known.get(person) for person in people}

        async def look() -> dict[DiscordUserId, _Seen]:
            at = time.monotonic()
            shown = {person: _Seen(member, at) for person, member in (await ask(guild_id, tuple(people))).items()}
            still = asked.get(guild_id, {})
            for person, seen in shown.items():
                if still.get(person) is task and known.get(person) is before[person]:
                    self._remember(guild_id, person, seen)
            return shown

        def end(_: Look) -> None:
            still = asked.get(guild_id, {})
            for person in people:
                if still.get(person) is task:
                    del still[person]
            if not task.cancelled():
                task.exception()  # whoever waits is told; where nobody does any more, nobody needs to be

        task = asyncio.create_task(look(), name=f"look at members of guild {guild_id}")
        asked.setdefault(guild_id, {}).update(dict.fromkeys(people, task))
        task.add_done_callback(end)
        return task

    async def _ask(self, guild_id: GuildId, ids: tuple[DiscordUserId, ...]) -> Shown:
        """Ask over the gateway, for as many as one call takes."""
        guild = self._require_guild(guild_id)
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
                # cache=True: discord.py drops updates of members that it does not hold
                found = await guild.query_members(user_ids=list(ids), limit=IDS_PER_LOOK, cache=True)
        except UNANSWERED as error:
            log.warning("discord did not answer a look at members", guild_id=guild_id, people=len(ids), why=repr(error))
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id, people=len(ids)) from error
        self._require_same(guild, people=len(ids))
        self._silent.pop(guild_id, None)
        members = {DiscordUserId(member.id): member_of(member) for member in found}
        return {person: members.get(person) for person in ids}

    async def _fetch(self, guild_id: GuildId, ids: tuple[DiscordUserId, ...]) -> Shown:
        """Ask by REST, one after another."""
        guild = self._require_guild(guild_id)
        try:
            async with asyncio.timeout(ASK_SECONDS), self._by_rest:
                shown = {person: await _fetch_member(guild, person) for person in ids}
        except UNANSWERED as error:
            log.warning("a member could not be asked for by REST", guild_id=guild_id, why=repr(error))
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id, people=len(ids)) from error
        self._require_same(guild, people=len(ids))
        return shown

    async def _find_in_list(self, guild_id: GuildId, ids: tuple[DiscordUserId, ...]) -> Shown:
        """Go through the list of all members (discord-api-docs, List Guild Members), and keep these people alone."""
        guild, shown = self._require_guild(guild_id), dict[DiscordUserId, GuildMember | None].fromkeys(ids)
        try:
            async for member in guild.fetch_members(limit=None):
                person = DiscordUserId(member.id)
                if person in shown:
                    _hold(guild, member)
                    shown[person] = member_of(member)
        except UNANSWERED as error:
            log.warning("the list of members could not be read", guild_id=guild_id, why=repr(error))
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id, people=len(ids)) from error
        self._require_same(guild, people=len(ids))
        return shown

    def _require_same(self, guild: discord.Guild, *, people: int) -> None:
        """Raise where the session that was asked is over: discord.py then ends an ask as if nobody were a member."""
        guild_id = GuildId(guild.id)
        if self._find_guild(guild_id) is not guild:
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id, people=people)


def _under_way(asked: UnderWay, guild_id: GuildId, people: Iterable[DiscordUserId]) -> list[Look]:
    """Return the looks under way at any of these people, each once."""
    looks = asked.get(guild_id, {})
    return list({looks[one]: None for one in people if one in looks})


def _is_answered(look: Look) -> bool:
    return look.done() and not look.cancelled() and look.exception() is None


async def _first_answer(by_rest: Sequence[Look], looks: Sequence[Look]) -> dict[DiscordUserId, _Seen]:
    """Return what the quicker way shows. Raises DiscordAway where REST shows nothing: nobody waits for longer."""
    waiting = {*by_rest, *looks}
    while not all(look.done() for look in by_rest):
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if looks and all(map(_is_answered, looks)):
            return _join(looks)
    return _join(by_rest)


def _join(looks: Iterable[Look]) -> dict[DiscordUserId, _Seen]:
    """Return what looks that have ended showed. Raises what one of them raised."""
    return {person: seen for look in looks for person, seen in look.result().items()}


async def _fetch_member(guild: discord.Guild, discord_user_id: DiscordUserId) -> GuildMember | None:
    try:
        member = await guild.fetch_member(discord_user_id)
    except discord.NotFound:
        return None
    _hold(guild, member)
    return member_of(member)


def _hold(guild: discord.Guild, member: discord.Member) -> None:
    guild._add_member(member)  # noqa: SLF001  discord.py drops updates of members that it does not hold


def member_of(member: discord.Member) -> GuildMember:
    """Return the roles that a member has, @everyone left out."""
    return GuildMember(
        role_ids=_role_ids(tuple(member._roles)),  # noqa: SLF001  .roles sorts and resolves each
        joined_at=member.joined_at,
        is_pending=member.pending,
    )


@lru_cache(maxsize=ROLE_SETS)
def _role_ids(role_ids: tuple[int, ...]) -> frozenset[RoleId]:
    """Return the same set to all who have the same roles: thousands do."""
    return frozenset(map(RoleId, role_ids))


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
