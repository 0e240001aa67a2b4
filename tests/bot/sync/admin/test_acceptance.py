"""Which reads wait for an admin's word, and what follows from it."""

import pytest

from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.evidence import Anomaly
from bot.domain.model import DiscordUserId, ReadId
from sandbox.weather import Fault
from tests.fakes.scene import Scene


@pytest.fixture
async def doubted(read: Scene) -> Scene:
    """Two reads in a row say that nobody has a tier."""
    read.stage.sandbox.weather.set(Fault("patreon", "/members", "no_tiers"))
    for _ in range(2):
        await read.app.rounds.run(trigger=Trigger.SYNC)
    return read


async def test_where_no_read_waits_there_is_nothing_to_accept(read: Scene) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.acceptance.doubts(read.guild_id)
    assert refused.value.code is Mistake.NOTHING_TO_ACCEPT


async def test_the_newest_read_is_shown_beside_the_last_one_that_was_accepted(doubted: Scene) -> None:
    (doubt,) = await doubted.app.acceptance.doubts(doubted.guild_id)
    assert doubt.anomalies == (Anomaly.NO_TIERS,)
    assert doubt.believed is not None
    assert (doubt.shown.summary.with_tier, doubt.believed.summary.with_tier > 0) == (0, True)
    assert doubt.shown.started_at > doubt.believed.started_at


async def test_a_word_is_taken_once_and_kept_in_the_audit(doubted: Scene, admin: DiscordUserId) -> None:
    app, guild_id = doubted.app, doubted.guild_id
    (doubt,) = await app.acceptance.doubts(guild_id)
    assert await app.acceptance.believe(guild_id, [doubt.read_id], by=admin) == (doubt,)
    read = await app.storage.reads.last_believed(doubt.campaign_id)
    assert read is not None
    assert read.read_id == doubt.read_id
    (entry,) = (one for one in await app.storage.audit.recent(guild_id) if one.action is AuditAction.BELIEVE)
    assert entry.read_id == doubt.read_id
    with pytest.raises(UserMistake) as refused:
        await app.acceptance.believe(guild_id, [doubt.read_id], by=admin)
    assert refused.value.code is Mistake.LIST_ANSWERED


async def test_a_read_that_is_not_this_servers_is_not_accepted(doubted: Scene, admin: DiscordUserId) -> None:
    with pytest.raises(UserMistake) as refused:
        await doubted.app.acceptance.believe(doubted.guild_id, [ReadId(999)], by=admin)
    assert refused.value.code is Mistake.LIST_ANSWERED
