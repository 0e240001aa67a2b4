"""When roles are brought in line: every interval, and whenever Discord tells that something changed.

Decides nothing: it says whom to look at. Listeners see Discord's raw events where discord.py drops those of people that
it does not hold.
"""

import asyncio
from typing import Any

import discord
import structlog
from discord.abc import GuildChannel
from discord.ext import commands, tasks

from bot.discord.client import PledgekeeperBot
from bot.discord.observe import find_dangers
from bot.domain.changes import Trigger
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.sync.applying.queue import Urgency

log = structlog.get_logger(__name__)

GATHER_SECONDS = 1.0  # moving one role changes the position of many: they are one change


class SyncCog(commands.Cog):
    """The periodic round and the gateway's events."""

    def __init__(self, bot: PledgekeeperBot) -> None:
        self._bot = bot
        self._services = bot.services
        self._soon: dict[GuildId, asyncio.Task[None]] = {}
        self._considering: set[asyncio.Task[None]] = set()
        interval = self._services.settings.sync_interval_seconds
        self._round: tasks.Loop[Any] = tasks.loop(seconds=interval)(self._run_round)
        self._round.before_loop(bot.wait_until_ready)

    async def cog_load(self) -> None:
        """Begin the rounds."""
        self._round.start()

    async def cog_unload(self) -> None:
        """Stop starting anything; a round under way goes on, for it belongs to no client."""
        self._round.cancel()
        for task in self._soon.values():
            task.cancel()
        if self._considering:
            await asyncio.wait(self._considering)

    async def _run_round(self) -> None:
        """Run one round. The boundary: any other error would end the loop for good (discord.ext.tasks, Loop)."""
        try:
            await self._services.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
        except Exception as error:
            log.exception("a round failed")
            self._services.health.failed("sync", repr(error))

    # --- everybody in a guild

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look at everyone again: a new session forgets its members, and a day may have passed."""
        self._services.observer.forget()
        for guild in self._bot.guilds:
            self._services.breakers.reset(GuildId(guild.id))  # its roles may have changed meanwhile
            self._consider_soon(GuildId(guild.id), trigger=Trigger.START)
        self._services.reconciler.catch_up()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Look at those whom Discord did not show meanwhile; what happened to everyone else is told by events."""
        self._services.reconciler.catch_up()

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Look again at a guild that was out of sight, and all in it."""
        self._services.observer.forget(GuildId(guild.id))
        self._services.breakers.reset(GuildId(guild.id))
        self._consider_soon(GuildId(guild.id), trigger=Trigger.START)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Begin with a guild that invited the bot, perhaps not for the first time."""
        self._services.observer.forget(GuildId(guild.id))
        self._services.breakers.reset(GuildId(guild.id))
        self._consider_soon(GuildId(guild.id), trigger=Trigger.START)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget what was seen in a guild that the bot left; what is stored waits for its return."""
        self._services.observer.forget(GuildId(guild.id))
        self._services.reconciler.forget_left()

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
        await self._services.reconciler.forget_role(guild_id, RoleId(role.id))
        self._services.observer.forget(guild_id)
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
        self._services.observer.forget(guild_id, person)
        await self._mark(guild_id, person, trigger=Trigger.JOIN, urgency=Urgency.WAITING)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Someone's roles changed by anyone's hand, ours too; or they passed the screening."""
        guild_id = GuildId(after.guild.id)
        self._services.observer.saw(after)
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
        self._services.observer.left(GuildId(payload.guild_id), DiscordUserId(payload.user.id))

    async def _mark(self, guild_id: GuildId, person: DiscordUserId, *, trigger: Trigger, urgency: Urgency) -> None:
        if await self._services.reconciler.is_relevant(guild_id, person):
            self._services.reconciler.mark(guild_id, [person], trigger=trigger, urgency=urgency)

    # --- soon, and once

    def _roles_changed(self, guild: discord.Guild) -> None:
        self._services.breakers.reset(GuildId(guild.id))
        self._consider_soon(GuildId(guild.id), trigger=Trigger.ROLES_CHANGED)

    def _consider_soon(self, guild_id: GuildId, *, trigger: Trigger) -> None:
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
            await self._services.reconciler.consider(guild_id, None, trigger=trigger)
        except TryLater as error:  # the reconciler does it as soon as the server is seen
            log.info("a server is looked at later", guild_id=guild_id, why=str(error))
        except Exception:  # the boundary of a background task: the rounds plan everyone, a slice at a time
            log.exception("a server could not be considered", guild_id=guild_id)
