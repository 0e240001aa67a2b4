"""Figures of the day, from real reads: written where something is new, and never by a read that is doubted or cut."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.changes import Trigger
from bot.domain.figures import DayFigures
from bot.domain.listed_row import in_short
from bot.domain.model import Campaign, CampaignId
from bot.storage import Storage
from bot.sync.reading.day_figures import keep_figures
from sandbox.weather import Fault
from tests.fakes.scene import Scene
from tests.fakes.statements import counted_statements
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading

DAY = timedelta(days=1)
ROWS = [in_short(replace(reading(name), pledge_started_at=NEW_YEAR - 90 * DAY)) for name in ("ada", "ben")]


async def figures_of(scene: Scene) -> tuple[DayFigures, ...]:
    return await scene.app.storage.figures.newest(CampaignId(scene.stage.sandbox.world.campaign.id))


async def test_a_whole_read_is_counted_and_a_link_counts_in_the_next(scene: Scene) -> None:
    for _ in range(2):  # the first links whom Patreon reports
        await scene.app.rounds.run(trigger=Trigger.SYNC)
    (first,) = await figures_of(scene)
    members = scene.stage.sandbox.world.campaign.members
    assert first.paying == sum(member.patron_status == "active_patron" for member in members) > 0
    tier_ids = await scene.app.storage.campaigns.tiers_by_id([first.campaign_id])
    assert first.tiers
    assert first.tiers.keys() <= tier_ids[first.campaign_id].keys()
    assert first.linked == 1
    await scene.link()
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    (second,) = await figures_of(scene)
    assert second.linked == first.linked + 1
    await scene.app.storage.campaigns.unbind(scene.guild_id, first.campaign_id)
    await scene.app.rounds.forget_campaign(first.campaign_id)
    assert await figures_of(scene) == ()


@pytest.mark.parametrize("fault", ["null_users", "empty"])
async def test_a_read_that_proves_nothing_counts_nothing(scene: Scene, fault: str) -> None:
    scene.stage.sandbox.weather.set(Fault("patreon", "/members", fault, times=1))
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert await figures_of(scene) == ()


async def test_what_stands_is_not_written_again(storage: Storage) -> None:
    await storage.campaigns.save(Campaign(campaign_id=CAMPAIGN, name="Moth Tales"))
    await keep_figures(storage, CAMPAIGN, NEW_YEAR, ROWS)
    await storage.figures.newest(CAMPAIGN)
    with counted_statements() as statements:
        await keep_figures(storage, CAMPAIGN, NEW_YEAR + timedelta(hours=1), ROWS)
    assert not [one for one in statements if not one.lstrip().upper().startswith("SELECT")]
    (counted,) = await storage.figures.newest(CAMPAIGN)
    assert counted.read_at == NEW_YEAR


async def test_days_follow_each_other_and_a_clock_set_back_writes_nothing(storage: Storage) -> None:
    await storage.campaigns.save(Campaign(campaign_id=CAMPAIGN, name="Moth Tales"))
    for days in (0, 1, 2, 1):
        await keep_figures(storage, CAMPAIGN, NEW_YEAR + days * DAY, ROWS[: 2 - days % 2])
    known = await storage.figures.newest(CAMPAIGN)
    assert [(one.paying, one.joined, one.gone) for one in known] == [(2, 1, 0), (1, 0, 1)]
