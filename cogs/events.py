"""Roles are brought in line whenever Discord tells that something changed.

Decides nothing: it says whom to look at. Listeners see Discord's raw events where discord.py drops those of people that
it does not hold.
"""

import asyncio
import contextlib
import time

import discord
import structlog
from discord.abc import GuildChannel
from discord.ext import commands

from bot.discord.client import PledgekeeperBot
from bot.discord.greeter import Greeter
from bot.discord.observe import Observer, find_dangers
from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.sync.applying.breakers import Breakers
from bot.sync.applying.reconcile import Reconciler

log = structlog.get_logger(__name__)

SERVERS_AT_ONCE = 3  # at a start, planned whole: each holds all its people's facts in memory meanwhile
GATHER_SECONDS = 1.0  # moving one role changes the position of many: they are one change


class EventsCog(commands.Cog):
    """The gateway's events."""

    def __init__(
        self,
        bot: PledgekeeperBot,
        *,
        observer: Observer,
        breakers: Breakers,
        reconciler: Reconciler,
        greeter: Greeter,
    ) -> None:
        self._bot = bot
        self._greeter = greeter
        self._observer = observer
        self._breakers = breakers
        self._reconciler = reconciler
        self._soon: dict[GuildId, asyncio.Task[None]] = {}
        self._asked_at: dict[GuildId, float] = {}  # monotonic, for the last time
        self._considering: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Semaphore(SERVERS_AT_ONCE)

    async def cog_unload(self) -> None:
        """Stop starting anything."""
        for task in self._soon.values():
            task.cancel()
        if self._considering:
            await asyncio.wait(self._considering)

    # --- everybody in a guild

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look at everyone again: a new session forgets its members, and a day may have passed."""
        self._observer.forget()
        for guild in self._bot.guilds:
            self._breakers.reset(GuildId(guild.id))  # its roles may have changed meanwhile
            self._consider_soon(GuildId(guild.id), trigger=Trigger.START)
        self._reconciler.catch_up()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Look at those whom Discord did not show meanwhile; what happened to everyone else is told by events."""
        self._reconciler.catch_up()

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Look again at a guild that was out of sight, and all in it."""
        self._observer.forget(GuildId(guild.id))
        self._breakers.reset(GuildId(guild.id))
        self._consider_soon(GuildId(guild.id), trigger=Trigger.START)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Begin with a guild that invited the bot, perhaps not for the first time."""
        self._observer.forget(GuildId(guild.id))
        self._breakers.reset(GuildId(guild.id))
        self._consider_soon(GuildId(guild.id), trigger=Trigger.START)
        await self._greeter.greet(guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget what was seen in a guild that the bot left; what is stored waits for its return."""
        self._observer.forget(GuildId(guild.id))
        self._reconciler.forget_left()

    @commands.Cog.listener()
    async def on_guild_role_create(self, role: discord.Role) -> None:
        """A new role may be one that a rule waits for, or shift the order."""
        self._roles_changed(role.guild)

    @commands.Cog.listener()
    async def on_guild_role_update(self, _: discord.Role, after: discord.Role) -> None:
        """Renamed, moved, or given other rights."""
        self._roles_changed(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Nobody has it any more; Discord sends no event for each who had it."""
        guild_id = GuildId(role.guild.id)
        await self._reconciler.forget_role(guild_id, RoleId(role.id))
        self._observer.forget(guild_id)
        self._roles_changed(role.guild)

    @commands.Cog.listener()
    async def on_guild_channel_update(self, before: GuildChannel, after: GuildChannel) -> None:
        """A channel's own permissions may give a role a right that a pledge must not buy, or no longer."""
        if find_dangers([before]).keys() != find_dangers([after]).keys():
            self._roles_changed(after.guild)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: GuildChannel) -> None:
        """With a channel goes what it gave."""
        if find_dangers([channel]):
            self._roles_changed(channel.guild)

    # --- one person

    @commands.Cog.listener()
    async def on_member_join(self, member: discord.Member) -> None:
        """Someone came, perhaps back: ask for them again, so that their later changes reach us."""
        guild_id, person = GuildId(member.guild.id), DiscordUserId(member.id)
        self._observer.forget(guild_id, person)
        await self._mark(guild_id, person, trigger=Trigger.JOIN, urgency=Urgency.WAITING)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Someone's roles changed by anyone's hand, ours too; or they passed the screening."""
        guild_id = GuildId(after.guild.id)
        self._observer.saw(after)
        if before.roles == after.roles and before.pending == after.pending:
            return
        if after == after.guild.me:
            self._roles_changed(after.guild)
        has_passed = before.pending and not after.pending
        urgency = Urgency.WAITING if has_passed else Urgency.LOOK
        await self._mark(guild_id, DiscordUserId(after.id), trigger=Trigger.MEMBER_CHANGED, urgency=urgency)

    @commands.Cog.listener()
    async def on_raw_member_remove(self, payload: discord.RawMemberRemoveEvent) -> None:
        """Someone left."""
        guild_id, person = GuildId(payload.guild_id), DiscordUserId(payload.user.id)
        self._observer.left(guild_id, person)
        await self._reconciler.follow_leaving(guild_id, person)

    async def _mark(self, guild_id: GuildId, person: DiscordUserId, *, trigger: Trigger, urgency: Urgency) -> None:
        if await self._reconciler.is_relevant(guild_id, person):
            self._reconciler.mark(guild_id, [person], trigger=trigger, urgency=urgency)

    # --- soon, and once

    def _roles_changed(self, guild: discord.Guild) -> None:
        self._breakers.reset(GuildId(guild.id))
        self._consider_soon(GuildId(guild.id), trigger=Trigger.ROLES_CHANGED)

    def _consider_soon(self, guild_id: GuildId, *, trigger: Trigger) -> None:
        self._asked_at[guild_id] = time.monotonic()
        if guild_id in self._soon:
            return
        task = asyncio.create_task(self._consider(guild_id, trigger), name=f"consider guild {guild_id}")
        self._soon[guild_id] = task
        self._considering.add(task)
        task.add_done_callback(self._considering.discard)

    async def _consider(self, guild_id: GuildId, trigger: Trigger) -> None:
        try:
            await asyncio.sleep(GATHER_SECONDS)
        finally:
            del self._soon[guild_id]
        try:
            async with self._starting if trigger is Trigger.START else contextlib.nullcontext():
                if trigger is Trigger.START and self._reconciler.plans_all_since(guild_id, self._asked_at[guild_id]):
                    return  # the first round was quicker, and nothing has changed since it began
                await self._reconciler.consider(guild_id, None, trigger=trigger)
        except TryLater as error:  # the reconciler does it as soon as the server is seen
            log.info("a server is looked at later", guild_id=guild_id, why=str(error))
        except Exception:  # the boundary of a background task: the rounds plan everyone, a slice at a time
            log.exception("a server could not be considered", guild_id=guild_id)
