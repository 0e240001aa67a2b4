"""Says things in Discord that nobody asked for at that moment: to one person by DM, to a guild's admins by its log.

Rules:
1. Never raises: a message that fails is logged, and what it was about goes on.
2. Pings nobody and unfolds no address. Names from Patreon or Discord come escaped by whoever wrote the text.
3. A trouble is told once until it is over. Admins without a log channel read it above their next `/patreon` reply, and
   the server's system channel is used once for what has not been read yet.
4. Changes that come close together are one message. It is kept and sent again while Discord does not take it.
"""

import asyncio
import io
import time
from collections.abc import Callable, Coroutine, Sequence

import aiohttp
import discord
import msgspec
import structlog

from bot.discord.holder import ClientHolder
from bot.domain.changes import ChangeFound, RoleChanged
from bot.domain.errors import PledgekeeperError, TryLater
from bot.domain.model import DiscordUserId, GuildId, HoldId
from bot.linking.ports import Crier
from bot.linking.ports import Messenger as LinkMessenger
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.states import ButtonKind, ButtonPlace
from bot.sync.applying.apply import Herald
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import say_change
from bot.texts.renderer import Medium, Renderer

log = structlog.get_logger(__name__)

ADMINS = Renderer(ENGLISH, Medium.DISCORD)
CLIENT_WITHIN_SECONDS = 30.0
QUIET_SECONDS = 3.0  # a bulk run is one message, not a thousand: Discord takes about one role a second
LONGEST_BATCH_SECONDS = 600.0
AGAIN_SECONDS = 30.0
MOST_LINES_KEPT = 5000
MESSAGE_LENGTH = 2000  # discord-api-docs, Create Message
PENDING_KEPT = 10
FAILURES = (discord.DiscordException, PledgekeeperError, aiohttp.ClientError, OSError, TimeoutError)

NEWS = (
    "For those who manage roles here: I have news for you, and no log channel to tell it in. Any `/patreon` command "
    "shows it; `/patreon settings log_channel:` chooses a channel."
)
LOG_CHANNEL = "log_channel"
SHUT = (
    "I cannot write in <#{channel}>, this server's log channel ({why}). Let me see it and send messages there, or "
    "choose another one with `/patreon settings log_channel:`"
)
OPEN = "I can write in the log channel again"


class Messenger:
    """The bot's own voice."""

    def __init__(self, *, holder: ClientHolder, storage: Storage, clock: Clock) -> None:
        self._holder = holder
        self._storage = storage
        self._clock = clock
        self._noting = asyncio.Lock()
        self._batches: dict[GuildId, list[str]] = {}
        self._last_line_at: dict[GuildId, float] = {}
        self._flushing: dict[GuildId, asyncio.Task[None]] = {}

    # --- to one person

    async def edit_button(self, place: ButtonPlace, text: str) -> None:
        """Put `text` in place of the message that carried the link button, and take the button away."""
        await self._try("the link's message could not be edited", lambda: self._edit(place, text))

    async def tell(self, discord_user_id: DiscordUserId, text: str) -> None:
        """Send a direct message."""
        await self._try("a direct message could not be sent", lambda: self._send_dm(discord_user_id, text))

    async def _edit(self, place: ButtonPlace, text: str) -> None:
        client = await self._holder.wait_ready(CLIENT_WITHIN_SECONDS)
        if place.kind is ButtonKind.DM and place.channel_id is not None and place.message_id is not None:
            channel = client.get_partial_messageable(place.channel_id, type=discord.ChannelType.private)
            await channel.get_partial_message(place.message_id).edit(content=_cut(text), view=None)
        elif place.application_id is not None and place.token is not None:
            reply = discord.Webhook.partial(place.application_id, place.token.reveal(), client=client)
            # The reply to an interaction has a name in place of a number (discord-api-docs, Followup Messages).
            await reply.edit_message("@original", content=_cut(text), view=None)  # type: ignore[call-overload]  # see above

    async def _send_dm(self, discord_user_id: DiscordUserId, text: str) -> None:
        client = await self._holder.wait_ready(CLIENT_WITHIN_SECONDS)
        channel = await client.create_dm(discord.Object(discord_user_id))
        await channel.send(_cut(text), allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True)

    # --- to a guild's admins

    async def tell_admin(
        self, guild_id: GuildId, key: str, text: str, *, hold_id: HoldId | None = None, is_again: bool = False
    ) -> None:
        """Tell of a trouble, once until `over` is told of the same key unless `is_again`.

        With the buttons of a hold, if one is named.
        """
        noted = f"trouble:{guild_id}:{key}"
        async with self._noting:  # the same trouble may be found in two places at once
            if not is_again and await self._storage.notices.seen(noted) is not None:
                return
            await self._storage.notices.note(noted, self._clock.now(), text)
        await self._tell_guild(guild_id, f"⚠️ {text}", hold_id=hold_id)

    async def tell_news(self, guild_id: GuildId, text: str) -> None:
        """Tell what happened and is over; kept for the next admin where there is no log channel."""
        await self._tell_guild(guild_id, text)

    async def over(self, guild_id: GuildId, key: str, text: str) -> None:
        """Tell that a trouble is over, where it was told of."""
        if await self._storage.notices.clear(f"trouble:{guild_id}:{key}"):
            await self._tell_guild(guild_id, f"✅ {text}")

    async def told(self, guild_id: GuildId, prefix: str) -> tuple[str, ...]:
        """Return the keys, beginning so, of the troubles that were told of and are not over."""
        head = f"trouble:{guild_id}:"
        return tuple(key.removeprefix(head) for key in await self._storage.notices.keys(head + prefix))

    async def tell_changes(self, guild_id: GuildId, changes: Sequence[str | RoleChanged | ChangeFound]) -> None:
        """Tell the log channel, if there is one, what was changed; lines that come close together are one message."""
        lines = [one if isinstance(one, str) else say_change(ADMINS, one) for one in changes]
        if not lines:
            return
        self._keep(guild_id, [*self._batches.get(guild_id, []), *lines])
        self._last_line_at[guild_id] = time.monotonic()
        if guild_id not in self._flushing:
            task = asyncio.create_task(self._flush_all(guild_id), name=f"changes of guild {guild_id}")
            self._flushing[guild_id] = task

    async def take_pending(self, guild_id: GuildId) -> list[str]:
        """Return what the admins have not read yet, and forget it."""
        pending = await self._load_pending(guild_id)
        if pending:
            await self._storage.notices.clear(_pending_key(guild_id))
        return pending

    async def close(self) -> None:
        """Send what is still being gathered, while there is a client to send it."""
        for task in self._flushing.values():
            task.cancel()
        await asyncio.gather(*self._flushing.values(), return_exceptions=True)
        for guild_id in list(self._batches):
            if self._holder.current is not None:
                await self._flush(guild_id)

    async def _tell_guild(self, guild_id: GuildId, text: str, *, hold_id: HoldId | None = None) -> None:
        view = hold_buttons(hold_id) if hold_id is not None else None
        if await self._try("the log channel could not be used", lambda: self._send_to_log(guild_id, text, view=view)):
            return
        pending = await self._load_pending(guild_id)
        kept = [*pending, text][-PENDING_KEPT:]
        await self._storage.notices.note(_pending_key(guild_id), self._clock.now(), msgspec.json.encode(kept).decode())
        if not pending:
            await self._try("the system channel could not be used", lambda: self._send_to_system(guild_id))

    async def _send_to_log(
        self, guild_id: GuildId, text: str, *, file: discord.File | None = None, view: discord.ui.View | None = None
    ) -> bool:
        channel_id = (await self._storage.guilds.settings(guild_id)).log_channel_id
        if channel_id is None:
            return False
        client = self._holder.current
        if client is None:
            raise TryLater("Discord is not connected")
        channel = client.get_partial_messageable(channel_id, guild_id=guild_id)
        await channel.send(
            _cut(text),
            file=file or discord.utils.MISSING,
            view=view or discord.utils.MISSING,
            allowed_mentions=discord.AllowedMentions.none(),
            suppress_embeds=True,
        )
        return True

    async def _send_to_system(self, guild_id: GuildId) -> bool:
        """Everybody reads that channel, so it says that there is news, and none of it."""
        client = self._holder.current
        guild = client.get_guild(guild_id) if client is not None else None
        if guild is None or guild.system_channel is None:
            return False
        await guild.system_channel.send(NEWS, allowed_mentions=discord.AllowedMentions.none())
        return True

    async def _flush_all(self, guild_id: GuildId) -> None:
        """Send what was gathered whenever it has been quiet for a while, until nothing is left."""
        while self._batches.get(guild_id):
            await self._gather(guild_id)
            if not await self._flush(guild_id):
                await asyncio.sleep(AGAIN_SECONDS)
        del self._flushing[guild_id]

    async def _gather(self, guild_id: GuildId) -> None:
        latest = time.monotonic() + LONGEST_BATCH_SECONDS
        while True:
            wait = min(self._last_line_at[guild_id] + QUIET_SECONDS, latest) - time.monotonic()
            if wait <= 0:
                return
            await asyncio.sleep(wait)

    async def _flush(self, guild_id: GuildId) -> bool:
        """Send what was gathered; tell whether it is dealt with, sent or not."""
        lines = self._batches.pop(guild_id, [])
        try:
            await self._send_changes(guild_id, lines)
        except (discord.Forbidden, discord.NotFound) as error:
            channel = (await self._storage.guilds.settings(guild_id)).log_channel_id
            await self.tell_admin(guild_id, LOG_CHANNEL, SHUT.format(channel=channel, why=error.text or error.status))
            return True
        except FAILURES as error:
            log.warning("the log channel could not be used; its lines are kept", why=str(error), lines=len(lines))
            self._keep(guild_id, [*lines, *self._batches.get(guild_id, [])])
            return False
        except asyncio.CancelledError:
            self._keep(guild_id, [*lines, *self._batches.get(guild_id, [])])
            raise
        await self.over(guild_id, LOG_CHANNEL, OPEN)
        return True

    async def _send_changes(self, guild_id: GuildId, lines: list[str]) -> None:
        whole = "\n".join(lines)
        if len(whole) <= MESSAGE_LENGTH:
            await self._send_to_log(guild_id, whole)
            return
        file = discord.File(io.BytesIO(whole.encode()), "changes.txt")
        await self._send_to_log(guild_id, f"{len(lines)} role changes, listed in the file.", file=file)

    def _keep(self, guild_id: GuildId, lines: list[str]) -> None:
        self._batches[guild_id] = lines[-MOST_LINES_KEPT:]

    async def _load_pending(self, guild_id: GuildId) -> list[str]:
        stored = await self._storage.notices.seen(_pending_key(guild_id))
        return msgspec.json.decode(stored, type=list[str]) if stored else []

    async def _try(self, event: str, act: Callable[[], Coroutine[object, object, bool | None]]) -> bool:
        """Carry it out; a failure is logged, and is no."""
        try:
            return bool(await act())
        except FAILURES as error:
            log.warning(event, why=str(error))
            return False


def hold_buttons(hold_id: HoldId) -> discord.ui.View:
    """Make the two buttons that answer a hold; `cogs/admin/holds.py` takes the press."""
    view = discord.ui.View(timeout=None)
    danger, plain = discord.ButtonStyle.danger, discord.ButtonStyle.secondary
    view.add_item(discord.ui.Button(label="Apply: remove them", style=danger, custom_id=f"hold:apply:{hold_id}"))
    view.add_item(discord.ui.Button(label="Discard: keep them", style=plain, custom_id=f"hold:discard:{hold_id}"))
    return view


def _pending_key(guild_id: GuildId) -> str:
    return f"pending:{guild_id}"


def _cut(text: str, length: int = MESSAGE_LENGTH) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _fits_the_ports(messenger: Messenger) -> tuple[LinkMessenger, Herald, Crier]:
    """Let the type checker prove that the messenger is what its users ask for."""
    return messenger, messenger, messenger
