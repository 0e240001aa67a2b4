"""Our webhooks at Patreon: found, made, moved, switched on; a foreign one is left alone."""

from datetime import timedelta

import msgspec
import pytest

from bot.domain.model import CampaignId, PatreonUserId, Secret, TokenPair
from bot.patreon.protocol.version import PatreonApi
from bot.sync.webhooks.at_patreon import WebhookSettings
from bot.sync.webhooks.keeper import CHECK_EVERY
from tests.bot.sync.webhooks.post import BY_HAND, LIST, Post
from tests.fakes.stored import save_consent


async def test_a_webhook_is_made_for_a_bound_campaign_and_its_secret_is_kept(post: Post) -> None:
    assert await post.at_patreon.secrets_of(post.campaign_id) == ()
    await post.look()
    (webhook,) = post.webhooks
    assert webhook.uri == f"{post.app.settings.public_url}/webhooks/patreon/{post.campaign_id}"
    assert "members:pledge:create" in webhook.triggers
    assert await post.at_patreon.secrets_of(post.campaign_id) == (Secret(webhook.secret),)
    assert await post.said() == ""


async def test_one_is_missing_where_there_should_be_one_and_none_is_stored(post: Post) -> None:
    assert await post.at_patreon.is_missing(post.campaign_id)
    assert not await post.at_patreon.is_missing(CampaignId("999")), "no consent reads that campaign"
    well = post.at_patreon._settings
    for settings in (
        msgspec.structs.replace(well, api=PatreonApi.V1),
        WebhookSettings(public_url="http://127.0.0.1:8080", patreon_url="https://www.patreon.com"),
        msgspec.structs.replace(well, secret=BY_HAND),
    ):
        post.at_patreon._settings = settings
        assert not await post.at_patreon.is_missing(post.campaign_id)
    post.at_patreon._settings = well
    await post.look()
    assert not await post.at_patreon.is_missing(post.campaign_id)


async def test_a_webhook_that_is_gone_is_made_anew(kept: Post) -> None:
    kept.stage.sandbox.patreon.state.webhooks.clear()
    await kept.look(after=CHECK_EVERY)
    (webhook,) = kept.webhooks
    assert await kept.at_patreon.secrets_of(kept.campaign_id) == (Secret(webhook.secret),)


async def test_a_webhook_that_leads_elsewhere_is_moved_and_keeps_its_secret(kept: Post) -> None:
    before = await kept.at_patreon.secrets_of(kept.campaign_id)
    kept.at_patreon._settings = msgspec.structs.replace(kept.at_patreon._settings, public_url="http://127.0.0.1:9")
    await kept.look(after=CHECK_EVERY)
    (webhook,) = kept.webhooks
    assert webhook.uri == f"http://127.0.0.1:9/webhooks/patreon/{kept.campaign_id}"
    assert await kept.at_patreon.secrets_of(kept.campaign_id) == before


async def test_a_webhook_of_an_older_database_is_taken_over(post: Post) -> None:
    seed = await post.app.storage.campaigns.find_reader(post.campaign_id)
    assert seed is not None
    uri = post.at_patreon.uri(post.campaign_id)
    made = await post.app.keeper.call(
        seed, lambda token: post.at_patreon._client.create_webhook(token, post.campaign_id, uri)
    )
    await post.look()
    assert [one.id for one in post.webhooks] == [made.webhook_id]
    assert await post.at_patreon.secrets_of(post.campaign_id) == (made.secret,)


async def test_a_foreign_webhook_is_left_alone(post: Post) -> None:
    world = post.stage.sandbox.world
    state = post.stage.sandbox.patreon.state
    foreign = state.add_webhook(world.client, world.campaign, "https://elsewhere.example/hook", ["members:update"])
    foreign.is_paused = True
    await post.look()
    assert len(post.webhooks) == 2
    assert foreign.is_paused
    assert foreign.uri == "https://elsewhere.example/hook"


async def test_deliveries_that_failed_while_we_were_away_are_asked_for_again(kept: Post) -> None:
    (webhook,) = kept.webhooks
    webhook.failures = 3
    await kept.look(after=CHECK_EVERY)
    assert webhook.failures == 0
    assert await kept.said() == ""


async def test_where_a_person_made_the_webhook_none_is_made_and_their_secret_counts_at_home_only(post: Post) -> None:
    post.at_patreon._settings = msgspec.structs.replace(post.at_patreon._settings, secret=BY_HAND)
    await post.look()
    assert post.webhooks == []
    assert await post.at_patreon.secrets_of(post.campaign_id) == (BY_HAND,)
    assert await post.at_patreon.secrets_of(CampaignId("999")) == ()


async def test_what_a_consent_may_do_is_found_by_using_it(post: Post) -> None:
    """Patreon gives the owner of a client all scopes, whatever was asked for and whatever its answer names."""
    now = post.clock.now()
    client = post.stage.sandbox.world.client
    pair = TokenPair(
        access_token=Secret(client.creator_access_token),
        refresh_token=Secret(client.creator_refresh_token),
        expires_at=now + timedelta(days=31),
        scopes=frozenset({"identity", "identity.memberships"}),
    )
    creator = PatreonUserId(client.owner.id)
    credential_id = await save_consent(post.app.storage, creator, pair, at=now)
    await post.app.storage.campaigns.bind(post.guild_id, post.campaign_id, credential_id=credential_id, at=now)
    await post.look()
    assert len(post.webhooks) == 1


@pytest.mark.parametrize(
    ("public_url", "patreon_url", "is_reachable"),
    [
        ("https://pledges.example", "https://www.patreon.com", True),
        ("http://127.0.0.1:8080", "https://www.patreon.com", False),
        ("http://localhost:8080", "http://127.0.0.1:8402", True),
        ("https://pledges.example", "http://127.0.0.1:8402", True),
    ],
)
def test_where_patreon_can_reach_us(public_url: str, patreon_url: str, is_reachable: bool) -> None:
    assert WebhookSettings(public_url=public_url, patreon_url=patreon_url).is_reachable is is_reachable


async def test_where_patreon_cannot_reach_us_nothing_is_made(post: Post) -> None:
    post.at_patreon._settings = WebhookSettings(
        public_url="http://127.0.0.1:8080", patreon_url="https://www.patreon.com"
    )
    await post.look()
    assert post.calls(LIST) == 0


async def test_on_v1_nothing_is_made(post: Post) -> None:
    post.at_patreon._settings = msgspec.structs.replace(post.at_patreon._settings, api=PatreonApi.V1)
    await post.look()
    assert post.calls(LIST) == 0
