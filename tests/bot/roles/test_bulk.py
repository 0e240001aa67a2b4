"""One read of the whole list, with everything real but the two services."""

import pytest

from bot.model import CampaignId, MembershipRecord, PatreonUserId
from sandbox.patreon import api_v2
from sandbox.weather import Fault
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene

ROWS_ON_A_PAGE = 4


async def record_of(scene: Scene, patron: str) -> MembershipRecord:
    campaign_id, patron_id = CampaignId(scene.stage.sandbox.world.campaign.id), scene.stage.patron_id(patron)
    stored = await scene.services.storage.memberships.load_patrons(campaign_id, [PatreonUserId(patron_id)])
    return stored[PatreonUserId(patron_id)]


async def test_whose_row_comes_without_its_user_is_not_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The read is complete by its numbers, and no anomaly: only a few are lost from sight, on whichever page."""
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS_ON_A_PAGE)
    await scene.services.rounds.run(trigger="test")
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role")
    await scene.services.rounds.run(trigger="test")
    pages = -(-len(scene.stage.sandbox.world.campaign.members) // ROWS_ON_A_PAGE)
    for page in range(pages):
        scene.stage.sandbox.weather.set(Fault("patreon", "/members", "null_users", times=1, after=page))
        await scene.services.rounds.run(trigger="test")
        assert (await record_of(scene, GOLD_PATRON)).memory.gone_since is None, f"page {page + 1}"
        assert "Gold" in scene.stage.roles(MEMBER)
