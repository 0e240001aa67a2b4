"""Tells a guild's admins what nobody asked for at that moment, by its log channel. `direct_messages.py` tells people.

Rules:
1. Never raises: a message that fails is logged, and what it was about goes on.
2. Unfolds no address, and pings nobody but the one whom a notice is for (`addressee`).
3. A trouble is told once until it is over. Admins without a log channel read it above their next `/patreon` reply, and
   the server's system channel is used once for what has not been read yet.
4. Changes of one run that come close together are one message. It is kept and sent again while Discord does not take
   it.
5. A guild's messages are in the guild's language. Stored are codes and facts, which are said when they are shown.
6. Where several processes share a database, only one that shows the guild speaks there: the others leave it a row
   (`sayings.py`). What was told is a fact that all of them know, so it is judged by whoever finds the trouble.
7. What is noted as told is told: also where whoever tells it is cut off, and where the process ends, in the next reply.
"""

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any

import discord
import msgspec
import structlog

from bot.discord.embeds import embed_of
from bot.discord.failures import DISCORD_FAILURES
from bot.discord.holder import ClientHolder
from bot.discord.languages import guild_renderer
from bot.discord.sayings import SayChanges, SayNotice, leave
from bot.domain.errors import Later, PledgekeeperError, TryLater
from bot.domain.model import ChannelId, DiscordUserId, GuildId, HoldId
from bot.domain.notices import (
    Change,
    CompEnding,
    End,
    HoldWaiting,
    Kept,
    LogChannelShut,
    News,
    Solved,
    Topic,
    Trouble,
    split_first_run,
)
from bot.runtime.background import let_end
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.texts.card import Card, pages, text_of
from bot.texts.log_channel import (
    changes_card,
    hold_labels,
    many_changes_card,
    notice_card,
    say_changes,
    system_channel_text,
)
from bot.texts.renderer import Medium, Renderer

log = structlog.get_logger(__name__)

QUIET_SECONDS = 3.0  # a bulk change is one message, not a thousand: Discord takes about one role a second
LONGEST_BATCH_SECONDS = 600.0
AGAIN_SECONDS = 30.0
CLOSE_SECONDS = 3.0  # the process ends within ten
MOST_LINES_KEPT = 5000
MOST_LINES_SHOWN = 100  # a log channel is scrolled through; more than that is better read in a file
PENDING_KEPT = 10
FAILURES = (*DISCORD_FAILURES, PledgekeeperError)

_KEPT = msgspec.json.Decoder(list[Kept])
_TROUBLE = msgspec.json.Decoder(Trouble)


class Notifier:
    """Tells admins."""

    def __init__(self, *, holder: ClientHolder, storage: Storage, clock: Clock) -> None:
        self._holder = holder
        self._storage = storage
        self._clock = clock
        self._noting = asyncio.Lock()
        self._batches: dict[GuildId, list[Change]] = {}
        self._last_line_at: dict[GuildId, float] = {}
        self._flushing: dict[GuildId, asyncio.Task[None]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def tell_admin(self, guild_id: GuildId, trouble: Trouble, *, is_again: bool = False) -> None:
        """Tell of a trouble, once until its end is told unless `is_again`."""
        if is_again or _trouble_key(guild_id, trouble.key) not in await self._open(guild_id):
            await self._to_its_end(self._tell_trouble(guild_id, trouble, is_again=is_again))

    async def _tell_trouble(self, guild_id: GuildId, trouble: Trouble, *, is_again: bool) -> None:
        noted = _trouble_key(guild_id, trouble.key)
        async with self._noting:  # the same trouble may be found in two places at once, or in another process just now
            if not is_again and await self._storage.notices.seen(noted) is not None:
                return
            is_left = self._is_elsewhere(guild_id)
            if is_left:  # first: what is noted counts as told
                await leave(self._storage, guild_id, SayNotice(notice=trouble))
            await self._storage.notices.note(noted, self._clock.now(), msgspec.json.encode(trouble).decode())
        if not is_left:
            await self._say_or_keep(guild_id, trouble)

    async def tell_news(self, guild_id: GuildId, news: News) -> None:
        """Tell what happened and is over; kept for the next admin where there is no log channel."""
        await self._to_its_end(self._say_or_leave(guild_id, news))

    async def over(self, guild_id: GuildId, end: End) -> None:
        """Tell that a trouble is over, where it was told of."""
        if _trouble_key(guild_id, end.key) in await self._open(guild_id):
            await self._to_its_end(self._tell_end(guild_id, end))

    async def _tell_end(self, guild_id: GuildId, end: End) -> None:
        if await self._storage.notices.clear(_trouble_key(guild_id, end.key)):
            await self._say_or_leave(guild_id, end)

    async def say(self, guild_id: GuildId, notice: Trouble | End | News) -> None:
        """Say a notice here and now, whatever was told; kept for the next admin where no log channel takes it."""
        renderer = await self._renderer(guild_id)
        view = hold_buttons(renderer, notice.hold_id) if isinstance(notice, HoldWaiting) else None
        await self._tell_guild(guild_id, notice, notice_card(renderer, notice), view=view)

    async def told(self, guild_id: GuildId, topic: Topic) -> frozenset[str]:
        """Return the subjects of the troubles of a topic that were told of and are not over."""
        head = _trouble_key(guild_id, f"{topic}:")
        return frozenset(key.removeprefix(head) for key in await self._open(guild_id) if key.startswith(head))

    async def list_open(self, guild_id: GuildId) -> tuple[Trouble, ...]:
        """Return the troubles that were told of and are not over, as they were when they were told."""
        texts = [await self._storage.notices.seen(key) for key in sorted(await self._open(guild_id))]
        found: list[Trouble] = []
        for text in texts:
            with contextlib.suppress(msgspec.DecodeError):  # a version that kept sentences told it
                found.append(_TROUBLE.decode(text or ""))
        return tuple(found)

    async def _open(self, guild_id: GuildId) -> frozenset[str]:
        """Return the keys of a guild's troubles that are not over."""
        return await self._storage.notices.keys(_trouble_key(guild_id, ""))

    async def tell_changes(self, guild_id: GuildId, changes: Sequence[Change]) -> None:
        """Tell the log channel, if there is one, what was changed; what comes close together is one message."""
        if not changes or (self._is_elsewhere(guild_id) and await self._leave_changes(guild_id, changes)):
            return
        self._keep(guild_id, [*self._batches.get(guild_id, []), *changes])
        self._last_line_at[guild_id] = time.monotonic()
        if guild_id not in self._flushing:
            task = asyncio.create_task(self._flush_all(guild_id), name=f"changes of guild {guild_id}")
            self._flushing[guild_id] = task

    @contextlib.asynccontextmanager
    async def pending(self, guild_id: GuildId) -> AsyncIterator[list[Kept]]:
        """Give what the admins have not read yet to a reply; where that does not arrive, the next one gets it.

        What Discord refuses to show, it would refuse again.
        """
        pending = await self.take_pending(guild_id)
        try:
            yield pending
        except BaseException as failure:
            is_refused = isinstance(failure, discord.HTTPException) and failure.status == HTTPStatus.BAD_REQUEST
            if pending and not is_refused:
                await asyncio.shield(self._put_back(guild_id, pending))
            raise

    async def take_pending(self, guild_id: GuildId) -> list[Kept]:
        """Return what the admins have not read yet, and forget it."""
        key = _pending_key(guild_id)
        if await self._storage.notices.seen(key) is None:  # nearly always, and without a transaction
            return []
        return _pending(await self._storage.notices.take(key))

    async def close(self) -> None:
        """Send what is being told or gathered, as far as a moment allows and there is a client to send it.

        The rest is left to another process, where there may be one.
        """
        for task in self._flushing.values():
            task.cancel()
        await asyncio.gather(*self._flushing.values(), return_exceptions=True)
        await asyncio.gather(let_end(self._telling), self._flush_in_time())
        if self._storage.database.is_shared:
            for guild_id, changes in self._batches.items():
                await self._leave_changes(guild_id, changes)

    def _is_elsewhere(self, guild_id: GuildId) -> bool:
        """Tell whether another process is to speak there: whoever shows the guild."""
        client = self._holder.current
        return self._storage.database.is_shared and (client is None or client.get_guild(guild_id) is None)

    async def _to_its_end(self, telling: Coroutine[Any, Any, None]) -> None:
        """Tell it, also where whoever waits for that is cut off meanwhile."""
        task = asyncio.create_task(telling, name="telling of admins")
        self._telling.add(task)
        task.add_done_callback(self._forget_telling)
        await asyncio.shield(task)

    def _forget_telling(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; where nobody did any more it must not be reported as lost

    async def _say_or_leave(self, guild_id: GuildId, notice: End | News) -> None:
        if self._is_elsewhere(guild_id):
            await leave(self._storage, guild_id, SayNotice(notice=notice))
        else:
            await self._say_or_keep(guild_id, notice)

    async def _say_or_keep(self, guild_id: GuildId, notice: Trouble | End | News) -> None:
        """Say it now; where the process ends meanwhile, keep it for the next admin."""
        try:
            await self.say(guild_id, notice)
        except asyncio.CancelledError:
            await self._keep_for_reply(guild_id, notice)
            raise

    async def _leave_changes(self, guild_id: GuildId, changes: Sequence[Change]) -> bool:
        """Let whoever shows the guild tell of changes; False where they could not be stored."""

        async def act() -> bool:
            if changes:
                await leave(self._storage, guild_id, SayChanges(changes=tuple(changes)))
            return True

        return await self._try(act, event="changes could not be left to another process")

    async def _tell_guild(
        self, guild_id: GuildId, notice: Trouble | End | News, card: Card, *, view: discord.ui.View | None = None
    ) -> None:
        whom = addressee(notice)
        if await self._try(
            lambda: self._send_to_log(guild_id, card, view=view, whom=whom), event="the log channel could not be used"
        ):
            return
        if await self._keep_for_reply(guild_id, notice):
            await self._try(lambda: self._send_to_system(guild_id), event="the system channel could not be used")

    async def _keep_for_reply(self, guild_id: GuildId, notice: Trouble | End | News) -> bool:
        """Keep something for the next admin; tell whether it is the first."""
        before = await self._storage.notices.edit(
            _pending_key(guild_id), self._clock.now(), lambda stored: _encode([*_pending(stored), notice])
        )
        return not _pending(before)

    async def _put_back(self, guild_id: GuildId, pending: list[Kept]) -> None:
        await self._storage.notices.edit(
            _pending_key(guild_id), self._clock.now(), lambda stored: _encode([*pending, *_pending(stored)])
        )

    async def _send_to_log(
        self,
        guild_id: GuildId,
        card: Card,
        *,
        view: discord.ui.View | None = None,
        file: discord.File | None = None,
        whom: DiscordUserId | None = None,
    ) -> bool:
        """Post to the log channel, and call somebody to it; False where the guild has none."""
        channel_id = (await self._storage.guilds.settings(guild_id)).log_channel_id
        if channel_id is None:
            return False
        client = self._holder.current
        if client is None:
            raise TryLater(Later.NOT_CONNECTED)
        may_embed = _may_embed(client.get_guild(guild_id), channel_id)
        await client.get_partial_messageable(channel_id, guild_id=guild_id).send(
            content=_call(whom) if may_embed else text_of(card),  # a card calls nobody, whomever it names
            embed=embed_of(pages(card)[0]) if may_embed else discord.utils.MISSING,
            suppress_embeds=not may_embed,
            file=file or discord.utils.MISSING,
            view=view or discord.utils.MISSING,
            allowed_mentions=_only(whom),
        )
        return True

    async def _renderer(self, guild_id: GuildId, medium: Medium = Medium.DISCORD) -> Renderer:
        return await guild_renderer(guild_id, storage=self._storage, holder=self._holder, medium=medium)

    async def _send_to_system(self, guild_id: GuildId) -> bool:
        """Everybody reads that channel, so it says that there is news, and none of it."""
        client = self._holder.current
        guild = client.get_guild(guild_id) if client is not None else None
        if guild is None or guild.system_channel is None:
            return False
        text = system_channel_text(await self._renderer(guild_id))
        await guild.system_channel.send(text, allowed_mentions=discord.AllowedMentions.none())
        return True

    async def _flush_all(self, guild_id: GuildId) -> None:
        """Send what was gathered whenever it has been quiet for a while, until nothing is left."""
        try:
            while self._batches.get(guild_id):
                await self._gather(guild_id)
                if not await self._flush(guild_id):
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:  # else nobody would send what comes next
            del self._flushing[guild_id]

    async def _flush_in_time(self) -> None:
        """Send what was gathered, in every guild, as far as a moment allows."""
        if self._holder.current is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await asyncio.gather(*map(self._flush_rest, list(self._batches)))

    async def _flush_rest(self, guild_id: GuildId) -> None:
        """Send what was gathered, message by message, until nothing is left or one fails."""
        while self._batches.get(guild_id) and await self._flush(guild_id):
            pass

    async def _gather(self, guild_id: GuildId) -> None:
        latest = time.monotonic() + LONGEST_BATCH_SECONDS
        while True:
            wait = min(self._last_line_at[guild_id] + QUIET_SECONDS, latest) - time.monotonic()
            if wait <= 0:
                return
            await asyncio.sleep(wait)

    async def _flush(self, guild_id: GuildId) -> bool:
        """Send what was gathered, as much as one message takes; tell whether that is dealt with, sent or not."""
        changes = self._batches.pop(guild_id, [])
        try:
            if self._is_elsewhere(guild_id):  # it went out of sight meanwhile
                is_left = await self._leave_changes(guild_id, changes)
                self._keep(guild_id, [*([] if is_left else changes), *self._batches.get(guild_id, [])])
                return is_left
            left = await self._send_changes(guild_id, changes)
        except (discord.Forbidden, discord.NotFound) as error:
            is_gone = isinstance(error, discord.NotFound)
            await self._try(
                lambda: self._tell_shut(guild_id, is_gone=is_gone),
                event="how the log channel stands could not be told",
            )
            return True
        except FAILURES as error:
            log.warning("the log channel could not be used; its lines are kept", why=str(error), lines=len(changes))
            self._keep(guild_id, [*changes, *self._batches.get(guild_id, [])])
            return False
        except asyncio.CancelledError:
            self._keep(guild_id, [*changes, *self._batches.get(guild_id, [])])
            raise
        self._keep(guild_id, [*left, *self._batches.get(guild_id, [])])
        await self._try(
            lambda: self.over(guild_id, Solved(topic=Topic.LOG_CHANNEL)),
            event="how the log channel stands could not be told",
        )
        return True

    async def _tell_shut(self, guild_id: GuildId, *, is_gone: bool) -> None:
        channel_id = (await self._storage.guilds.settings(guild_id)).log_channel_id
        if channel_id is not None:
            await self.tell_admin(guild_id, LogChannelShut(channel_id=channel_id, is_gone=is_gone))

    async def _send_changes(self, guild_id: GuildId, changes: list[Change]) -> list[Change]:
        """Send the changes of one run that fit into one message, and return the others; very many go in a file."""
        changes, later = split_first_run(changes)
        if len(changes) > MOST_LINES_SHOWN:
            plain = await self._renderer(guild_id, Medium.PLAIN)
            lines = "\n\n".join(say_changes(plain, changes))
            card = many_changes_card(await self._renderer(guild_id), changes)
            await self._send_to_log(guild_id, card, file=discord.File(io.BytesIO(lines.encode()), "changes.txt"))
            return later
        card, left = changes_card(await self._renderer(guild_id), changes)
        return [*left, *later] if await self._send_to_log(guild_id, card) else []

    def _keep(self, guild_id: GuildId, changes: list[Change]) -> None:
        """Let changes wait, the newest of them; none is none."""
        self._batches[guild_id] = changes[-MOST_LINES_KEPT:]

    async def _try(self, act: Callable[[], Coroutine[object, object, bool | None]], *, event: str) -> bool:
        """Carry it out; a failure is logged, and is no."""
        try:
            return bool(await act())
        except FAILURES as error:
            log.warning(event, why=str(error))
            return False


def addressee(notice: Trouble | End | News) -> DiscordUserId | None:
    """Return whom a notice is for, where that is one person of the team: they are called to it."""
    return notice.given_by if isinstance(notice, CompEnding) else None


def _pending(stored: str | None) -> list[Kept]:
    return _KEPT.decode(stored) if stored else []


def _encode(pending: list[Kept]) -> str:
    return msgspec.json.encode(pending[-PENDING_KEPT:]).decode()


def _call(whom: DiscordUserId | None) -> str | None:
    return None if whom is None else f"<@{whom}>"


def _only(whom: DiscordUserId | None) -> discord.AllowedMentions:
    """Let this person be called, and nobody else."""
    if whom is None:
        return discord.AllowedMentions.none()
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(whom)])


def hold_buttons(renderer: Renderer, hold_id: HoldId) -> discord.ui.View:
    """Make the two buttons that answer a hold, the safe one first; `cogs/admin/holds.py` takes the press."""
    view = discord.ui.View(timeout=None)
    danger, plain = discord.ButtonStyle.danger, discord.ButtonStyle.secondary
    keep, remove = hold_labels(renderer)
    view.add_item(discord.ui.Button(label=keep, style=plain, custom_id=f"hold:discard:{hold_id}"))
    view.add_item(discord.ui.Button(label=remove, style=danger, custom_id=f"hold:apply:{hold_id}"))
    return view


def _trouble_key(guild_id: GuildId, key: str) -> str:
    return f"trouble:{guild_id}:{key}"


def _pending_key(guild_id: GuildId) -> str:
    return f"pending:{guild_id}"


def _may_embed(guild: discord.Guild | None, channel_id: ChannelId) -> bool:
    """Tell whether a channel takes cards from us; one that we don't see is tried."""
    channel = guild.get_channel(channel_id) if guild is not None else None
    return guild is None or channel is None or channel.permissions_for(guild.me).embed_links
