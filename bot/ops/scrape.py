"""Looks at what cannot be counted but only seen, when somebody asks for the metrics. Changes nothing."""

from bot.ops.metrics import Moment
from bot.services import Services


async def scrape(services: Services) -> bytes:
    """Return all metrics, the gauges as of now."""
    people_waiting, oldest_seconds = services.reconciler.backlog()
    guild_ids = {binding.guild_id for binding in await services.storage.campaigns.bindings()}
    holds = [await services.holds.open_holds(guild_id) for guild_id in guild_ids]
    ages = await services.storage.credentials.oldest_ages()
    return services.metrics.render(
        Moment(
            people_waiting=people_waiting,
            oldest_seconds=oldest_seconds,
            nudges_waiting=len(services.nudges),
            open_breakers=len(services.breakers),
            open_holds=sum(map(len, holds)),
            tokens_obtained_at={str(kind): obtained_at for kind, obtained_at in ages.items()},
            parts={str(part): health for part, health in services.health.report().parts.items()},
        )
    )
