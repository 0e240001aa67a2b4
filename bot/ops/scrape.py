"""Looks at what cannot be counted but only seen, when somebody asks for the metrics. Changes nothing."""

from bot.ops.metrics import Metrics, Moment
from bot.runtime.health import HealthBoard
from bot.storage import Storage
from bot.sync.applying.breakers import Breakers
from bot.sync.applying.holds import Holds
from bot.sync.applying.reconcile import Reconciler


async def scrape(
    metrics: Metrics,
    *,
    storage: Storage,
    reconciler: Reconciler,
    breakers: Breakers,
    holds: Holds,
    health: HealthBoard,
) -> bytes:
    """Return all metrics, the gauges as of now."""
    people_waiting, oldest_seconds = reconciler.backlog()
    guild_ids = {binding.guild_id for binding in await storage.campaigns.bindings()}
    open_holds = [await holds.open_holds(guild_id) for guild_id in guild_ids]
    ages = await storage.credentials.oldest_ages()
    return metrics.render(
        Moment(
            people_waiting=people_waiting,
            oldest_seconds=oldest_seconds,
            nudges_waiting=await storage.nudges.count(),
            open_breakers=len(breakers),
            open_holds=sum(map(len, open_holds)),
            tokens_obtained_at={str(kind): obtained_at for kind, obtained_at in ages.items()},
            parts={str(part): part_health for part, part_health in health.report().parts.items()},
        )
    )
