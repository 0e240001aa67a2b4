"""A campaign without a working creator token is read through the linked patrons' own consent."""

from collections.abc import AsyncIterator

import pytest

from sandbox.main import Options
from sandbox.patreon.oauth import Pair
from tests.fakes.stage import ADMIN, Stage, words

NO_CREATOR = {"PATREON_CREATOR_ACCESS_TOKEN": "", "PATREON_CREATOR_REFRESH_TOKEN": ""}


@pytest.fixture
async def alone() -> AsyncIterator[Stage]:
    async with Stage(Options(interval=1, env=NO_CREATOR)) as stage:
        yield stage


def _swapped(stage: Stage, username: str, old: str, new: str) -> bool:
    return stage.roles(username) & {old, new} == {new}


def _told(stage: Stage) -> str:
    return words(stage.sandbox.discord.messages_for(stage.user_id(ADMIN)))


def _pairs_of(stage: Stage, name: str) -> list[Pair]:
    oauth = stage.sandbox.world.patreon.oauth
    return [pair for pair in oauth._by_access.values() if pair.person.id == stage.patron_id(name)]


async def test_with_no_creator_token_set_the_patrons_own_consent_keeps_their_roles_right(alone: Stage) -> None:
    stage, patreon = alone, alone.sandbox.patreon
    await stage.add_rule(role="Bronze", kind="paying", tier=None)
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.link("ivy_afterdark", "Saga Mirren")
    await stage.until(lambda: "Bronze" in stage.roles("hazel.hollow") & stage.roles("ivy_afterdark"), "both roles")
    assert "I check each linked patron one by one" in _told(stage)
    await stage.add_rule(role="Silver", tier="Silver")  # known since a patron was seen in it
    await stage.add_rule(role="Gold", tier="Gold")
    await stage.until(lambda: "Silver" in stage.roles("ivy_afterdark"), "the tier's role")
    patreon.change_tier(stage.patron_id("Saga Mirren"), stage.tier_id("Gold"))
    await stage.until(lambda: _swapped(stage, "ivy_afterdark", "Silver", "Gold"), "the upgrade")

    for pair in _pairs_of(stage, "Gerda Nilsson"):
        stage.sandbox.world.patreon.oauth.revoke(pair.access_token)
    patreon.refund(stage.patron_id("Gerda Nilsson"))
    patreon.refund(stage.patron_id("Saga Mirren"))
    await stage.until(lambda: not stage.roles("ivy_afterdark") & {"Gold", "Bronze"}, "who can be asked lapses")
    assert "Bronze" in stage.roles("hazel.hollow")  # who cannot be asked is left as they are
    await stage.until_said("/link", "hazel.hollow", "membership")
    assert "with the consent of" in await stage.say(ADMIN, "patreon sync")
    assert (await stage.health())["http"] == 200
    assert not [call for call in patreon.calls if call.path.endswith("/members")]


async def test_with_a_revoked_creator_token_patrons_are_asked_until_it_works_again(stage: Stage) -> None:
    oauth, patreon = stage.sandbox.world.patreon.oauth, stage.sandbox.patreon
    await stage.add_rule(role="Silver", tier="Silver")
    await stage.add_rule(role="Gold", tier="Gold")
    await stage.link("ivy_afterdark", "Saga Mirren")
    await stage.until(lambda: "Silver" in stage.roles("ivy_afterdark"), "the role")
    oauth.revoke(stage.sandbox.bot.environment["PATREON_CREATOR_ACCESS_TOKEN"])
    await stage.rounds(3)
    assert "I check each linked patron one by one" in await stage.say(ADMIN, "patreon rule list")
    assert "I check each linked patron one by one" not in await stage.say(ADMIN, "patreon rule list")  # told once
    assert (await stage.health())["http"] == 503
    patreon.change_tier(stage.patron_id("Saga Mirren"), stage.tier_id("Gold"))
    await stage.until(lambda: _swapped(stage, "ivy_afterdark", "Silver", "Gold"), "the upgrade")

    await stage.sandbox.bot.stop()
    pair = oauth.issue_creator_pair(stage.sandbox.world.client)
    stage.sandbox.bot.environment["PATREON_CREATOR_ACCESS_TOKEN"] = pair.access_token
    stage.sandbox.bot.environment["PATREON_CREATOR_REFRESH_TOKEN"] = pair.refresh_token
    await stage.restart()
    await stage.rounds(2)
    said = await stage.say(ADMIN, "patreon sync") + _told(stage)
    assert "with its creator's access again" in said
    assert "Gold" in stage.roles("ivy_afterdark")
