"""What the page shows and moves: the parts of one sandbox, gathered for its handlers."""

from dataclasses import dataclass, field

from aiohttp import web

from sandbox.bots import Bots
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordStandIn, Interaction
from sandbox.page.live import Live
from sandbox.page.roster import Rosters
from sandbox.page.timeline import Timeline
from sandbox.patreon import PatreonStandIn
from sandbox.weather import Weather
from sandbox.world import World


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that a handler may read or act on; `open_modals` are by the user who sees them."""

    clock: SandboxClock
    weather: Weather
    world: World
    discord: DiscordStandIn
    patreon: PatreonStandIn
    bots: Bots
    bot_url: str
    live: Live
    timeline: Timeline
    rosters: Rosters
    open_modals: dict[str, Interaction] = field(default_factory=dict)


PARTS = web.AppKey("parts", Parts)


def parts_of(request: web.Request) -> Parts:
    """Return the parts of the sandbox that this request came to."""
    return request.app[PARTS]
