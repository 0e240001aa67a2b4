from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bot.domain.evidence import Anomaly
from bot.domain.model import CampaignId
from bot.domain.processes import ProcessRole
from bot.domain.status import CampaignStatus, ChoresStatus, DatabaseStatus, LeaseStatus, ProcessStatus
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.status import say_status

PLAIN = Renderer(ENGLISH, Medium.PLAIN)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUIET = DatabaseStatus(
    version="1",
    database="postgresql",
    now=NOW,
    schema="0010",
    steps_left=(),
    is_bot_running=False,
    processes=(),
    leases=(),
    shards=None,
    free_shards=(),
    live_credentials=3,
    dead_credentials=1,
    links=2,
    campaigns=(),
    open_holds=4,
    open_questions=5,
    open_intents=6,
    waiting_people=0,
    waiting_seconds=0,
    waiting_webhooks=7,
    waiting_messages=9,
    jobs=(),
)


def said(**changes: Any) -> list[str]:
    return say_status(PLAIN, msgspec.structs.replace(QUIET, **changes)).splitlines()


def test_what_stands_always() -> None:
    assert said() == [
        "No bot is running on this database (postgresql, step 0010).",
        "Linked people: 2. Stored token pairs: 3 working, 1 refused by Patreon.",
        "Open holds: 4. Unanswered pages: 5. Role changes in progress: 6.",
        "Nobody is waiting for their roles. Webhooks to follow: 7. Messages to send: 9.",
    ]


def test_who_waits() -> None:
    assert said(waiting_people=8, waiting_seconds=2.4)[-1] == (
        "People waiting for their roles: 8, the first for 2 seconds. Webhooks to follow: 7. Messages to send: 9."
    )


def test_which_processes_there_are() -> None:
    roles = (ProcessRole.GATEWAY, ProcessRole.WEB)
    process = ProcessStatus(process_id="a1b2", roles=roles, address="127.0.0.1:8080", version="1.2", since=NOW)
    assert said(processes=(process,))[1] == (
        "Process a1b2: gateway, web; version 1.2, at 127.0.0.1:8080, since 1 March 2026, 12:00 UTC."
    )


def test_which_shards_nobody_speaks_for() -> None:
    process = ProcessStatus(
        process_id="a1b2", roles=(ProcessRole.GATEWAY,), address="127.0.0.1:8080", version="1.2", since=NOW
    )
    assert said(processes=(process,), shards=7)[2] == "Shards: 7, each held by a gateway."
    assert said(processes=(process,), shards=7, free_shards=(0, 5))[2] == (
        "Shards: 7. No gateway has 0, 5: their servers get no roles and no answers."
    )
    assert "18, 19, …: their" in said(processes=(process,), shards=30, free_shards=tuple(range(30)))[2]
    assert not [line for line in said(shards=7, free_shards=tuple(range(7))) if line.startswith("Shards")]


def test_what_processes_ask_of_one_another() -> None:
    chores = ChoresStatus(kind="first_read", waiting=3, waiting_seconds=4.4, running=2)
    assert said(jobs=(chores,))[-1] == "Chores first_read: 3 waiting (for up to 4 seconds), 2 in progress."


def test_who_holds_what_and_which_steps_wait() -> None:
    lease = LeaseStatus(name="bot", owner="a1b2", fence=7, seconds_left=8.6)
    lines = said(is_bot_running=True, leases=(lease,), steps_left=("0011_less", "0012_more"))
    assert lines[0].startswith("A bot is running")
    assert lines[1].endswith(": 0011_less, 0012_more.")
    assert lines[2] == "Lease bot: held by a1b2 (number 7), 9 seconds left."


def test_each_campaign_has_a_line() -> None:
    def one(**known: Any) -> str:
        return said(campaigns=(CampaignStatus(campaign_id=CampaignId("700"), **known),))[-1]

    assert one() == "Campaign 700: never read."
    assert one(last_read_at=NOW, is_believed=True).endswith(", accepted.")
    assert one(last_read_at=NOW).endswith(", not accepted. It wasn't complete. Last accepted: never.")
    doubted = one(last_read_at=NOW, doubts=(Anomaly.EMPTY, "of tomorrow"), believed_at=NOW - timedelta(days=1))
    assert "It lists no members at all. Last accepted:" in doubted
