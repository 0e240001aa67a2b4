"""Of a genuine delivery only whom it names is used."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from bot.domain.model import CampaignId, Hint, MembershipId, PatreonUserId, Secret
from bot.sync.deliveries.inbox import DeliveryInbox
from bot.sync.deliveries.nudges import Nudges
from bot.sync.webhooks.at_patreon import WebhooksAtPatreon
from bot.sync.webhooks.keeper import WebhookKeeper

CAMPAIGN = CampaignId("100")
NAMED = b'{"data": {"type": "member", "id": "m-1", "relationships": {"user": {"data": {"type": "user", "id": "7"}}}}}'


@dataclass
class Back:
    """What stands behind the inbox."""

    secrets: tuple[Secret, ...] = (Secret("one"), Secret("two"))
    delivered: list[CampaignId] = field(default_factory=list)
    nudged: list[tuple[CampaignId, Hint]] = field(default_factory=list)

    async def secrets_of(self, _: CampaignId) -> tuple[Secret, ...]:
        return self.secrets

    async def note_delivery(self, campaign_id: CampaignId) -> None:
        self.delivered.append(campaign_id)

    async def nudge(self, campaign_id: CampaignId, hint: Hint) -> None:
        self.nudged.append((campaign_id, hint))


@pytest.fixture
def back() -> Back:
    return Back()


@pytest.fixture
def inbox(back: Back) -> DeliveryInbox:
    return DeliveryInbox(
        at_patreon=cast("WebhooksAtPatreon", back), keeper=cast("WebhookKeeper", back), nudges=cast("Nudges", back)
    )


async def test_each_secret_that_may_have_signed_is_known(inbox: DeliveryInbox, back: Back) -> None:
    assert await inbox.secrets_of(CAMPAIGN) == back.secrets


async def test_whoever_is_named_is_read_again(inbox: DeliveryInbox, back: Back) -> None:
    await inbox.take(CAMPAIGN, NAMED)
    hint = Hint(patreon_user_id=PatreonUserId("7"), membership_id=MembershipId("m-1"))
    assert back.nudged == [(CAMPAIGN, hint)]


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"data": {"type": "post", "id": "9"}}'])
async def test_a_delivery_that_names_nobody_shows_that_patreon_still_sends(
    inbox: DeliveryInbox, back: Back, body: bytes
) -> None:
    await inbox.take(CAMPAIGN, body)
    assert back.delivered == [CAMPAIGN]
    assert back.nudged == []
