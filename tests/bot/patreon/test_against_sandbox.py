"""The real client and token keeper against the stand-in Patreon over real sockets, both API versions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.charge_status import ChargeStatus
from bot.domain.errors import CredentialsDead, PatreonRefused, PatreonUnavailable
from bot.domain.model import CampaignId, MembershipId, Secret, StoredPair, TokenPair
from bot.domain.patron_status import PatronStatus
from bot.patreon.client import PatreonApi
from bot.patreon.http import Http
from bot.patreon.oauth import LINK_SCOPES
from bot.patreon.tokens import TokenKeeper
from tests.bot.patreon.sandbox_world import PAIR, OnePair, World


@pytest.fixture(params=list(PatreonApi))
async def world(request: pytest.FixtureRequest, http: Http) -> AsyncIterator[World]:
    built = World(request.param, http)
    await built.patreon.start()
    yield built
    await built.patreon.stop()


async def test_the_creators_campaigns_come_with_their_tiers(world: World) -> None:
    (campaign,) = await world.client.fetch_campaigns(world.creator_token)
    assert (campaign.campaign_id, campaign.name) == (world.campaign.id, "Cleo's campaign")
    assert campaign.creator_user_id == world.creator.id
    assert ("Gold", 500) in [(tier.title, tier.amount_cents) for tier in campaign.tiers]
    assert not {"-1", "0"} & {tier.tier_id for tier in campaign.tiers}


async def test_a_bulk_read_names_everybody_once_in_as_few_calls_as_can_be(world: World) -> None:
    count, calls = (2500, 3) if world.api is PatreonApi.V2 else (250, 3)
    world.patrons(count)
    pages = await world.pages()
    ids = [m.patreon_user_id for page in pages for m in page.memberships]
    assert len(ids) == len(set(ids)) == count
    assert {page.total for page in pages} == {count}
    assert [page.is_last for page in pages] == [False, False, True]
    assert len(world.patreon.calls) == calls


async def test_a_patron_consents_and_their_identity_names_the_campaign(world: World) -> None:
    ada = world.patron("Ada", discord_user_id="200000000000000001")
    world.state.add_member(ada, world.gold)
    pair = await world.oauth.exchange_code(await world.consent(ada.id))
    assert pair.scopes == set(LINK_SCOPES[world.api])
    identity = await world.client.fetch_identity(pair.access_token)
    assert (identity.patreon_user_id, identity.full_name) == (ada.id, "Ada")
    (membership,) = identity.memberships
    assert membership.campaign_id == world.campaign.id
    assert (membership.patron_status, membership.tier_ids) == (PatronStatus.ACTIVE, (world.gold.id,))


async def test_a_used_code_is_refused(world: World) -> None:
    code = await world.consent(world.patron("Ada").id)
    await world.oauth.exchange_code(code)
    with pytest.raises(CredentialsDead):
        await world.oauth.exchange_code(code)


async def test_a_declined_card_is_seen(world: World) -> None:
    ada = world.patron("Ada")
    world.state.add_member(ada, world.gold)
    world.patreon.decline(ada.id)
    ((membership,),) = [page.memberships for page in await world.pages()]
    assert (membership.patron_status, membership.charge_status) == (PatronStatus.DECLINED, ChargeStatus.DECLINED)
    assert (membership.declined_since is not None) is (world.api is PatreonApi.V1)


async def test_an_endless_cursor_ends_with_everybody_named_once(world: World) -> None:
    world.patrons(3)
    world.fault("endless_cursor", "/campaigns/")
    (page,) = await world.pages()
    assert (page.rows, page.total, page.is_last, len(world.patreon.calls)) == (3, 3, True, 2)


@pytest.mark.parametrize("fault", ["500", "503", "html", "html_403", "429", "drop"])
async def test_a_passing_fault_is_waited_out(world: World, fault: str) -> None:
    world.patrons(3)
    world.fault(fault, "/campaigns/", times=2)
    assert sum(page.rows for page in await world.pages()) == 3


async def test_a_lasting_fault_is_raised(world: World) -> None:
    world.fault("503", "/campaigns/")
    with pytest.raises(PatreonUnavailable):
        await world.pages()


async def test_null_users_are_counted(world: World) -> None:
    world.patrons(3)
    world.fault("null_users", "/campaigns/")
    (page,) = await world.pages()
    assert (page.rows, page.unattributed, page.memberships) == (3, 3, ())


async def test_a_foreign_campaign_is_refused(world: World) -> None:
    other = world.state.add_creator("Dan").campaigns[0]
    with pytest.raises(PatreonRefused):
        await anext(world.client.iter_membership_pages(world.creator_token, CampaignId(other.id)))


async def test_a_mistyped_client_secret_is_the_settings_fault(world: World) -> None:
    oauth = world.oauth
    world.registered.secret = "another"
    with pytest.raises(PatreonRefused):
        await oauth.refresh(Secret(world.registered.creator_refresh_token))


async def test_a_revoked_consent_is_dead(world: World) -> None:
    pair = await world.oauth.exchange_code(await world.consent(world.patron("Ada").id))
    await world.oauth.revoke(pair.access_token)
    with pytest.raises(CredentialsDead):
        await world.client.fetch_identity(pair.access_token)


async def test_one_member_is_read_again_on_v2_only(world: World) -> None:
    member = world.state.add_member(world.patron("Ada"), world.gold)
    reading = world.client.fetch_membership(world.creator_token, MembershipId(member.id))
    if world.api is PatreonApi.V1:
        with pytest.raises(PatreonRefused):
            await reading
        return
    membership = await reading
    assert (membership.membership_id, membership.campaign_id) == (member.id, world.campaign.id)


async def test_a_webhook_is_made_and_listed_on_v2_only(world: World) -> None:
    uri = "http://127.0.0.1:9/webhooks/patreon/1"
    if world.api is PatreonApi.V1:
        with pytest.raises(PatreonRefused):
            await world.client.create_webhook(world.creator_token, world.campaign_id, uri)
        return
    made = await world.client.create_webhook(world.creator_token, world.campaign_id, uri)
    assert made.secret == Secret(world.state.webhooks[made.webhook_id].secret)
    assert [w.uri for w in await world.client.fetch_webhooks(world.creator_token)] == [uri]
    world.state.webhooks[made.webhook_id].is_paused = True
    assert not (await world.client.unpause_webhook(world.creator_token, made.webhook_id)).is_paused


@pytest.fixture
def store(world: World) -> OnePair:
    pair = TokenPair(
        access_token=world.creator_token,
        refresh_token=Secret(world.registered.creator_refresh_token),
        expires_at=world.clock.now() + timedelta(days=31),
    )
    return OnePair(StoredPair(credential_id=PAIR, pair=pair, obtained_at=world.clock.now()))


@pytest.fixture
def keeper(world: World, store: OnePair) -> TokenKeeper:
    return TokenKeeper(store=store, oauth=world.oauth, clock=world.clock)


async def test_a_pair_lives_on_from_refresh_to_refresh(world: World, keeper: TokenKeeper, store: OnePair) -> None:
    for _ in range(3):
        world.clock.move(timedelta(days=21))
        before = store.stored.pair
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(keeper.call(PAIR, world.client.fetch_campaigns))
        assert store.stored.pair != before
    assert [call.route for call in world.patreon.calls].count("POST /api/oauth2/token") == 3


async def test_a_token_that_dies_early_is_replaced_between_two_pages(
    world: World, keeper: TokenKeeper, store: OnePair
) -> None:
    world.patrons(1200 if world.api is PatreonApi.V2 else 120)
    pages = keeper.iter_pages(PAIR, world.campaign_id, world.client)
    first = await anext(pages)
    world.fault("token_expired", "/campaigns/", times=1)
    rest = [page async for page in pages]
    assert first.rows + sum(page.rows for page in rest) == first.total
    assert store.stored.pair.access_token != world.creator_token


async def test_a_lost_refresh_is_followed_by_the_old_token_and_then_by_the_owner(
    world: World, keeper: TokenKeeper, store: OnePair
) -> None:
    world.fault("lost", "/api/oauth2/token", times=1)
    world.clock.move(timedelta(days=21))
    old = store.stored.pair
    try:
        await keeper.call(PAIR, world.client.fetch_campaigns)
    except CredentialsDead:
        assert store.stored.dead_at is not None
    assert store.stored.pair is old
    world.clock.move(timedelta(days=11))
    with pytest.raises(CredentialsDead):
        await keeper.call(PAIR, world.client.fetch_campaigns)
    assert store.stored.dead_at is not None


async def test_an_outage_at_the_end_of_a_tokens_life_mends_itself(
    world: World, keeper: TokenKeeper, store: OnePair
) -> None:
    world.fault("503", "/")
    world.clock.move(timedelta(days=40))
    for _ in range(3):
        with pytest.raises(PatreonUnavailable):
            await keeper.call(PAIR, world.client.fetch_campaigns)
    world.weather.clear()
    assert len(await keeper.call(PAIR, world.client.fetch_campaigns)) == 1
    assert store.stored.dead_at is None
