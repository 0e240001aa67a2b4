"""Says what other processes left to say (`sayings.py`): in the guilds that this one shows, and to single people.

| who says it                                   | what is left                     |
|-----------------------------------------------|----------------------------------|
| whoever shows the guild                       | to a guild                       |
| whoever has shard 0, where people write to us | to one person                    |

No two processes show the same guild, or have shard 0, so no row is said by two. A row is ended when it was said: killed
in between, it is said twice.

| it fails                                              | the row                                       |
|-------------------------------------------------------|-----------------------------------------------|
| for good: no such thing, place, person or right       | is ended                                      |
| in any other way                                      | stays, and is tried after a pause, then longer |
| for a day, or nobody shows the guild for so long      | is ended                                      |

What is said in a guild never fails by Discord: the notifier keeps it for the next admin.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import NoReturn, assert_never

import discord
import msgspec
import structlog

from bot.discord.direct_messages import FAILURES, DirectMessages
from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.discord.sayings import SayChanges, SayEnding, SayNews, SayNotice, read_saying
from bot.domain.model import GuildId
from bot.runtime.doorbell import Doorbell
from bot.storage import Storage
from bot.storage.messages import Message
from bot.storage.vault import VaultKeyMissing

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
KEPT = timedelta(days=1)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
MOST_LISTED = 500
AT_ONCE = 5  # places that are spoken to: one that is slow must not keep the others waiting
CLIENT_ERRORS = range(400, 500)
OURS_TO_MEND = {401, 429}  # our own token, our pace
TOKEN_RAN_OUT = 50027  # discord-api-docs, JSON Error Codes: of a reply


class Outbox:
    """Looks every two seconds, and when it is rung."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        notifier: Notifier,
        messages: DirectMessages,
        covers_people: Callable[[], bool],
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._notifier = notifier
        self._messages = messages
        self._covers_people = covers_people  # tells whether those to single people are ours to say
        self._bell = Doorbell()
        self._later: dict[int, tuple[float, float]] = {}  # by row: when it is tried again (monotonic), and the pause

    def ring(self) -> None:
        """Look now."""
        self._bell.ring()

    async def run(self) -> NoReturn:
        """Say whatever is left, until cancelled."""
        while True:
            await self.take()
            await self._bell.wait(LOOK_SECONDS)

    async def take(self) -> None:
        """Say what is left and is ours to say."""
        places = await self._storage.messages.list_guilds()
        ours = places.intersection(self._observer.guild_ids())
        with_people = None in places and self._covers_people()
        if not ours and not with_people:
            return
        guild_ids = [one for one in ours if one is not None]
        found = await self._storage.messages.list_for(guild_ids, with_people=with_people, limit=MOST_LISTED)
        self._later = {one.message_id: self._later[one.message_id] for one in found if one.message_id in self._later}
        at_once = asyncio.Semaphore(AT_ONCE)

        async def say_in_turn(messages: Iterable[Message]) -> None:
            async with at_once:
                for message in messages:
                    await self._say_and_end(message)

        await asyncio.gather(*map(say_in_turn, _by_place(found)))

    async def sweep(self) -> None:
        """Forget what nobody could say for a day."""
        count = await self._storage.messages.purge(KEPT)
        if count:
            log.warning("what was to be said could not be, for a day", messages=count)

    async def _say_and_end(self, message: Message) -> None:
        again_at, pause = self._later.get(message.message_id, (0.0, FIRST_PAUSE_SECONDS / 2))
        if time.monotonic() < again_at:
            return
        try:
            await self._say(message)
        except (msgspec.MsgspecError, VaultKeyMissing) as error:
            log.warning("what another process left to say is not understood", why=str(error))
        except FAILURES as error:
            if not _is_final(error):
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                self._later[message.message_id] = time.monotonic() + pause, pause
                log.info("what another process left to say is said later", why=str(error), seconds=pause)
                return
            log.warning("what another process left to say could not be said", why=str(error))
        await self._storage.messages.end([message])

    async def _say(self, message: Message) -> None:
        saying = read_saying(message.body)
        match saying:
            case SayNotice():
                await self._notifier.say(_guild_of(message), saying.notice)
            case SayChanges():
                await self._notifier.tell_changes(_guild_of(message), saying.changes)
            case SayNews():
                await self._messages.send_news(saying)
            case SayEnding():
                sealed = message.secret_sealed
                await self._messages.put_ending(saying, None if sealed is None else self._storage.vault.open(sealed))
            case _:
                assert_never(saying)


def covers_people(client: discord.Client | None) -> bool:
    """Tell whether a client has the shard that hears what people write to us (discord-api-docs, Sharding: shard 0)."""
    if client is None:
        return False
    if isinstance(client, discord.AutoShardedClient):
        return 0 in (client.shard_ids or client.shards)
    return client.shard_id in {None, 0}


def _by_place(messages: Iterable[Message]) -> list[list[Message]]:
    """Put together what is said in one guild, in order; what is said to people is each on its own."""
    places: dict[object, list[Message]] = defaultdict(list)
    for one in messages:
        places[one.guild_id if one.guild_id is not None else ("person", one.message_id)].append(one)
    return list(places.values())


def _guild_of(message: Message) -> GuildId:
    if message.guild_id is None:
        raise msgspec.ValidationError
    return message.guild_id


def _is_final(error: BaseException) -> bool:
    """Tell whether Discord would say the same again."""
    if not isinstance(error, discord.HTTPException) or error.status not in CLIENT_ERRORS:
        return False
    return error.status not in OURS_TO_MEND or error.code == TOKEN_RAN_OUT
