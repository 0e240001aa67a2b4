"""What Prometheus may count, in one registry of our own. Takes what the shell reports; asks nobody, decides nothing.

Labels come from short lists: no name and no address of anybody is ever one, and no id but a campaign's, which Patreon
shows to everybody. What is looked at when Prometheus asks stands in `gauges.py`; docs/metrics.md has all of them.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from bot.domain.changes import RoleChange, Trigger
from bot.domain.errors import PatreonCall
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.ops.gauges import Moment, show
from bot.runtime.clock import Clock
from bot.sync.reading.intake import CampaignRead

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

NAMESPACE = "pledgekeeper"
CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
READ_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)

CALL_LABELS = {
    PatreonCall.IDENTITY: "identity",
    PatreonCall.CAMPAIGNS: "campaigns",
    PatreonCall.MEMBERS: "members",
    PatreonCall.MEMBER: "member",
    PatreonCall.WEBHOOKS: "webhooks",
    PatreonCall.WEBHOOK: "webhooks",
    PatreonCall.CODE: "token",
    PatreonCall.REFRESH: "token",
    PatreonCall.REVOCATION: "token",
    PatreonCall.CLIENT_TEST: "other",
}


class Metrics:
    """All that is counted since the start, by a process of some roles: what others do is counted by them."""

    def __init__(self, clock: Clock, roles: frozenset[ProcessRole] = ALL_ROLES) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._gauges = _Gauges()
        self._registry.register(self._gauges)
        everywhere = self._registry
        gateway, worker, web = (
            self._registry if role in roles else None
            for role in (ProcessRole.GATEWAY, ProcessRole.WORKER, ProcessRole.WEB)
        )
        self._calls = _histogram(
            everywhere, "patreon_request_seconds", "Calls to Patreon.", ["call", "status"], CALL_SECONDS
        )
        self._events = _counter(
            everywhere, "log_events", "Warnings and errors in the log, by event (docs/logs.md).", "level", "event"
        )
        self._reads = _histogram(worker, "read_seconds", "Bulk reads of campaigns.", ["outcome"], READ_SECONDS)
        self._pages = _counter(worker, "read_pages", "Pages of members that bulk reads brought.")
        self._plans = _counter(gateway, "plans", "People planned in their turn, by what led to it.", "trigger")
        self._writes = _counter(gateway, "role_writes", "Role writes tried.", "action", "outcome")
        self._requests = _histogram(
            gateway, "discord_request_seconds", "Requests to Discord's API.", ["status"], CALL_SECONDS
        )
        self._webhooks = _counter(web, "webhooks", "Webhook deliveries, by how they were answered.", "answer")

    def note_call(self, call: PatreonCall, status: int | None, seconds: float) -> None:
        """Count a call to Patreon; no status: no answer."""
        self._calls.labels(CALL_LABELS[call], _said(status)).observe(seconds)

    def note_discord_request(self, status: int | None, seconds: float) -> None:
        """Count a request to Discord; no status: no answer."""
        self._requests.labels(_said(status)).observe(seconds)

    def note_event(self, level: str, event: str) -> None:
        """Count a warning or an error of the log."""
        self._events.labels(level, event).inc()

    def note_read(self, read: CampaignRead) -> None:
        """Count a bulk read."""
        outcome = "failed" if read.error is not None else "believed" if read.verdict.proves_absence else "doubted"
        self._reads.labels(outcome).observe(max(0.0, (self._clock.now() - read.started_at).total_seconds()))
        self._pages.inc(read.summary.pages)

    def note_turn(self, trigger: Trigger, changes: Iterable[RoleChange]) -> None:
        """Count a person's turn and the writes that came of it."""
        self._plans.labels(str(trigger)).inc()
        for change in changes:
            self._writes.labels(str(change.decision.action), str(change.outcome)).inc()

    def note_webhook(self, answer: str) -> None:
        """Count a delivery."""
        self._webhooks.labels(answer).inc()

    def render(self, moment: Moment) -> bytes:
        """Return everything as Prometheus reads it."""
        self._gauges.moment = moment
        return generate_latest(self._registry)


class _Gauges(Collector):
    """Hands the gauges of a moment to the registry."""

    moment: Moment | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield them; none before there is a moment, as when the registry asks for their names."""
        for gauge in () if self.moment is None else show(self.moment):
            family = GaugeMetricFamily(f"{NAMESPACE}_{gauge.name}", gauge.text, labels=gauge.labels)
            for labels, value in gauge.samples:
                family.add_metric(labels, value)
            yield family


def _said(status: int | None) -> str:
    return "none" if status is None else str(status)


def _counter(registry: CollectorRegistry | None, name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, labels, namespace=NAMESPACE, registry=registry)


def _histogram(
    registry: CollectorRegistry | None, name: str, text: str, labels: list[str], buckets: tuple[float, ...]
) -> Histogram:
    return Histogram(name, text, labels, namespace=NAMESPACE, registry=registry, buckets=buckets)
