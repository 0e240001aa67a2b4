"""Looks at what cannot be counted but only seen, when somebody asks for the metrics. Changes nothing.

A database that is away, or slow to answer, takes nothing from the rest: then is when somebody looks.
"""

import asyncio
import time
from datetime import timedelta

from bot.discord.connection import look_at_discord
from bot.discord.holder import ClientHolder
from bot.discord.role_writer import RoleWriter
from bot.domain.errors import DatabaseAway
from bot.domain.processes import ProcessRole
from bot.domain.status import Backlog, DatabaseMoment
from bot.ops.gauges import Moment
from bot.ops.metrics import Metrics
from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard
from bot.storage import Storage
from bot.sync.applying.breakers import Breakers
from bot.sync.applying.reconcile import Reconciler
from bot.sync.webhooks.keeper import WebhookKeeper

LOOK_SECONDS = 4.0  # Prometheus gives up after ten, unless it is told otherwise


async def scrape(
    metrics: Metrics,
    *,
    roles: frozenset[ProcessRole],
    clock: Clock,
    sync_interval_seconds: int,
    storage: Storage,
    holder: ClientHolder,
    reconciler: Reconciler,
    breakers: Breakers,
    role_writer: RoleWriter,
    webhooks: WebhookKeeper,
    health: HealthBoard,
) -> bytes:
    """Return all metrics, the gauges as of now."""
    began = time.monotonic()
    stored = await look_at_database(storage)
    look_seconds = time.monotonic() - began
    report = health.report()
    return metrics.render(
        Moment(
            now=clock.now(),
            roles=roles,
            database=storage.database.dialect_name,
            sync_interval_seconds=sync_interval_seconds,
            parts={str(part): part_health for part, part_health in report.parts.items()},
            notes=frozenset(report.notes),
            people_waiting=_backlog(*reconciler.backlog()),
            patrons_waiting=_backlog(*reconciler.awaited()),
            open_breakers=len(breakers),
            are_writes_paused=role_writer.is_banned,
            discord=look_at_discord(holder),
            webhook_troubles=webhooks.count_troubles(),
            stored=stored,
            look_seconds=look_seconds,
        )
    )


async def look_at_database(storage: Storage) -> DatabaseMoment | None:
    """Return how the database stands; None where it doesn't say so in time."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await storage.monitoring.look()
    except (DatabaseAway, TimeoutError):
        return None


def _backlog(count: int, oldest_seconds: float) -> Backlog:
    return Backlog(count=count, oldest=timedelta(seconds=oldest_seconds))
