"""A world as a file: written as it stands now, and read again as it stood.

In it are people, servers, roles, campaigns, standings, and the time. Not in it: tokens and secrets (new at each start),
messages, webhooks and whatever the bot remembers, for these belong to one run of one bot.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from sandbox.clock import SandboxClock
from sandbox.saved.discord import SavedDiscord, load_discord, save_discord
from sandbox.saved.patreon import SavedPatreon, load_patreon, save_patreon
from sandbox.world import World

FORMAT = "pledgekeeper-sandbox-world/1"


class SavedWorld(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The file's outline."""

    format: str
    now: Annotated[datetime, msgspec.Meta(tz=True)]
    guild_id: str
    campaign_id: str
    api_version: int
    discord: SavedDiscord
    patreon: SavedPatreon


class BadWorldFile(Exception):
    """The file is no world of ours; the text says where it is wrong."""


def write_world(world: World, now: datetime) -> bytes:
    """Return the world as JSON."""
    saved = SavedWorld(
        format=FORMAT,
        now=now,
        guild_id=world.guild.id,
        campaign_id=world.campaign.id,
        api_version=world.client.api_version,
        discord=save_discord(world.discord),
        patreon=save_patreon(world.patreon),
    )
    return msgspec.json.encode(saved)


def read_world(path: Path, *, clock: SandboxClock, redirect_uris: list[str]) -> World:
    """Read a world and set the clock to its time. Raises BadWorldFile."""
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=SavedWorld)
        if saved.format != FORMAT:
            raise BadWorldFile(f"{path} has the format {saved.format!r}, not {FORMAT!r}")
        return _build(saved, clock, redirect_uris)
    except OSError as error:
        raise BadWorldFile(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise BadWorldFile(f"{path} is no world of the sandbox: {error}") from error
    except KeyError as error:
        raise BadWorldFile(f"{path} names {error}, which is not in it") from error


def _build(saved: SavedWorld, clock: SandboxClock, redirect_uris: list[str]) -> World:
    clock.begin_at(saved.now)
    discord = load_discord(saved.discord, clock)
    patreon = load_patreon(saved.patreon, clock)
    campaign = patreon.campaigns[saved.campaign_id]
    client = patreon.add_client(redirect_uris, owner=campaign.creator, api_version=saved.api_version)
    guild = discord.guilds[saved.guild_id]
    return World(discord=discord, guild=guild, patreon=patreon, campaign=campaign, client=client)
