"""Whom webhooks named waits until they were read after that."""

from bot.domain.model import CampaignId, Hint, PatreonUserId
from bot.storage import Storage
from bot.storage.nudges import Nudge
from tests.fakes.statements import counted_statements

CAMPAIGN, OTHER = CampaignId("700"), CampaignId("701")
ADA, BO = PatreonUserId("p-ada"), PatreonUserId("p-bo")


async def add(storage: Storage, patron: PatreonUserId, campaign_id: CampaignId = CAMPAIGN) -> Nudge:
    return await storage.nudges.add(campaign_id, Hint(patreon_user_id=patron))


async def test_what_was_stored_is_what_waits(storage: Storage) -> None:
    added = [await add(storage, ADA), await add(storage, BO), await add(storage, ADA)]
    await add(storage, ADA, OTHER)
    assert list(await storage.nudges.list_campaign(CAMPAIGN)) == added


async def test_one_who_was_read_waits_no_more_up_to_a_delivery(storage: Storage) -> None:
    _, bos, last = [await add(storage, patron) for patron in (ADA, BO, ADA)]
    later, elsewhere = await add(storage, ADA), await add(storage, ADA, OTHER)
    await storage.nudges.end(CAMPAIGN, last, patron=ADA)
    assert await storage.nudges.list_campaign(CAMPAIGN) == (bos, later)
    assert await storage.nudges.list_campaign(OTHER) == (elsewhere,)


async def test_all_who_were_read_wait_no_more_up_to_a_delivery(storage: Storage) -> None:
    _, last = await add(storage, ADA), await add(storage, BO)
    later, elsewhere = await add(storage, BO), await add(storage, BO, OTHER)
    await storage.nudges.end(CAMPAIGN, last)
    assert await storage.nudges.list_campaign(CAMPAIGN) == (later,)
    assert await storage.nudges.list_campaign(OTHER) == (elsewhere,)


async def test_however_many_they_are_to_end_them_is_one_statement(storage: Storage) -> None:
    added = [await add(storage, ADA) for _ in range(20)]
    with counted_statements() as statements:
        await storage.nudges.end(CAMPAIGN, added[-1], patron=ADA)
    assert len([one for one in statements if not one.startswith("BEGIN")]) == 1
    assert await storage.nudges.count() == 0
