"""How long a server has no gateway when its own is killed: until the first write of the one that takes over.

Somebody pledges there at that moment. First another gateway waits in reserve; then the one that is left has others.
"""

import asyncio
from time import perf_counter

import aiohttp
import msgspec

from bench.nudges import SECRET, Sender
from bench.scale.cluster import ClusterTown
from bench.town import PATIENCE
from bot.domain.model import GuildId
from bot.domain.shards import shard_of
from sandbox.bots import Bot
from sandbox.patreon import Member
from sandbox.postgres import running_postgres

LAYOUT = (("gateway",), ("gateway",), ("gateway",), ("worker",), ("web",))
SETTLED_SECONDS = 1.5


class Takeovers(msgspec.Struct, frozen=True):
    """Seconds from the kill to the first write."""

    with_reserve: float
    without: float


async def measure_takeovers() -> Takeovers:
    """Kill the gateway of a server, and then the one that followed it."""
    with running_postgres() as server:
        town = ClusterTown(server, LAYOUT, webhook_secret=SECRET)
        town.lift_limits()
        first, second = town.settle_patrons(2, None)
        async with town, aiohttp.ClientSession() as session:
            await town.start()
            await town.rule_for("Gold")
            await town.quiet()
            sender = Sender(town, session)
            return Takeovers(await _seconds_without(town, sender, first), await _seconds_without(town, sender, second))


async def _seconds_without(town: ClusterTown, sender: Sender, member: Member) -> float:
    gateway = await _gateway_of_home(town)
    await asyncio.sleep(SETTLED_SECONDS)
    town.pledge(member, "Gold")
    written, killed_at = town.next_write(member), perf_counter()
    await gateway.process.kill()
    await sender.deliver(*sender.sign(member))
    async with asyncio.timeout(PATIENCE):
        return await written - killed_at


async def _gateway_of_home(town: ClusterTown) -> Bot:
    """Return whose the home server is, once somebody has each shard."""
    shard_id = shard_of(GuildId(int(town.sandbox.world.guild.id)), town.shards)
    async with asyncio.timeout(PATIENCE):
        while True:
            pids = town.speakers()
            found = [one for one in town.running("gateway") if one.process.pid == pids.get(shard_id)]
            if found and len(pids) == town.shards:
                return found[0]
            await asyncio.sleep(SETTLED_SECONDS)
