"""Patreon keeps one living pair for each client and user: a new consent ends the older one. Nobody's list goes unread.

The creator of the sandbox's campaign owns the client, so each consent of theirs ends the pair of the settings.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sandbox.main import Options
from sandbox.page.messages import flat_components
from tests.fakes.stage import ADMIN, Page, Stage, words

CREATOR = "Wren Ashdown"
OWNER = "fay.foxglove"  # of a second server
NO_CREATOR = {"PATREON_CREATOR_ACCESS_TOKEN": "", "PATREON_CREATOR_REFRESH_TOKEN": ""}


class TwoServers(Stage):
    """The stage, and a second server that follows nothing yet."""

    def __init__(self) -> None:
        super().__init__()
        guild = self.sandbox.world.discord.add_guild("Foxglove", OWNER)
        self.sandbox.world.discord.add_role(guild, "Reader")

    async def ask(self) -> Page:
        """Type /patreon connect in the second server, and consent as the creator."""
        typed = await self.command(OWNER, "patreon connect")
        (button,) = flat_components(typed.messages[-1].components)
        return await self.browser().consent(str(button["url"]), self.patron_id(CREATOR))


@pytest.fixture
async def servers() -> AsyncIterator[TwoServers]:
    async with TwoServers() as stage:
        yield stage


@pytest.fixture
async def alone() -> AsyncIterator[Stage]:
    async with Stage(Options(interval=1, env=NO_CREATOR)) as stage:
        yield stage


async def list_is_read(stage: Stage) -> None:
    """The list is read by a living pair: the rounds say so, and a patron who changes their tier is followed."""
    calls = stage.sandbox.patreon.calls
    await stage.rounds(1)  # one under way may have begun with the pair before
    calls.clear()
    await stage.rounds(2)
    assert {call.status for call in calls if call.path.endswith("/members")} == {200}
    assert (await stage.health())["http"] == 200
    assert "own consent" not in words(stage.sandbox.discord.messages_for(stage.user_id(ADMIN)))


async def test_the_creator_who_links_is_told_of_membership_and_the_list_is_read_on(stage: Stage) -> None:
    await stage.add_rule()
    page = await stage.link("juniper.jo", CREATOR)
    assert page.result == "linked"
    assert "Creators aren't members of their own campaign" in page.words
    assert "another Patreon account" in page.words
    assert "No membership found" not in page.words
    assert "aren't members of their own campaign" in await stage.say("juniper.jo", "membership")
    await stage.until(
        lambda: "aren't members of their own campaign" in words(stage.direct_messages("juniper.jo")),
        "Discord says what the page says",
    )
    await list_is_read(stage)
    await stage.say("juniper.jo", "unlink")
    await list_is_read(stage)
    await stage.sandbox.bot.kill()
    await stage.restart()
    await list_is_read(stage)


async def test_a_creators_no_and_a_page_left_open_leave_the_list_readable(servers: TwoServers) -> None:
    page = await servers.ask()
    assert page.result == "confirm"
    left_open = await servers.ask()
    assert left_open.result == "confirm"
    await list_is_read(servers)
    again = await servers.ask()
    declined = await servers.browser().open(again.url)  # another browser knows nothing of it
    assert declined.result == "unknown"
    await servers.move(timedelta(minutes=11))
    await list_is_read(servers)


async def test_a_creators_no_to_a_second_server_revokes_nothing(servers: TwoServers) -> None:
    typed = await servers.command(OWNER, "patreon connect")
    (button,) = flat_components(typed.messages[-1].components)
    browser = servers.browser()
    page = await browser.consent(str(button["url"]), servers.patron_id(CREATOR))
    declined = await browser.send(page, "decline")
    assert declined.result == "declined"
    await list_is_read(servers)


async def test_a_second_account_answered_with_no_keeps_the_first_one_readable(alone: Stage) -> None:
    patreon = alone.sandbox.patreon
    await alone.add_rule(role="Bronze", kind="paying", tier=None)
    await alone.link("hazel.hollow", "Gerda Nilsson")
    await alone.until(lambda: "Bronze" in alone.roles("hazel.hollow"), "the role")
    browser = alone.browser()
    page = await browser.consent(await alone.authorize_url("ivy_afterdark"), alone.patron_id("Gerda Nilsson"))
    assert page.result == "held"
    declined = await browser.send(page, "decline")
    assert declined.result == "declined"
    assert "stays as it was" in declined.words
    patreon.refund(alone.patron_id("Gerda Nilsson"))
    await alone.until(lambda: "Bronze" not in alone.roles("hazel.hollow"), "the first account is still read")
    assert "to give it again" not in await alone.say("hazel.hollow", "membership")


async def test_a_pair_whose_owner_is_not_known_yet_waits_through_a_kill(stage: Stage) -> None:
    await stage.add_rule()
    stage.weather("patreon", "GET /api/oauth2/v2/identity", "503")
    page = await stage.browser().consent(await stage.authorize_url("juniper.jo"), stage.patron_id(CREATOR))
    assert page.result == "unavailable"
    await stage.sandbox.bot.kill()
    stage.sandbox.weather.clear()
    await stage.sandbox.bot.start()
    await stage.until(lambda: "waited has found its owner" in stage.log(), "the pair finds its place", 60)
    await stage.ready()
    await stage.rounds(2)
    stage.sandbox.patreon.calls.clear()
    await stage.rounds(3)
    calls = stage.sandbox.patreon.calls
    assert {call.status for call in calls if call.path.endswith("/members")} == {200}
