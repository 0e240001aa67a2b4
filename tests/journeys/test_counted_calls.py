"""Cost follows change: what a sync of a large campaign costs when nothing changed."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from sandbox.main import Options
from tests.fakes.stage import ADMIN, Stage

MEMBERS = 10_000


@pytest.fixture
async def large() -> AsyncIterator[Stage]:
    """A campaign of ten thousand, and a bot that reads it only when told."""
    stage = Stage(Options(interval=3600))
    patreon, campaign = stage.sandbox.world.patreon, stage.sandbox.world.campaign
    gold = next(tier for tier in campaign.tiers if tier.title == "Gold")
    for number in range(MEMBERS - len(campaign.members)):
        patreon.add_member(patreon.add_patron(f"Patron {number}"), gold)
    async with stage:
        yield stage


async def test_a_sync_without_changes_costs_ten_calls_to_patreon_and_none_to_discord(large: Stage) -> None:
    await large.add_rule()
    await large.link("hazel.hollow", "Gerda Nilsson")
    both = ("hazel.hollow", "kestrel_kite")  # who typed /link, and whom Patreon reports
    await large.until(lambda: all("Gold" in large.roles(username) for username in both), "the roles")
    await large.until(lambda: large.query("SELECT 1 FROM webhooks"), "the webhook, which is made once")
    await large.say(ADMIN, "patreon sync")

    large.sandbox.patreon.calls.clear()
    large.sandbox.discord.calls.clear()
    await large.say(ADMIN, "patreon sync")
    calls = Counter(call.route for call in large.sandbox.patreon.calls)
    assert calls == {"GET /api/oauth2/v2/campaigns/{campaign_id}/members": 10}
    answers = ("/interactions/", "/webhooks/")  # what the command itself answers
    assert [call.path for call in large.sandbox.discord.calls if not call.path.startswith(answers)] == []
