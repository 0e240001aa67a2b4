"""How this process is connected to Discord, for whoever watches it. Asks nobody: discord.py knows."""

import math

import discord

from bot.discord.client import PledgekeeperBot
from bot.discord.holder import ClientHolder
from bot.domain.status import DiscordMoment


def look_at_discord(holder: ClientHolder) -> DiscordMoment:
    """Say how the client of the moment is; all zero without one."""
    client = holder.current
    if not isinstance(client, PledgekeeperBot):
        return DiscordMoment()
    away = len(client.missing_shards) if client.sessions > 1 else int(not client.is_alive)
    latencies = [latency for latency in _latencies(client) if math.isfinite(latency)]
    return DiscordMoment(
        servers=len(client.guilds),
        servers_unavailable=sum(guild.unavailable for guild in client.guilds),
        shards_connected=client.sessions - away,
        shards_away=away,
        latency_seconds=max(latencies, default=None),
        sees_members=client.intents.members,
    )


def _latencies(client: PledgekeeperBot) -> list[float]:
    if isinstance(client, discord.AutoShardedClient):
        return [latency for _, latency in client.latencies]
    return [client.latency]
