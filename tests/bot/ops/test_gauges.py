"""What each gauge shows of a moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bot.domain.model import CampaignId
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.domain.status import (
    Backlog,
    CampaignStatus,
    ChoresStatus,
    DiscordMoment,
    PairKind,
    PairsStatus,
    PairState,
)
from bot.ops.gauges import Moment, show
from bot.runtime.health import Note, PartHealth
from tests.fakes.moment import EMPTY, NO_PAIRS
from tests.fakes.monitoring import told_metrics

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUIET = Moment(now=NOW, roles=ALL_ROLES, database="postgresql", sync_interval_seconds=300)


def seen(**changes: Any) -> dict[str, float]:
    return shown(msgspec.structs.replace(QUIET, **changes))


def stored(**changes: Any) -> dict[str, float]:
    return seen(stored=msgspec.structs.replace(EMPTY, **changes))


def shown(moment: Moment) -> dict[str, float]:
    """Return every sample as `name label=value …`."""
    return {
        " ".join([gauge.name, *(f"{name}={value}" for name, value in zip(gauge.labels, labels, strict=True))]): number
        for gauge in show(moment)
        for labels, number in gauge.samples
    }


def test_the_parts_and_notes_of_healthz() -> None:
    found = seen(
        parts={"sync": PartHealth(ok=True, last_success=NOW), "web": PartHealth(ok=False)},
        notes=frozenset({Note.COMMANDS_PENDING}),
    )
    assert found["part_up part=sync"] == 1
    assert found["part_up part=web"] == 0
    assert found["last_success_timestamp_seconds part=sync"] == NOW.timestamp()
    assert "last_success_timestamp_seconds part=web" not in found
    assert {name for name, number in found.items() if name.startswith("note ") and number} == {
        "note note=commands_pending"
    }
    assert sum(name.startswith("note ") for name in found) == len(Note), "the others are zero"


def test_who_waits_for_a_turn_and_what_discord_refuses() -> None:
    found = seen(
        people_waiting=Backlog(count=9, oldest=timedelta(minutes=5)),
        patrons_waiting=Backlog(count=3, oldest=timedelta(seconds=12.5)),
        open_breakers=1,
        are_writes_paused=True,
    )
    assert (found["people_waiting"], found["people_waiting_seconds"]) == (9, 300)
    assert (found["patrons_waiting"], found["patrons_waiting_seconds"]) == (3, 12.5)
    assert (found["open_breakers"], found["discord_writes_paused"]) == (1, 1)


def test_the_way_to_discord() -> None:
    found = seen(
        discord=DiscordMoment(servers=7, servers_unavailable=2, shards_connected=3, shards_away=1, latency_seconds=0.25)
    )
    assert (found["discord_servers state=available"], found["discord_servers state=unavailable"]) == (5, 2)
    assert (found["discord_shards state=connected"], found["discord_shards state=away"]) == (3, 1)
    assert found["discord_latency_seconds"] == 0.25
    assert "discord_latency_seconds" not in seen(), "not connected: nobody knows"


def test_webhooks_in_trouble() -> None:
    assert seen(webhook_troubles={"paused": 1, "silent": 0})["webhook_troubles trouble=paused"] == 1


def test_a_role_that_a_process_does_not_have_is_not_spoken_of() -> None:
    worker = seen(roles=frozenset({ProcessRole.WORKER}), webhook_troubles={"paused": 0})
    assert "people_waiting" not in worker
    assert "discord_shards state=connected" not in worker
    assert "webhook_troubles trouble=paused" in worker
    web = seen(roles=frozenset({ProcessRole.WEB}), webhook_troubles={"paused": 0})
    assert not {"people_waiting", "webhook_troubles trouble=paused"} & set(web)


LISTS = {
    "accepted": CampaignStatus(campaign_id=CampaignId("1"), last_read_at=NOW, is_believed=True, believed_at=NOW),
    "odd": CampaignStatus(campaign_id=CampaignId("1"), last_read_at=NOW, doubts=("empty", "no_tiers"), believed_at=NOW),
    "incomplete": CampaignStatus(campaign_id=CampaignId("1"), last_read_at=NOW),
    "unread": CampaignStatus(campaign_id=CampaignId("1")),
}


@pytest.mark.parametrize(
    ("name", "read", "accepted", "reasons"),
    [
        pytest.param("accepted", NOW.timestamp(), NOW.timestamp(), set(), id="accepted"),
        pytest.param("odd", NOW.timestamp(), NOW.timestamp(), {"empty", "no_tiers"}, id="odd"),
        pytest.param("incomplete", NOW.timestamp(), 0, {"incomplete"}, id="incomplete"),
        pytest.param("unread", 0, 0, set(), id="never read"),
    ],
)
def test_how_a_campaigns_list_stands(name: str, read: float, accepted: float, reasons: set[str]) -> None:
    found = stored(lists=(LISTS[name],))
    assert found["campaign_read_timestamp_seconds campaign=1"] == read
    assert found["campaign_accepted_timestamp_seconds campaign=1"] == accepted
    told = "campaign_doubted campaign=1 reason="
    assert {one.removeprefix(told) for one in found if one.startswith(told)} == reasons


def test_token_pairs_by_kind_and_state() -> None:
    creator = PairsStatus(
        counts={PairState.WORKING: 2, PairState.REFUSED: 0, PairState.DEAD: 1},
        obtained_at=NOW - timedelta(days=2),
        expires_at=NOW + timedelta(days=3),
    )
    found = stored(pairs={PairKind.CREATOR: creator, PairKind.PATRON: NO_PAIRS})
    assert found["token_pairs kind=creator state=dead"] == 1
    assert found["token_pairs kind=patron state=working"] == 0
    assert found["token_age_seconds kind=creator"] == 2 * 86400
    assert found["token_expiry_timestamp_seconds kind=creator"] == (NOW + timedelta(days=3)).timestamp()
    assert "token_age_seconds kind=patron" not in found, "there is none"


def test_what_is_stored_and_waits() -> None:
    found = stored(
        due={"waiting": Backlog(count=1, oldest=timedelta(seconds=2))},
        nudges=Backlog(count=3, oldest=timedelta(seconds=4)),
        messages=Backlog(count=5, oldest=timedelta(seconds=6)),
        holds=7,
        oldest_hold_at=NOW - timedelta(seconds=8),
        held_removals=9,
        open_intents=10,
        links=11,
        rules=12,
        hooks_on=13,
        hooks_failing=14,
        hooks_off=15,
        hook_events=16,
        oldest_hook_event_due_at=NOW - timedelta(seconds=17),
    )
    assert (found["due_people urgency=waiting"], found["due_seconds urgency=waiting"]) == (1, 2)
    assert (found["nudges_waiting"], found["nudges_waiting_seconds"]) == (3, 4)
    assert (found["messages_waiting"], found["messages_waiting_seconds"]) == (5, 6)
    assert (found["open_holds"], found["open_holds_seconds"], found["held_removals"]) == (7, 8, 9)
    assert (found["open_intents"], found["linked_people"], found["rules"]) == (10, 11, 12)
    assert [found[f"hooks state={state}"] for state in ("on", "failing", "off")] == [13, 14, 15]
    assert (found["hook_events_waiting"], found["hook_events_waiting_seconds"]) == (16, 17)
    assert (stored()["open_holds_seconds"], stored()["hook_events_waiting_seconds"]) == (0, 0), "there are none"
    later = stored(oldest_hook_event_due_at=NOW + timedelta(hours=1))
    assert later["hook_events_waiting_seconds"] == 0, "it is tried again later"


def test_the_whole_bots_processes_shards_and_chores() -> None:
    chores = ChoresStatus(kind="first_read", waiting=1, waiting_seconds=2.0, running=3)
    found = stored(shards=4, shards_held=3, processes={"worker": 2}, chores=(chores,))
    assert (found["shards state=held"], found["shards state=free"]) == (3, 1)
    assert found["processes role=worker"] == 2
    assert found["chores kind=first_read state=waiting"] == 1
    assert found["chores kind=first_read state=running"] == 3
    assert found["chores_waiting_seconds kind=first_read"] == 2
    assert stored(shards=0, shards_held=1)["shards state=free"] == 0, "before the number is known"


def test_a_database_that_says_nothing_has_no_numbers() -> None:
    of_the_database = {name for name, one in told_metrics().items() if "stored" in one.served}
    gauges = {f"pledgekeeper_{gauge.name}": gauge for gauge in show(QUIET)}
    assert of_the_database <= gauges.keys()
    assert [name for name in of_the_database if gauges[name].samples] == []


def test_each_gauge_has_the_labels_of_the_page() -> None:
    page = told_metrics()
    wrong = {
        gauge.name: gauge.labels
        for gauge in show(QUIET)
        if set(gauge.labels) != page[f"pledgekeeper_{gauge.name}"].labels
    }
    assert wrong == {}
