"""Campaigns that no creator's token opens: every linked patron is asked, evenly, and nobody stops the rest."""

import asyncio
import time

import pytest

from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import ClientRefused, Mistake, UserMistake
from bot.domain.model import Campaign, CampaignId, GuildId, PatreonUserId
from bot.storage.credentials import LinkedPair
from bot.sync.consents import AT_ONCE, MAX_FAILURES, Consents
from sandbox.weather import Fault
from tests.fakes.gate import Gate
from tests.fakes.notifier import said
from tests.fakes.scene import Scene

IDENTITY = "GET /api/oauth2/v2/identity"
PATRONS = {"hazel.hollow": "Saga Mirren", "bramble.fox": "Gerda Nilsson", "ivy_afterdark": "Goldie Marsh"}


@pytest.fixture
async def linked(scene: Scene) -> Scene:
    """Three linked patrons, and a creator's token that is dead."""
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    for username, patron in PATRONS.items():
        await scene.link(username, patron)
    seed = await scene.app.storage.credentials.find_seed()
    assert seed is not None
    await scene.app.storage.credentials.mark_dead(seed, scene.app.clock.now())
    scene.stage.sandbox.patreon.calls.clear()
    return scene


def consents(scene: Scene) -> Consents:
    return scene.app.consents


def asked(scene: Scene) -> int:
    return sum(call.route == IDENTITY for call in scene.stage.sandbox.patreon.calls)


async def test_each_patron_is_asked_once_evenly_within_the_time(linked: Scene) -> None:
    began = time.monotonic()
    await consents(linked).read_all(within_seconds=0.6)
    assert asked(linked) == len(PATRONS)
    assert time.monotonic() - began >= 0.4  # the last of three begins two thirds in


async def test_news_of_a_patron_is_planned(linked: Scene) -> None:
    await linked.add_rule()
    linked.stage.sandbox.patreon.change_tier(linked.stage.patron_id("Saga Mirren"), linked.stage.tier_id("Gold"))
    assert "Gold" not in linked.stage.roles("hazel.hollow")
    await consents(linked).read_all()
    await linked.until(lambda: "Gold" in linked.stage.roles("hazel.hollow"), "the role")


async def test_what_patreon_tells_of_somebody_who_unlinks_meanwhile_is_not_kept(
    linked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, patron = linked.app, PatreonUserId(linked.stage.patron_id("Gerda Nilsson"))
    pair = await app.storage.credentials.find_patron(patron)
    assert pair is not None
    gate = Gate(app.keeper.call, is_behind=True)
    monkeypatch.setattr(app.keeper, "call", gate)
    reading = asyncio.create_task(
        app.intake.refresh_patron(patron, pair.credential_id, Trigger.CONSENT, Urgency.BULK_GRANT)
    )
    await gate.reached.wait()
    await app.storage.links.unlink(linked.person("bramble.fox"), at=app.clock.now())
    gate.opened.set()
    assert not await reading, "that is no news"
    assert await app.storage.memberships.load_person(patron) == ()


async def test_a_pair_that_patreon_refuses_is_asked_no_more_and_stops_nobody(linked: Scene) -> None:
    oauth, gerda = linked.stage.sandbox.world.patreon.oauth, linked.stage.patron_id("Gerda Nilsson")
    for pair in [pair for pair in oauth._by_access.values() if pair.person.id == gerda]:
        oauth.revoke(pair.access_token)
    await consents(linked).read_all()
    assert len(await linked.app.storage.credentials.list_patrons()) == len(PATRONS) - 1
    linked.stage.sandbox.patreon.calls.clear()
    await consents(linked).read_all()
    assert asked(linked) == len(PATRONS) - 1
    with pytest.raises(UserMistake, match=Mistake.CONSENT_ENDED):
        await linked.app.intake.refresh_person(linked.person("bramble.fox"), Trigger.MEMBERSHIP)


async def test_a_refresh_that_patreon_refuses_in_any_way_is_cured_by_a_new_consent(linked: Scene) -> None:
    weather = linked.stage.sandbox.weather
    weather.set(Fault("patreon", IDENTITY, "401"))
    weather.set(Fault("patreon", "POST /api/oauth2/token", "403"))
    with pytest.raises(UserMistake, match=Mistake.CONSENT_ENDED):
        await linked.app.intake.refresh_person(linked.person("bramble.fox"), Trigger.MEMBERSHIP)
    weather.clear()
    weather.set(Fault("patreon", IDENTITY, "other_api"))
    with pytest.raises(ClientRefused):
        await linked.app.intake.refresh_person(linked.person("hazel.hollow"), Trigger.MEMBERSHIP)


async def test_a_consent_that_ended_is_found_and_told(linked: Scene) -> None:
    oauth, gerda = linked.stage.sandbox.world.patreon.oauth, linked.stage.patron_id("Gerda Nilsson")
    for pair in [pair for pair in oauth._by_access.values() if pair.person.id == gerda]:
        oauth.revoke(pair.access_token)
    await linked.app.rounds.run(trigger=Trigger.SYNC)
    (campaign_id,) = await linked.app.storage.campaigns.campaigns_of(linked.guild_id)
    assert await consents(linked).list_ended(campaign_id) == [linked.person("bramble.fox")]
    pending = said(await linked.app.notifier.take_pending(linked.guild_id))
    assert f"no longer accepts the access that <@{linked.person('bramble.fox')}> gave me" in pending


async def test_a_server_reads_nothing_of_another_ones_people(linked: Scene) -> None:
    """Neither whose consent ended, nor how many are read."""
    storage = linked.app.storage
    elsewhere = GuildId(int(linked.discord.state.add_guild("Elsewhere", "other.owner").id))
    other = Campaign(campaign_id=CampaignId("77"), name="Crane Letters")
    await storage.campaigns.save(other)
    await storage.campaigns.bind(elsewhere, other.campaign_id, credential_id=None, at=linked.app.clock.now())
    for patron in PATRONS.values():
        for pair in list(linked.stage.sandbox.world.patreon.oauth._by_access.values()):
            if pair.person.id == linked.stage.patron_id(patron):
                linked.stage.sandbox.world.patreon.oauth.revoke(pair.access_token)
    report = await linked.app.rounds.run(trigger=Trigger.SYNC)
    told = said(await linked.app.notifier.take_pending(elsewhere))
    assert "Crane Letters" in told
    assert not [name for name in PATRONS if f"<@{linked.person(name)}>" in told], told
    assert [one.patrons for one in report.campaigns if one.campaign_id == other.campaign_id] == [0]


async def test_while_nobody_can_be_read_the_round_is_not_well(linked: Scene) -> None:
    linked.stage.sandbox.weather.set(Fault("patreon", "/identity", "500"))
    await consents(linked).read_all()
    trouble = consents(linked).trouble
    assert trouble is not None
    assert trouble.facts["patrons"] == 3
    linked.stage.sandbox.weather.clear()
    await consents(linked).read_all()
    assert consents(linked).trouble is None


async def test_while_patreon_is_away_a_pass_ends_early(linked: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    linked.stage.sandbox.weather.set(Fault("patreon", "/identity", "404"))
    patrons = await linked.app.storage.credentials.list_patrons()

    async def list_many() -> tuple[LinkedPair, ...]:
        return patrons * 20

    monkeypatch.setattr(linked.app.storage.credentials, "list_patrons", list_many)
    await consents(linked).read_all(within_seconds=0.5)
    assert MAX_FAILURES <= asked(linked) <= MAX_FAILURES + AT_ONCE


async def test_with_a_working_creator_token_nobody_is_asked(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.link()
    assert not await consents(scene)._is_needed()
