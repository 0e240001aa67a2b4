"""One campaign's part of a round: by its whole list, or by its patrons' own consents."""

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId
from bot.domain.notices import CreatorTokenMissing
from bot.sync.campaign_round import CampaignRounds, Round
from tests.fakes.scene import MEMBER, Scene


def campaign(read: Scene) -> CampaignId:
    return CampaignId(read.stage.sandbox.world.campaign.id)


async def run(read: Scene, *, asks_patrons: bool = True) -> Round:
    """Run the home campaign's part of a round."""
    campaigns: CampaignRounds = read.app.rounds._campaigns
    linked = await read.app.storage.links.linked_patrons()
    under_way = Round(trigger=Trigger.SYNC, asks_patrons=asks_patrons, linked=linked)
    await campaigns.begin([campaign(read)], under_way)
    await campaigns.run(campaign(read), list(await read.app.storage.campaigns.bindings()), under_way)
    return under_way


async def test_a_list_is_reported_and_whom_it_changed_is_queued(read: Scene) -> None:
    await read.link()
    await read.add_rule()
    await read.until(lambda: "Gold" in read.stage.roles(MEMBER), "the role is given")
    read.stage.sandbox.patreon.refund(read.stage.patron_id("Gerda Nilsson"))
    under_way = await run(read)
    (report,) = under_way.reports
    assert (report.is_complete, report.changed, report.is_by_consents) == (True, 1, False)
    assert under_way.queued[read.guild_id] == {read.person(MEMBER)}
    assert not under_way.has_read_no_list


async def test_without_a_creators_token_patrons_are_asked_and_the_admin_is_told_once(read: Scene) -> None:
    storage, now = read.app.storage, read.app.clock.now()
    await read.app.notifier.take_pending(read.guild_id)
    await storage.campaigns.bind(read.guild_id, campaign(read), credential_id=None, at=now)
    for told in ([CreatorTokenMissing(campaign_id=campaign(read), campaign="Emberwood Tales")], []):
        under_way = await run(read)
        assert under_way.has_read_no_list
        assert await read.app.notifier.take_pending(read.guild_id) == told


async def test_what_was_read_of_a_campaign_is_forgotten_whole(read: Scene) -> None:
    storage = read.app.storage
    assert await storage.reads.last_believed(campaign(read)) is not None
    await read.app.rounds._campaigns.forget(campaign(read))
    assert await storage.reads.last_believed(campaign(read)) is None
    assert await storage.memberships.find_members(campaign(read), []) == frozenset()
