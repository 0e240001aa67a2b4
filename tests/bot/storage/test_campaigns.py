from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from bot.domain.model import Campaign, CampaignId, CredentialId, GuildId, PatreonUserId, Tier, TierId, TokenPair
from bot.storage import Storage
from bot.storage.campaigns import Binding
from tests.fakes.statements import counted_statements
from tests.fakes.stored import save_consent

CAMPAIGN = CampaignId("700")
HOME, OTHER = GuildId(900), GuildId(901)


async def test_a_campaign_comes_back_with_its_tiers_the_cheapest_first(storage: Storage, campaign: Campaign) -> None:
    await storage.campaigns.save(msgspec.structs.replace(campaign, tiers=tuple(reversed(campaign.tiers))))
    assert await storage.campaigns.load(CAMPAIGN) == campaign
    assert await storage.campaigns.load(CampaignId("none")) is None


async def test_tiers_that_a_campaign_no_longer_carries_keep_their_names(storage: Storage, campaign: Campaign) -> None:
    await storage.campaigns.save(campaign)
    await storage.campaigns.save(msgspec.structs.replace(campaign, name="renamed", tiers=()))
    assert await storage.campaigns.load(CAMPAIGN) == msgspec.structs.replace(campaign, name="renamed")


async def test_tiers_are_replaced_as_they_are_seen(storage: Storage, campaign: Campaign) -> None:
    await storage.campaigns.save(campaign)
    gold = Tier(campaign_id=CAMPAIGN, tier_id=TierId("t-gold"), title="Golden", amount_cents=1200)
    await storage.campaigns.save_tiers((gold,))
    await storage.campaigns.save_tiers(())
    assert await storage.campaigns.tiers_by_id([CAMPAIGN]) == {CAMPAIGN: {"t-free": campaign.tiers[0], "t-gold": gold}}


async def test_a_campaign_may_serve_several_guilds(storage: Storage, campaign: Campaign, now: datetime) -> None:
    await storage.campaigns.save(campaign)
    await storage.campaigns.bind(OTHER, CAMPAIGN, credential_id=None, at=now + timedelta(hours=1))
    await storage.campaigns.bind(HOME, CAMPAIGN, credential_id=None, at=now)
    assert await storage.campaigns.bindings() == (
        Binding(guild_id=HOME, campaign_id=CAMPAIGN, credential_id=None, bound_at=now),
        Binding(guild_id=OTHER, campaign_id=CAMPAIGN, credential_id=None, bound_at=now + timedelta(hours=1)),
    )
    assert await storage.campaigns.guilds_of(CAMPAIGN) == (HOME, OTHER)
    assert await storage.campaigns.campaigns_of(HOME) == (CAMPAIGN,)
    assert await storage.campaigns.campaigns_of(GuildId(1)) == ()
    assert await storage.campaigns.followed_campaigns() == {CAMPAIGN}


async def test_a_binding_ends_once(storage: Storage, campaign: Campaign, now: datetime) -> None:
    await storage.campaigns.save(campaign)
    await storage.campaigns.bind(HOME, CAMPAIGN, credential_id=None, at=now)
    assert await storage.campaigns.unbind(HOME, CAMPAIGN)
    assert not await storage.campaigns.unbind(HOME, CAMPAIGN)
    assert await storage.campaigns.bindings() == ()


async def reader_of(storage: Storage) -> CredentialId | None:
    """Return who reads the campaign, as both verbs say."""
    one = await storage.campaigns.find_reader(CAMPAIGN)
    assert (await storage.campaigns.find_readers()).get(CAMPAIGN) == one
    return one


async def test_a_campaign_is_read_by_the_oldest_consent_that_lives(
    storage: Storage, campaign: Campaign, pair: Callable[..., TokenPair], now: datetime
) -> None:
    await storage.campaigns.save(campaign)
    await storage.campaigns.bind(HOME, CAMPAIGN, credential_id=None, at=now)
    assert await reader_of(storage) is None
    first = await save_consent(storage, PatreonUserId("first"), pair(), at=now)
    second = await save_consent(storage, PatreonUserId("second"), pair(), at=now)
    await storage.campaigns.bind(OTHER, CAMPAIGN, credential_id=second, at=now + timedelta(hours=1))
    await storage.campaigns.bind(HOME, CAMPAIGN, credential_id=first, at=now)
    assert await reader_of(storage) == first
    await storage.credentials.mark_dead(await storage.credentials.load(first), now)
    assert await reader_of(storage) == second
    await storage.credentials.mark_dead(await storage.credentials.load(second), now)
    assert await reader_of(storage) is None


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_who_asks_about_one_server_reads_nothing_of_the_others(
    storage: Storage, campaign: Campaign, now: datetime
) -> None:
    await storage.campaigns.save(campaign)
    for number in range(9):
        await storage.campaigns.bind(
            GuildId(900 + number), campaign.campaign_id, credential_id=None, at=now + timedelta(days=number)
        )
    with counted_statements() as statements:
        assert await storage.campaigns.campaigns_of(GuildId(903)) == (campaign.campaign_id,)
        assert await storage.campaigns.campaigns_of(GuildId(1)) == ()
        assert await storage.campaigns.followed_since([campaign.campaign_id]) == {campaign.campaign_id: now}
        assert len(await storage.campaigns.guilds_of(campaign.campaign_id)) == 9
        assert await storage.campaigns.guilds_of(CampaignId("1")) == ()
    assert len(statements) == 5
    assert all("WHERE" in one for one in statements), statements
