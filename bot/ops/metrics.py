"""What Prometheus may count, in one registry of our own. Takes what the shell reports; asks nobody, decides nothing.

Labels come from short lists: no id, no name and no address of anybody is ever one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.domain.changes import RoleChange, Trigger
from bot.domain.errors import PatreonCall
from bot.runtime.clock import Clock
from bot.runtime.health import PartHealth
from bot.sync.reading.intake import CampaignRead

__all__ = ["CONTENT_TYPE_LATEST", "Metrics", "Moment"]

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


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What is not counted but looked at when somebody asks."""

    people_waiting: int
    oldest_seconds: float
    nudges_waiting: int
    open_breakers: int
    open_holds: int
    tokens_obtained_at: Mapping[str, datetime]  # the oldest living pair of each kind
    parts: Mapping[str, PartHealth]


class Metrics:
    """All that is counted since the start, and the gauges of the moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._calls = self._histogram("patreon_request_seconds", "Calls to Patreon.", ["call", "status"], CALL_SECONDS)
        self._reads = self._histogram("read_seconds", "Bulk reads of campaigns.", ["outcome"], READ_SECONDS)
        self._pages = self._counter("read_pages", "Pages of members that bulk reads brought.")
        self._plans = self._counter("plans", "People planned in their turn, by what led to it.", "trigger")
        self._writes = self._counter("role_writes", "Role writes tried.", "action", "outcome")
        self._webhooks = self._counter("webhooks", "Webhook deliveries, by how they were answered.", "answer")
        self._waiting = self._gauge("people_waiting", "People who wait for their turn.")
        self._oldest = self._gauge("people_waiting_seconds", "For how long the first of them has waited.")
        self._nudges = self._gauge("nudges_waiting", "People named by webhooks and not read yet.")
        self._breakers = self._gauge("open_breakers", "Roles that Discord refused and that are not tried any more.")
        self._holds = self._gauge("open_holds", "Holds that wait for an admin.")
        self._tokens = self._gauge("token_age_seconds", "Age of the oldest living token pair.", "kind")
        self._is_up = self._gauge("part_up", "Whether a part works, as in /healthz.", "part")
        self._successes = self._gauge("last_success_timestamp_seconds", "When a part last did its work.", "part")

    def note_call(self, call: PatreonCall, status: int | None, seconds: float) -> None:
        """Count a call to Patreon; no status: no answer."""
        self._calls.labels(CALL_LABELS[call], "none" if status is None else str(status)).observe(seconds)

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
        self._waiting.set(moment.people_waiting)
        self._oldest.set(moment.oldest_seconds)
        self._nudges.set(moment.nudges_waiting)
        self._breakers.set(moment.open_breakers)
        self._holds.set(moment.open_holds)
        self._tokens.clear()  # a kind may have no living pair any more
        for kind, obtained_at in moment.tokens_obtained_at.items():
            self._tokens.labels(kind).set((self._clock.now() - obtained_at).total_seconds())
        for part, health in moment.parts.items():
            self._is_up.labels(part).set(health.ok)
            if health.last_success is not None:
                self._successes.labels(part).set(health.last_success.timestamp())
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="pledgekeeper", registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace="pledgekeeper", registry=self._registry)

    def _histogram(self, name: str, text: str, labels: list[str], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, labels, namespace="pledgekeeper", registry=self._registry, buckets=buckets)
