"""What the metrics count. Prometheus's own parser reads them; what is looked at is tested in test_gauges.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.changes import Trigger
from bot.domain.errors import PatreonCall
from bot.domain.evidence import Anomaly, ReadSummary, Verdict
from bot.domain.model import CampaignId, ReadId, RoleId
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.ops import scrape
from bot.ops.gauges import Moment
from bot.ops.metrics import CALL_LABELS, Metrics
from bot.process import render_metrics
from bot.sync.reading.intake import CampaignRead
from tests.fakes.monitoring import needs_promtool, promtool, served_metrics, told_metrics, values
from tests.fakes.scene import Scene

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUIET = Moment(now=NOW, roles=ALL_ROLES, database="sqlite", sync_interval_seconds=300)


class Still:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Still())


def told(text: bytes) -> dict[str, float]:
    return values(text.decode())


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


def test_requests_to_discord_are_counted_by_their_answer(metrics: Metrics) -> None:
    metrics.note_discord_request(429, 0.1)
    metrics.note_discord_request(429, 0.1)
    metrics.note_discord_request(None, 30.0)
    found = told(metrics.render(QUIET))
    assert found["discord_request_seconds_count status=429"] == 2
    assert found["discord_request_seconds_sum status=none"] == 30.0


def test_warnings_and_errors_of_the_log_are_counted_by_event(metrics: Metrics) -> None:
    metrics.note_event("error", "a command failed")
    metrics.note_event("error", "a command failed")
    metrics.note_event("warning", "discord")
    found = told(metrics.render(QUIET))
    assert found["log_events_total event=a command failed level=error"] == 2
    assert found["log_events_total event=discord level=warning"] == 1


@pytest.mark.parametrize("roles", [*([role] for role in ProcessRole), list(ProcessRole)], ids="+".join)
def test_a_process_serves_what_the_page_says_of_its_roles_and_nothing_else(roles: list[ProcessRole]) -> None:
    """A worker says nothing of Discord: it would be zero there, and zero is a number."""
    metrics = Metrics(Still(), frozenset(roles))
    served = served_metrics(metrics.render(Moment(**as_dict(QUIET) | {"roles": frozenset(roles)})).decode())
    page = {name: one.type for name, one in told_metrics().items() if one.is_served_by(roles)}
    assert {name: family.type for name, family in served.items()} == page


def as_dict(moment: Moment) -> dict[str, Any]:
    return {name: getattr(moment, name) for name in moment.__struct_fields__}


@needs_promtool
def test_promtool_finds_nothing_to_complain_of(metrics: Metrics) -> None:
    metrics.note_call(PatreonCall.MEMBERS, 200, 0.2)
    metrics.note_read(read(verdict=Verdict(is_complete=True)))
    metrics.note_webhook("accepted")
    metrics.note_event("error", 'an event with a " in it')
    assert promtool("check", "metrics", text=metrics.render(QUIET).decode()) == ""


async def test_the_shell_reports_what_it_does(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    found = told(await render_metrics(scene.app))
    assert found["patreon_request_seconds_count call=members status=200"] == 1
    assert found["read_seconds_count outcome=believed"] == 1
    assert found["plans_total trigger=link"] == 1
    assert found["role_writes_total action=grant outcome=done"] >= 1
    assert found["discord_request_seconds_count status=204"] >= 1
    assert found["people_waiting"] == found["patrons_waiting"] == 0
    assert found["token_age_seconds kind=patron"] < 60
    assert found["token_pairs kind=creator state=working"] == 1
    assert found["campaigns state=accepted"] == 1
    assert found["linked_people"] == 2, "and one whom Patreon names"
    assert found["discord_shards state=connected"] == 1
    assert found["discord_servers state=available"] == 1
    assert found["part_up part=sync"] == 1
    assert found["process_resident_memory_bytes"] > 0


async def test_breakers_are_seen(scene: Scene) -> None:
    scene.app.breakers.open(scene.guild_id, RoleId(1))
    assert told(await render_metrics(scene.app))["open_breakers"] == 1


async def test_a_database_that_says_nothing_takes_only_its_own_numbers_along(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "open_holds" in told(await render_metrics(scene.app))
    monkeypatch.setattr(scrape, "LOOK_SECONDS", 0.0)
    found = told(await render_metrics(scene.app))
    assert found["discord_servers state=available"] == 1
    assert "open_holds" not in found, "which is not zero"
