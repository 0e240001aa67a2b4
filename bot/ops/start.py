"""Says once, soon after the start, what this process works with and what is missing; then only changes are logged.

It waits for Discord and for the first read of Patreon, though not for long: where they don't come, it says that.
"""

import asyncio
import time

import structlog

from bot import __version__
from bot.discord.connection import look_at_discord
from bot.discord.holder import ClientHolder
from bot.discord.identify_pace import PACE_SECONDS
from bot.domain.processes import ProcessRole
from bot.domain.start import StartFacts, find_missing
from bot.ops.scrape import look_at_database
from bot.runtime.health import HealthBoard, Note
from bot.settings import Settings
from bot.storage import Storage
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.start import say_start

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.1


async def tell_start(
    *,
    settings: Settings,
    roles: frozenset[ProcessRole],
    port: int,
    storage: Storage,
    holder: ClientHolder,
    health: HealthBoard,
) -> None:
    """Wait until everything works, or for a moment, and sum up what there is."""
    since = time.monotonic()
    while not _has_begun(health, roles) and time.monotonic() < since + _patience(holder):  # noqa: ASYNC110  no event
        await asyncio.sleep(LOOK_SECONDS)
    facts = StartFacts(
        version=__version__,
        roles=tuple(sorted(roles)),
        public_url=settings.public_url,
        address=f"{settings.web_host}:{port}",
        database=storage.database.dialect_name,
        sync_interval_seconds=settings.sync_interval_seconds,
        is_alone=not storage.database.is_shared,
        is_in_reserve=health.has(Note.IN_RESERVE),
        discord=look_at_discord(holder) if holder.current is not None else None,
        stored=await look_at_database(storage),
        notes=frozenset(map(str, health.report().notes)),
    )
    missing = find_missing(facts)
    discord, stored = facts.discord, facts.stored
    log.info(
        "pledgekeeper runs",
        block=say_start(Renderer(ENGLISH, Medium.PLAIN), facts, missing),
        version=facts.version,
        roles=list(facts.roles),
        public_url=facts.public_url,
        address=facts.address,
        database=facts.database,
        interval_seconds=facts.sync_interval_seconds,
        servers=None if discord is None else discord.servers,
        shards=None if discord is None else discord.shards_connected + discord.shards_away,
        sees_members=None if discord is None else discord.sees_members,
        campaigns=None if stored is None else sum(stored.campaigns.values()),
        rules=None if stored is None else stored.rules,
        links=None if stored is None else stored.links,
        missing=list(missing),
    )


def _patience(holder: ClientHolder) -> float:
    """Return how many seconds to wait: Discord lets shards begin one after the other."""
    seen = look_at_discord(holder)
    shards = seen.shards_connected + seen.shards_away
    return PATIENCE_SECONDS + PACE_SECONDS * max(0, shards - 1)


def _has_begun(health: HealthBoard, roles: frozenset[ProcessRole]) -> bool:
    """Tell whether this process is at Discord and has read something of Patreon, where it should.

    One that is in reserve may have shards in a moment, for all are starting.
    """
    is_at_discord = health.was_ever_ok("gateway") and not health.has(Note.IN_RESERVE)
    is_at_discord |= ProcessRole.GATEWAY not in roles
    return is_at_discord and (ProcessRole.WORKER not in roles or health.was_ever_ok("sync"))
