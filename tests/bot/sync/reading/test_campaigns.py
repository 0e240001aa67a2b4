"""Which campaigns and tiers are known, against a real Patreon stand-in."""

from datetime import timedelta

import pytest

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, GuildId, PatreonUserId, Secret, StoredPair, TokenPair
from bot.sync.admin import rulebook
from bot.texts.rules import tier_choice
from sandbox.patreon.oauth import Pair
from tests.fakes.notifier import RENDERER
from tests.fakes.scene import Scene, serve
from tests.fakes.stage import Stage
from tests.fakes.stored import save_consent


async def labels(scene: Scene, typed: str) -> list[str]:
    tiers = await scene.app.rulebook.tiers(scene.guild_id, None)
    offered = [tier_choice(RENDERER, campaign, tier, has_several=False) for campaign, tier in tiers]
    return [choice for choice in offered if typed in choice.casefold()]


async def test_a_tier_that_was_just_made_is_offered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "TIERS_AGE", timedelta())
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert await labels(scene, "diamond") == []
    patreon = scene.stage.sandbox.world.patreon
    patreon.add_tier(scene.stage.sandbox.world.campaign, "Diamond", 5000)
    assert await labels(scene, "diamond") == ["Diamond: US$50.00"]


async def test_a_tier_that_was_deleted_is_marked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "TIERS_AGE", timedelta())
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert await labels(scene, "silver") == ["Silver: US$5.00"]
    scene.stage.sandbox.patreon.delete_tier(scene.stage.tier_id("Silver"))
    assert await labels(scene, "silver") == ["Silver: US$5.00 (unpublished)"]


async def test_while_patreon_is_away_what_is_known_is_offered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "TIERS_AGE", timedelta())
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.stage.sandbox.patreon.stop()
    assert await labels(scene, "silver") == ["Silver: US$5.00"]


async def test_a_dead_token_of_the_settings_is_no_trouble_where_its_creator_consented(stage: Stage) -> None:
    async with serve(stage) as app:
        await app.rounds.run(trigger=Trigger.SYNC)
        seed = await app.storage.credentials.find_seed()
        assert seed is not None
        now, (campaign_id,) = app.clock.now(), stage.sandbox.world.patreon.campaigns
        guild_id = app.settings.discord_guild_id
        assert guild_id is not None
        consent: TokenPair = seed.pair
        credential_id = await save_consent(app.storage, PatreonUserId("somebody"), consent, at=now)
        await app.storage.campaigns.bind(guild_id, CampaignId(campaign_id), credential_id=credential_id, at=now)
        await app.storage.credentials.mark_dead(seed, now)
    async with serve(stage) as app:
        assert (await app.rounds.run(trigger=Trigger.SYNC)).errors == ()
        living = await app.storage.credentials.load(credential_id)
        await app.storage.credentials.mark_dead(living, app.clock.now())
    async with serve(stage) as app:
        assert not (await app.rounds.run(trigger=Trigger.SYNC)).is_ok


async def test_a_server_that_is_no_longer_the_home_follows_no_more(stage: Stage) -> None:
    """Its creator never consented to it; the settings did, and they name another one now."""
    campaign_id, former = CampaignId(stage.sandbox.world.campaign.id), GuildId(77)
    async with serve(stage) as app:
        await app.rounds.run(trigger=Trigger.SYNC)
        seed = await app.storage.credentials.find_seed()
        assert seed is not None
        now = app.clock.now()
        consent = await save_consent(app.storage, PatreonUserId("somebody"), seed.pair, at=now)
        for guild_id, credential_id in (
            (former, seed.credential_id),
            (GuildId(78), consent),
            (GuildId(79), seed.credential_id),
        ):
            is_former = guild_id == former
            await app.storage.campaigns.bind(
                guild_id, campaign_id, credential_id=credential_id, at=now, by_settings=is_former
            )
    async with serve(stage) as app:
        await app.rounds.run(trigger=Trigger.SYNC)
        followers = await app.storage.campaigns.guilds_of(campaign_id)
        assert set(followers) == {app.settings.discord_guild_id, GuildId(78), GuildId(79)}, "a creator's own yes stays"
        assert not await app.storage.campaigns.was_unbound(former, campaign_id), "it may be the home again"


async def seed_of(app: App) -> StoredPair:
    found = await app.storage.credentials.find_seed()
    assert found is not None
    return found


def settings_hold(stage: Stage, pair: Pair) -> None:
    """Put a pair into the settings that the next start has."""
    environment = stage.sandbox.bot.environment
    environment["PATREON_CREATOR_ACCESS_TOKEN"] = pair.access_token
    environment["PATREON_CREATOR_REFRESH_TOKEN"] = pair.refresh_token


def consent_anew(stage: Stage) -> TokenPair:
    """Let the creator consent; what the settings hold is over from then on."""
    world = stage.sandbox.world
    oauth, client = world.patreon.oauth, world.client
    pair = oauth.exchange(client, oauth.consent(client, client.owner, frozenset(), "there"), "there")
    return TokenPair(
        access_token=Secret(pair.access_token), refresh_token=Secret(pair.refresh_token), expires_at=pair.expires_at
    )


async def test_whose_the_pair_of_the_settings_is_is_found_by_using_it(stage: Stage) -> None:
    owner = PatreonUserId(stage.sandbox.world.client.owner.id)
    async with serve(stage) as app:
        seed = await seed_of(app)
        assert await app.storage.credentials.owner_of(seed.credential_id) is None
        await app.rounds.run(trigger=Trigger.SYNC)
        assert await app.storage.credentials.owner_of(seed.credential_id) == owner
        consent = consent_anew(stage)
        await save_consent(app.storage, owner, consent, at=app.clock.now())
    async with serve(stage) as app:
        assert (await app.rounds.run(trigger=Trigger.SYNC)).is_ok
        assert (await seed_of(app)).pair == consent, "a restart finds what stands for the settings by now"


async def test_a_new_pair_in_the_settings_takes_the_place_of_its_owners_consent(stage: Stage) -> None:
    owner = PatreonUserId(stage.sandbox.world.client.owner.id)
    async with serve(stage) as app:
        await app.rounds.run(trigger=Trigger.SYNC)
        await save_consent(app.storage, owner, consent_anew(stage), at=app.clock.now())
    portal = stage.sandbox.world.patreon.oauth.issue_creator_pair(stage.sandbox.world.client)
    settings_hold(stage, portal)
    async with serve(stage) as app:
        assert (await app.rounds.run(trigger=Trigger.SYNC)).is_ok
        stored = await app.storage.credentials.find_user(owner)
        assert stored == await seed_of(app)
        assert stored.pair.access_token.reveal() == portal.access_token
        (binding,) = await app.storage.campaigns.bindings()
        assert (binding.credential_id, binding.by_settings) == (stored.credential_id, True)


async def test_an_older_pair_in_the_settings_leaves_its_owners_newer_consent_in_place(stage: Stage) -> None:
    """The portal's pair was copied before the creator consented, and put into the settings after."""
    world = stage.sandbox.world
    owner = PatreonUserId(world.client.owner.id)
    async with serve(stage) as app:
        await app.rounds.run(trigger=Trigger.SYNC)
    copied = world.patreon.oauth.issue_creator_pair(world.client)
    async with serve(stage) as app:
        await save_consent(app.storage, owner, consent_anew(stage), at=app.clock.now())
    settings_hold(stage, copied)
    async with serve(stage) as app:
        assert (await app.rounds.run(trigger=Trigger.SYNC)).is_ok
        stored = await app.storage.credentials.find_user(owner)
        assert stored == await seed_of(app)
        assert (await app.rounds.run(trigger=Trigger.SYNC)).is_ok
    async with serve(stage) as app:
        assert (await app.rounds.run(trigger=Trigger.SYNC)).is_ok
        assert await app.storage.credentials.find_user(owner) == await seed_of(app)
