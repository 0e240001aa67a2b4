"""The world that the sandbox opens with: one of three sizes, or one from a file.

The same seed gives the same people, names and ids; dates count back from now, and tokens are fresh at each start.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox import crowd, emberwood
from sandbox.clock import SandboxClock
from sandbox.discord.state import DiscordState, Guild
from sandbox.patreon import Campaign, Client, PatreonState


@dataclass(frozen=True, kw_only=True)
class World:
    """The two states, and those of their parts that the settings of a bot name."""

    discord: DiscordState
    guild: Guild
    patreon: PatreonState
    campaign: Campaign
    client: Client


SIZES: dict[str, Callable[[DiscordState, PatreonState, int], None]] = {
    "small": lambda _discord, _patreon, _seed: None,
    "shop": crowd.open_shop,
    "huge": crowd.fill_huge,
}
"""What each world has beyond the dozen people of the small one."""


def build_world(
    *, clock: SandboxClock, seed: int, redirect_uris: list[str], api_version: int = 2, size: str = "small"
) -> World:
    """Build a world: the server and the campaign of Emberwood, and as much more as the size says."""
    discord = DiscordState(clock=clock, seed=seed)
    guild = emberwood.build_guild(discord)
    patreon = PatreonState(clock, seed)
    creator = patreon.add_creator("Wren Ashdown", campaign_name="Emberwood Tales")
    emberwood.Patrons(patreon, creator, seed).build(guild)
    SIZES[size](discord, patreon, seed)
    client = patreon.add_client(redirect_uris, owner=creator, api_version=api_version)
    return World(discord=discord, guild=guild, patreon=patreon, campaign=creator.campaign, client=client)
