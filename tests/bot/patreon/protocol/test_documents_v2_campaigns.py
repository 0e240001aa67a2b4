"""How a creator's campaigns and their tiers are read from API v2."""

from typing import Any

import pytest

from bot.domain.errors import PatreonUnavailable
from bot.domain.model import Campaign, CampaignId, PatreonUserId, Tier, TierId
from bot.patreon.protocol.documents_v2_campaigns import read_campaigns


def test_campaigns_come_with_their_tiers_currency_and_creator(sample: Any) -> None:
    assert read_campaigns(sample("v2_campaigns").body) == (
        Campaign(
            campaign_id=CampaignId("700"),
            name="The Lighthouse",
            currency="EUR",
            creator_user_id=PatreonUserId("8001"),
            tiers=(
                Tier(campaign_id=CampaignId("700"), tier_id=TierId("5000"), title="Free", amount_cents=0),
                Tier(
                    campaign_id=CampaignId("700"),
                    tier_id=TierId("5001"),
                    title="Gold",
                    amount_cents=500,
                    is_published=False,
                ),
            ),
        ),
        Campaign(campaign_id=CampaignId("701"), name="maps"),
    )


def test_a_tier_names_the_roles_that_patreons_bot_gives_for_it(sample: Any) -> None:
    body = sample("v2_campaigns").body.replace(b'"Gold"', b'"Gold", "discord_role_ids": ["32", "31", "x"]', 1)
    assert [tier.discord_role_ids for tier in read_campaigns(body)[0].tiers] == [(), (31, 32)]


def test_a_campaign_without_attributes_is_called_by_its_id(sample: Any) -> None:
    assert read_campaigns(sample("v2_campaigns_bare").body) == (Campaign(campaign_id=CampaignId("700"), name="700"),)


@pytest.mark.parametrize("case", ["v2_campaigns_without_id", "v2_members_without_list"])
def test_campaigns_without_list_or_id_are_an_error(sample: Any, case: str) -> None:
    with pytest.raises(PatreonUnavailable):
        read_campaigns(sample(case).body)
