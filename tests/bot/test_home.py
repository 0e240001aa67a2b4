"""Which campaigns and tiers are known, against a real Patreon stand-in."""

from datetime import timedelta

import pytest

from bot.model import CampaignId, GuildId, TokenPair
from bot.roles import rulebook
from tests.fakes.scene import Scene, serve
from tests.fakes.stage import Stage


async def labels(scene: Scene, typed: str) -> list[str]:
    return [label for label, _ in await scene.services.rulebook.tier_choices(scene.guild_id, typed, None)]


async def test_a_tier_that_was_just_made_is_offered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "TIERS_AGE", timedelta())
    await scene.services.rounds.run(trigger="test")
    assert await labels(scene, "diamond") == []
    patreon = scene.stage.sandbox.world.patreon
    patreon.add_tier(scene.stage.sandbox.world.campaign, "Diamond", 5000)
    assert await labels(scene, "diamond") == ["Diamond (50.00 USD)"]


async def test_a_tier_that_was_deleted_is_marked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "TIERS_AGE", timedelta())
    await scene.services.rounds.run(trigger="test")
    assert await labels(scene, "silver") == ["Silver (5.00 USD)"]
    scene.stage.sandbox.patreon.delete_tier(scene.stage.tier_id("Silver"))
    assert await labels(scene, "silver") == ["Silver (5.00 USD, unpublished)"]


async def test_while_patreon_is_away_what_is_known_is_offered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "TIERS_AGE", timedelta())
    await scene.services.rounds.run(trigger="test")
    await scene.stage.sandbox.patreon.stop()
    assert await labels(scene, "silver") == ["Silver (5.00 USD)"]


async def test_a_dead_token_of_the_settings_is_no_trouble_where_its_creator_consented(stage: Stage) -> None:
    async with serve(stage) as services:
        await services.rounds.run(trigger="test")
        seed = await services.storage.credentials.find_creator("seed")
        assert seed is not None
        now, (campaign_id,) = services.clock.now(), stage.sandbox.world.patreon.campaigns
        guild_id = services.settings.discord_guild_id
        assert guild_id is not None
        consent: TokenPair = seed.pair
        credential_id = await services.storage.credentials.save_creator("somebody", consent, at=now)
        await services.storage.campaigns.bind(guild_id, CampaignId(campaign_id), credential_id=credential_id, at=now)
        await services.storage.credentials.mark_dead(seed.credential_id, now)
    async with serve(stage) as services:
        assert (await services.rounds.run(trigger="test")).errors == ()
        await services.storage.credentials.mark_dead(credential_id, services.clock.now())
    async with serve(stage) as services:
        assert not (await services.rounds.run(trigger="test")).is_ok


async def test_a_server_that_is_no_longer_the_home_follows_no_more(stage: Stage) -> None:
    """Its creator never consented to it; the settings did, and they name another one now."""
    campaign_id, former = CampaignId(stage.sandbox.world.campaign.id), GuildId(77)
    async with serve(stage) as services:
        await services.rounds.run(trigger="test")
        seed = await services.storage.credentials.find_creator("seed")
        assert seed is not None
        now = services.clock.now()
        consent = await services.storage.credentials.save_creator("somebody", seed.pair, at=now)
        for guild_id, credential_id in ((former, seed.credential_id), (GuildId(78), consent)):
            await services.storage.campaigns.bind(guild_id, campaign_id, credential_id=credential_id, at=now)
    async with serve(stage) as services:
        await services.rounds.run(trigger="test")
        followers = await services.storage.campaigns.guilds_of(campaign_id)
        assert set(followers) == {services.settings.discord_guild_id, GuildId(78)}
        assert not await services.storage.campaigns.was_unbound(former, campaign_id), "it may be the home again"
