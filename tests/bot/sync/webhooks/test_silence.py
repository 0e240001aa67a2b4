"""When Patreon should have been heard of a pledge that its list shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import PatreonCode, PatreonUnavailable
from bot.domain.evidence import ReadSummary, Verdict
from bot.domain.model import CampaignId, ReadId
from bot.sync.reading.intake import CampaignRead
from bot.sync.webhooks.silence import PATIENCE, Silence

CAMPAIGN = CampaignId("700")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def read(minutes: float, *, turns: int = 0, **known: Any) -> CampaignRead:
    return CampaignRead(
        campaign_id=CAMPAIGN,
        read_id=ReadId(1),
        started_at=at(minutes),
        summary=ReadSummary(),
        verdict=Verdict(is_complete=True),
        changed=frozenset(),
        turns=turns,
        **known,
    )


@pytest.fixture
def silence() -> Silence:
    """Watched since minute 0, and read at minute 5."""
    silence = Silence()
    silence.watch(CAMPAIGN, at(0))
    silence.note_read(read(5), at(5))
    return silence


def test_a_pledge_that_only_a_read_told_of_is_silence_after_a_while(silence: Silence) -> None:
    silence.note_read(read(10, turns=1), at(10))
    assert not silence.is_silent(CAMPAIGN, at(10) + PATIENCE - timedelta(seconds=1))
    assert silence.is_silent(CAMPAIGN, at(10) + PATIENCE)


def test_without_a_pledge_nothing_is_missed(silence: Silence) -> None:
    silence.note_read(read(10), at(10))
    assert not silence.is_silent(CAMPAIGN, at(600))


def test_a_delivery_that_comes_after_the_read_is_no_silence(silence: Silence) -> None:
    silence.note_read(read(10, turns=1), at(10))
    silence.note_delivery(CAMPAIGN, at(15))
    assert not silence.is_silent(CAMPAIGN, at(600))


def test_who_was_heard_lately_is_not_silent(silence: Silence) -> None:
    silence.note_delivery(CAMPAIGN, at(8))
    silence.note_read(read(10, turns=1), at(10))
    assert not silence.is_silent(CAMPAIGN, at(600))
    silence.note_read(read(80, turns=1), at(80))
    assert silence.is_silent(CAMPAIGN, at(100))


@pytest.mark.parametrize(
    ("watched", "reads"),
    [
        pytest.param(None, [read(5), read(10, turns=1)], id="no webhook"),
        pytest.param(0, [read(10, turns=1)], id="the first read: it happened while we were away"),
        pytest.param(7, [read(5), read(10, turns=1)], id="it may have happened before there was a webhook"),
        pytest.param(
            7,
            [read(5), read(8, error=PatreonUnavailable(PatreonCode.UNUSABLE)), read(10, turns=1)],
            id="a read that failed is none",
        ),
    ],
)
def test_what_may_have_happened_before_we_listened_does_not_count(
    watched: int | None, reads: list[CampaignRead]
) -> None:
    silence = Silence()
    if watched is not None:
        silence.watch(CAMPAIGN, at(watched))
    for one in reads:
        silence.note_read(one, one.started_at)
    assert not silence.is_silent(CAMPAIGN, at(600))


def test_a_webhook_that_is_checked_again_is_watched_since_the_first_time(silence: Silence) -> None:
    silence.watch(CAMPAIGN, at(9))
    silence.note_read(read(10, turns=1), at(10))
    assert silence.is_silent(CAMPAIGN, at(30))


def test_hearing_is_told_once(silence: Silence) -> None:
    assert not silence.take_heard(CAMPAIGN)
    silence.note_delivery(CAMPAIGN, at(8))
    assert [silence.take_heard(CAMPAIGN), silence.take_heard(CAMPAIGN)] == [True, False]
