"""What the metrics say. Prometheus's own parser reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.domain.changes import Trigger
from bot.domain.errors import PatreonCall
from bot.domain.evidence import Anomaly, ReadSummary, Verdict
from bot.domain.model import CampaignId, ReadId, RoleId
from bot.ops.metrics import CALL_LABELS, Metrics, Moment
from bot.process import render_metrics
from bot.runtime.health import PartHealth
from bot.sync.reading.intake import CampaignRead
from tests.fakes.scene import Scene

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUIET = Moment(
    people_waiting=0,
    oldest_seconds=0.0,
    nudges_waiting=0,
    open_breakers=0,
    open_holds=0,
    tokens_obtained_at={},
    parts={},
)


class Still:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Still())


def told(text: bytes) -> dict[str, float]:
    """Return every sample as `name label=value …`, our own ones without their first word."""
    return {
        " ".join(
            [sample.name.removeprefix("pledgekeeper_"), *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]
        ): (sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def read(**known: Any) -> CampaignRead:
    return CampaignRead(
        campaign_id=CampaignId("700"),
        read_id=ReadId(1),
        started_at=NOW - timedelta(seconds=3),
        summary=ReadSummary(pages=4),
        changed=frozenset(),
        **known,
    )


@pytest.mark.parametrize(
    ("call", "label"),
    [
        (PatreonCall.IDENTITY, "identity"),
        (PatreonCall.CAMPAIGNS, "campaigns"),
        (PatreonCall.MEMBERS, "members"),
        (PatreonCall.MEMBER, "member"),
        (PatreonCall.WEBHOOKS, "webhooks"),
        (PatreonCall.WEBHOOK, "webhooks"),
        (PatreonCall.CODE, "token"),
        (PatreonCall.REFRESH, "token"),
        (PatreonCall.REVOCATION, "token"),
        (PatreonCall.CLIENT_TEST, "other"),
    ],
)
def test_calls_are_counted_by_kind(metrics: Metrics, call: PatreonCall, label: str) -> None:
    metrics.note_call(call, 200, 0.2)
    metrics.note_call(call, None, 30.0)
    found = told(metrics.render(QUIET))
    assert found[f"patreon_request_seconds_count call={label} status=200"] == 1
    assert found[f"patreon_request_seconds_sum call={label} status=none"] == 30.0


def test_each_call_has_a_label() -> None:
    assert CALL_LABELS.keys() == set(PatreonCall)


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        pytest.param(Verdict(is_complete=True), "believed", id="believed"),
        pytest.param(Verdict(is_complete=True, anomalies=(Anomaly.EMPTY,)), "doubted", id="doubted"),
        pytest.param(Verdict(is_complete=False), "doubted", id="incomplete"),
    ],
)
def test_reads_are_counted_with_pages_and_time(metrics: Metrics, verdict: Verdict, outcome: str) -> None:
    metrics.note_read(read(verdict=verdict))
    found = told(metrics.render(QUIET))
    assert found[f"read_seconds_count outcome={outcome}"] == 1
    assert found[f"read_seconds_sum outcome={outcome}"] == 3.0
    assert found["read_pages_total"] == 4


def test_webhooks_are_counted_by_their_answer(metrics: Metrics) -> None:
    for answer in ("accepted", "accepted", "bad signature"):
        metrics.note_webhook(answer)
    found = told(metrics.render(QUIET))
    assert found["webhooks_total answer=accepted"] == 2
    assert found["webhooks_total answer=bad signature"] == 1


def test_the_moment_is_shown_as_it_is(metrics: Metrics) -> None:
    seen = Moment(
        people_waiting=3,
        oldest_seconds=12.5,
        nudges_waiting=2,
        open_breakers=1,
        open_holds=4,
        tokens_obtained_at={"creator": NOW - timedelta(days=2)},
        parts={"sync": PartHealth(ok=True, last_success=NOW), "web": PartHealth(ok=False)},
    )
    found = told(metrics.render(seen))
    assert found["people_waiting"] == 3
    assert found["people_waiting_seconds"] == 12.5
    assert found["nudges_waiting"] == 2
    assert found["open_breakers"] == 1
    assert found["open_holds"] == 4
    assert found["token_age_seconds kind=creator"] == 2 * 86400
    assert found["part_up part=sync"] == 1
    assert found["part_up part=web"] == 0
    assert found["last_success_timestamp_seconds part=sync"] == NOW.timestamp()
    assert "last_success_timestamp_seconds part=web" not in found
    assert "token_age_seconds kind=creator" not in told(metrics.render(QUIET))


async def test_the_shell_reports_what_it_does(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    found = told(await render_metrics(scene.app))
    assert found["patreon_request_seconds_count call=members status=200"] == 1
    assert found["read_seconds_count outcome=believed"] == 1
    assert found["plans_total trigger=link"] == 1
    assert found["role_writes_total action=grant outcome=done"] >= 1
    assert found["people_waiting"] == 0
    assert found["token_age_seconds kind=patron"] < 60
    assert found["part_up part=sync"] == 1
    assert found["process_resident_memory_bytes"] > 0


async def test_breakers_and_holds_are_seen(scene: Scene) -> None:
    scene.app.breakers.open(scene.guild_id, RoleId(1))
    assert told(await render_metrics(scene.app))["open_breakers"] == 1
