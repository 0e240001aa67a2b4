"""How long a webhook takes from a web process to the role write of a gateway, beside one process on SQLite."""

import msgspec

from bench.nudges import SECRET, Latency, measure_latency
from bench.scale.cluster import ClusterTown
from bench.town import Town
from sandbox.postgres import running_postgres

LAYOUT = (("gateway",), ("worker",), ("web",))


class Deliveries(msgspec.Struct, frozen=True):
    """The same webhooks, on both."""

    alone: Latency
    shared: Latency

    @property
    def ratio(self) -> float:
        """The p99 of several processes, times that of one."""
        return self.shared.p99_ms / self.alone.p99_ms


async def measure_deliveries(nudges: int) -> Deliveries:
    """Nudge so often in each, at most as often as Patreon answers within a minute."""
    alone = await measure_latency(Town(webhook_secret=SECRET), starts=1, nudges=nudges)
    with running_postgres() as server:
        town = ClusterTown(server, LAYOUT, webhook_secret=SECRET, shards=1)
        return Deliveries(alone, await measure_latency(town, starts=1, nudges=nudges))
