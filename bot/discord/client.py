"""The Discord client: what it asks to see, where it connects, which commands it offers.

Rules:
1. It sees guilds and, where the application may, their members; never messages. It caches nobody: whoever we follow is
   asked for by id.
2. Every address hangs under DISCORD_API_URL; the gateway is the one that `GET /gateway/bot` names there.
3. Commands are registered in the background (`discord/registration.py`): nobody waits for them.
4. Where several processes share the servers, each client runs some of the shards. One that loses its connection leaves
   the others alone: its servers are out of sight until discord.py has resumed it or begun a new session of it.
A client lives once: after its end the supervisor builds a fresh one. What the commands do is in `cogs/`.
"""

import asyncio
import contextlib
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import discord
import structlog
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord.embeds import TURN, Pager
from bot.discord.holder import ClientHolder
from bot.discord.identify_pace import IdentifyPace, WaitTurn
from bot.discord.registration import CommandRegistration
from bot.discord.replies import answer_error, may_go_on, turn_page
from bot.discord.request_pace import RequestPace
from bot.discord.request_watch import NoteRequest, watch_requests
from bot.discord.silence import silenced_unless
from bot.discord.translator import CommandTranslator
from bot.domain.errors import DatabaseAway
from bot.domain.model import GuildId, Secret
from bot.domain.shards import Shards

log = structlog.get_logger(__name__)

SPARE_IDENTIFIES = 200  # of a thousand a day; whoever uses them all up gets a new token (discord-api-docs, Gateway)
WORK = ("discord.py: ", "CommandTree-", "discord-ui-")  # how discord.py names the tasks of events, commands, buttons
WORK_SECONDS = 1.5
REGISTERED_WITHIN_SECONDS = 5.0  # for so long the first connection waits for the commands, that they be there with it
CLAIM_SECONDS = 1.0  # of the three within which a command must be answered
LONGEST_LIMIT_SECONDS = 120.0  # a longer wait that Discord asks for is an error, and whoever asked decides
GUILD_READY_SECONDS = 0.5  # discord.py's own wait, after the last guild that came
GUILDS_SECONDS = 5.0  # that a guild's outage may keep us from the others; one that comes later is looked at then


class PledgekeeperBot(commands.Bot):
    """One connection to Discord, with the commands and events of `cogs/`."""

    renews_sessions = False  # where a connection cannot be resumed: a fresh client is as quick

    def __init__(
        self,
        *,
        holder: ClientHolder,
        registration: CommandRegistration,
        add_cogs: "AddCogs",
        has_members_intent: bool,
        claim: "Claim | None" = None,
        **options: Any,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=CommandTree,
            intents=discord.Intents(guilds=True, members=has_members_intent),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=GUILD_READY_SECONDS,
            max_ratelimit_timeout=LONGEST_LIMIT_SECONDS,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            **options,
        )
        self.holder = holder
        self.pager = Pager()
        self.button_handlers: dict[str, ButtonHandler] = {TURN: turn_page}
        self._registration = registration
        self._add_cogs = add_cogs
        self._claim = claim
        self._pause = 0.0
        self._max_concurrency = 1
        self._is_connected = False
        self._registering: asyncio.Task[None] | None = None

    @property
    def sessions(self) -> int:
        """How many it begins."""
        return 1

    @property
    def connected_sessions(self) -> int | None:
        """How many have begun; None while it waits for its turn."""
        return int(self.ws is not None) or None

    @property
    def is_whole(self) -> bool:
        """Tell whether all of it has shown its servers, and is not connecting again."""
        return self.is_ready()

    def covers(self, guild_id: GuildId) -> bool:  # noqa: ARG002
        """Tell whether it hears of a server, where the bot is in it."""
        return True

    @property
    def is_alive(self) -> bool:
        """Tell whether it is whole and its heartbeats are answered: otherwise its latency is endless."""
        return self.is_whole and math.isfinite(self.latency)

    @property
    def missing_shards(self) -> list[int]:
        """Name the shards that are not alive, where it has several."""
        return []

    async def renew(self, guild: discord.Guild) -> bool:  # noqa: ARG002
        """Get a guild anew that an event of a wrong shape spoilt; False where that takes a fresh client."""
        return False

    async def takes(self, interaction_id: int) -> bool:
        """Tell whether it is this client that answers: another process's session may have been told of the same.

        Whoever cannot find out answers: Discord takes but one answer.
        """
        if self._claim is None:
            return True
        try:
            async with asyncio.timeout(CLAIM_SECONDS):
                return await self._claim(interaction_id)
        except (DatabaseAway, TimeoutError) as away:
            log.warning("whose a command is could not be found out", why=repr(away))
            return True

    async def setup_hook(self) -> None:
        """Get ready between login and connection. Raises PrivilegedIntentsRequired where members may not be seen."""
        if self.intents.members and not _may_see_members(self.application):
            raise discord.PrivilegedIntentsRequired(None)
        await self._choose_gateway()
        await self.tree.set_translator(CommandTranslator())
        await self._add_cogs(self)
        await self._register_commands()

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect, after a while where a day's connections run short."""
        if self._pause > 0:
            log.warning("few connections to discord are left today", seconds=self._pause)
            await asyncio.sleep(self._pause)
        await super().connect(reconnect=reconnect)

    async def close(self) -> None:
        """Disconnect, once the commands and events under way have ended; they are given a little time."""
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
        own = asyncio.current_task()
        work = {task for task in asyncio.all_tasks() if task.get_name().startswith(WORK) and task is not own}
        if work:
            await asyncio.wait(work, timeout=WORK_SECONDS)
        await super().close()

    async def on_ready(self) -> None:
        """Let the others work with this client, once its guilds are shown."""
        self._is_connected = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GUILDS_SECONDS):
                while any(guild.unavailable for guild in self.guilds):
                    await self.wait_for("guild_available")
        if self._is_connected:
            log.info("connected to discord", servers=len(self.guilds), sees_members=self.intents.members)
            self.holder.put(self)

    async def on_resumed(self) -> None:
        """Let the others go on."""
        if self.is_ready():
            self.holder.put(self)

    async def on_disconnect(self) -> None:
        """Let the others wait."""
        self._is_connected = False
        self.holder.lose(self)

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """Log what an event's listener raised; the next event is another matter."""
        log.error("an event could not be handled", event_name=event_method, exc_info=sys.exc_info())

    async def _choose_gateway(self) -> None:
        _, url, limit = await self.http.get_bot_gateway()
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
        self._max_concurrency = limit["max_concurrency"]
        self._pause = identify_pause(
            remaining=limit["remaining"], reset_after_seconds=limit["reset_after"] / 1000, sessions=self.sessions
        )

    async def _register_commands(self) -> None:
        self._registering = asyncio.create_task(self._registration.run(self), name="registration of the commands")
        await asyncio.wait({self._registering}, timeout=REGISTERED_WITHIN_SECONDS)


class ShardedBot(PledgekeeperBot, discord.AutoShardedClient):
    """The same on some shards: the servers of the others are unknown to it."""

    renews_sessions = True  # one by one; a fresh client begins all of them anew

    def __init__(self, *, shards: Shards, wait_turn: WaitTurn, **named: Any) -> None:
        super().__init__(shard_ids=list(shards.ids), shard_count=shards.count, **named)
        self._own_shards = shards
        self._wait_turn = wait_turn
        self._waiting = 0  # for a turn, or for the end of a pause
        self._away: set[int] = set()  # shards that lost their connection
        self._before: dict[int, list[discord.Guild]] = {}  # what they showed then
        self._renewing: asyncio.Task[None] | None = None
        self._gone: dict[int, discord.Guild] = {}  # what a new session did not show any more

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """The guilds in sight."""
        away = self._find_away()
        return [guild for guild in super().guilds if self._is_in_sight(guild, away)]

    def get_guild(self, id: int, /) -> discord.Guild | None:  # noqa: A002  discord.py's own name
        """Return a guild in sight."""
        guild = super().get_guild(id)
        return guild if guild is not None and self._is_in_sight(guild, self._find_away()) else None

    def _is_in_sight(self, guild: discord.Guild, away: set[int]) -> bool:
        return guild.shard_id not in away and self._gone.get(guild.id) is not guild

    def _find_away(self) -> set[int]:
        """Return the shards without a session: discord.py tells of one only when it begins to connect it again."""
        return self._away | {shard_id for shard_id, shard in self.shards.items() if shard.is_closed()}

    @property
    def sessions(self) -> int:
        """How many it begins: one for each shard."""
        return len(self.shard_ids or ())

    @property
    def connected_sessions(self) -> int | None:
        """How many have begun; None while one waits for its turn."""
        return None if self._waiting else len(self.shards)

    @property
    def is_whole(self) -> bool:
        """Tell whether all shards have shown their servers once, and none is connecting again."""
        return self.is_ready() and not self._find_away()

    @property
    def missing_shards(self) -> list[int]:
        """Name the shards that are not alive, once all have begun."""
        silent = {shard_id for shard_id, latency in self.latencies if not math.isfinite(latency)}
        return sorted(self._find_away() | silent) if self.is_ready() else []

    def covers(self, guild_id: GuildId) -> bool:
        """Tell whether one of its shards hears of a server, where the bot is in it."""
        return self._own_shards.covers(guild_id)

    async def renew(self, guild: discord.Guild) -> bool:
        """Get a guild anew that an event of a wrong shape spoilt: by a new session of its shard."""
        log.warning("an event of a wrong shape spoilt a server: its shard begins anew", guild_id=guild.id)
        shard = self.get_shard(guild.shard_id)
        if shard is None:
            return False
        # In a task of its own: discord.py swallows what cancels it.
        self._renewing = asyncio.create_task(shard.reconnect(), name=f"renewal of shard {shard.id}")
        await asyncio.wait({self._renewing})
        if not self._renewing.cancelled():
            self._renewing.result()
        return True

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect the shards, one after another."""
        self._waiting += 1
        await super().connect(reconnect=reconnect)

    async def close(self) -> None:
        """Disconnect all shards; one that is being renewed, too."""
        if self._renewing is not None:
            self._renewing.cancel()
        await super().close()

    async def launch_shards(self) -> None:
        """Begin, once the pause of a day that runs short is over."""
        self._waiting -= 1
        await super().launch_shards()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002
        """Wait for this shard's turn."""
        self._waiting += 1
        try:
            await self._wait_turn(shard_id or 0, self._max_concurrency)
        finally:
            self._waiting -= 1

    async def on_disconnect(self) -> None:
        """Nothing: one shard's connection is not all of them."""

    async def on_resumed(self) -> None:
        """Nothing: it is told of the shard too."""

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Let the servers of a shard be out of sight; without any shard the others wait."""
        if shard_id not in self._away:
            self._away.add(shard_id)
            self._before[shard_id] = [guild for guild in super().guilds if guild.shard_id == shard_id]
        if len(self._find_away()) == self.sessions:
            await super().on_disconnect()

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Let them be in sight again, as they were."""
        await self._be_back(shard_id)

    async def on_shard_connect(self, shard_id: int) -> None:
        """Let a new session show them, one by one."""
        await self._be_back(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        """Take those for gone that a new session does not know: discord.py keeps them."""
        for guild in self._before.pop(shard_id, ()):
            if super().get_guild(guild.id) is guild:
                self._gone[guild.id] = guild
                self.dispatch("guild_remove", guild)

    async def _be_back(self, shard_id: int) -> None:
        self._away.discard(shard_id)
        await super().on_resumed()


Interaction = discord.Interaction[PledgekeeperBot]
Claim = Callable[[int], Awaitable[bool]]
"""Takes an interaction by its id; False where another process has it."""
AddCogs = Callable[[PledgekeeperBot], Awaitable[None]]
ButtonHandler = Callable[[Interaction, str], Awaitable[None]]


class CommandTree(app_commands.CommandTree[PledgekeeperBot]):
    """The commands, with one answer to whatever goes wrong in them."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Let nothing be done twice, nor in a server that Discord does not show."""
        return await may_go_on(interaction)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Say what went wrong."""
        await answer_error(interaction, error)


def build_client(
    *,
    api_url: str,
    holder: ClientHolder,
    registration: CommandRegistration,
    add_cogs: AddCogs,
    has_members_intent: bool,
    may_speak: Callable[[], bool] = lambda: True,
    pace: RequestPace | None = None,
    note_request: NoteRequest = lambda *_: None,
    claim: Claim | None = None,
    shards: Shards | None = None,
    wait_turn: WaitTurn | None = None,
) -> PledgekeeperBot:
    """Build a client that has not logged in yet: of some shards, or (None) of the whole bot.

    `may_speak` is asked before each request goes out, once `pace` lets it; `note_request` is told of its end. `claim`:
    where several processes may be told of one command.
    `wait_turn` paces the sessions of shards; a fresh client should be given the one that the last had.
    """
    _prepare(api_url)
    build: Callable[..., PledgekeeperBot] = PledgekeeperBot
    if shards is not None:
        build = partial(ShardedBot, shards=shards, wait_turn=wait_turn or IdentifyPace().wait_turn)
    trace = silenced_unless(may_speak) if pace is None else silenced_unless(may_speak, pace.wait_turn)
    return build(
        holder=holder,
        registration=registration,
        add_cogs=add_cogs,
        has_members_intent=has_members_intent,
        claim=claim,
        http_trace=watch_requests(trace, note_request),
    )


async def ask_recommended_shards(*, api_url: str, token: Secret) -> int:
    """Ask Discord how many shards our servers need."""
    _prepare(api_url)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:  # without, the library warns
        await client.login(token.reveal())
        shards, _, _ = await client.http.get_bot_gateway()
    return shards


def _prepare(api_url: str) -> None:
    Route.BASE = api_url
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we never speak


def identify_pause(*, remaining: int, reset_after_seconds: float, sessions: int = 1) -> float:
    """Return how many seconds to wait before new sessions, so that a day of crashes cannot use all of them up."""
    if remaining > SPARE_IDENTIFIES:
        return 0.0
    return min(reset_after_seconds, reset_after_seconds * sessions / max(remaining, 1))


def _may_see_members(application: discord.AppInfo | None) -> bool:
    """Read the application's switches: connecting without the right to an intent is a refusal."""
    if application is None:
        return False
    return application.flags.gateway_guild_members or application.flags.gateway_guild_members_limited
