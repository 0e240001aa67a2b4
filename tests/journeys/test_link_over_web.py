"""The pages are one process's, Discord is another's, Patreon a third one's: people notice nothing of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sandbox.bots import Bot
from sandbox.discord.interaction import Interaction
from sandbox.main import Options
from sandbox.page.messages import flat_components
from tests.fakes.postgres import Postgres
from tests.fakes.stage import ADMIN, PATIENCE, Browser, Page, Stage, words
from tests.journeys.test_gateways import Town

PATRON, NAME = "hazel.hollow", "Gerda Nilsson"
CLOSED = "mossy_stone"
CREATOR = "Ottilie Crane"


class Parted(Stage):
    """The stage, with a process for each role, and a creator whom no server follows yet."""

    def __init__(self) -> None:
        super().__init__(Options(interval=1, layout=(("gateway",), ("worker",), ("web",))))
        self.creator = self.sandbox.world.patreon.add_creator(CREATOR, campaign_name="Crane Letters")

    def bot(self, name: str) -> Bot:
        found = self.sandbox.bots.find(f"{name}-1")
        assert found is not None
        return found

    async def ask(self, who: str = ADMIN) -> str:
        """Type /patreon connect; return the address on the button."""
        (button,) = flat_components((await self.command(who, "patreon connect")).messages[-1].components)
        return str(button["url"])


async def reload(stage: Stage, browser: Browser, page: Page, text: str) -> Page:
    """Load a page again until it says something, as it does by itself."""
    try:
        async with asyncio.timeout(PATIENCE):
            while text not in page.words:
                await asyncio.sleep(0.2)
                page = await browser.open(page.url)
    except TimeoutError:
        raise AssertionError(f"the page does not say {text}: {page.words}\n{stage.log()[-6000:]}") from None
    return page


@pytest.fixture
async def parted(postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parted]:
    monkeypatch.setattr(Stage, "database_url", postgres.url(emptied))
    async with Parted() as parted:
        yield parted


async def test_a_patron_links_gets_the_role_and_is_told_and_unlinks(parted: Parted) -> None:
    await parted.add_rule()
    browser = parted.browser()
    page = await browser.consent(await parted.authorize_url(PATRON), parted.patron_id(NAME))
    page = await browser.send(page, "confirm")
    assert page.result == "linked"
    await parted.until(lambda: "Gold" in parted.roles(PATRON), "the role")
    page = await reload(parted, browser, page, "You're an active Gold patron")
    assert "on their way" not in page.words
    await parted.until(lambda: "You're linked" in words(parted.direct_messages(PATRON)), "the button's message says it")
    interaction = await parted.command(PATRON, "unlink")
    await parted.press(PATRON, interaction.messages[-1], "confirm:")
    await parted.until(lambda: "Gold" not in parted.roles(PATRON), "the role goes with the link")


async def test_a_link_that_moves_is_told_to_who_had_it_and_the_role_goes_along(parted: Parted) -> None:
    await parted.add_rule()
    await parted.link(PATRON, NAME)
    await parted.until(lambda: "Gold" in parted.roles(PATRON), "the first account's role")
    browser = parted.browser()
    page = await browser.consent(await parted.authorize_url(CLOSED), parted.patron_id(NAME))
    assert (await browser.send(page, "confirm")).result == "linked"
    await parted.until(lambda: "Gold" in parted.roles(CLOSED), "the second account's role")
    await parted.until(lambda: "Gold" not in parted.roles(PATRON), "the first account gives it up")
    await parted.until(lambda: "It's now linked to" in words(parted.direct_messages(PATRON)), "and is told")


async def test_how_a_consent_failed_stands_where_it_was_asked(parted: Parted) -> None:
    browser = parted.browser()
    address = await parted.authorize_url(PATRON)
    assert (await browser.consent(address, parted.patron_id(NAME), answer="deny")).result == "denied"
    await parted.until(lambda: "You weren't linked" in words(parted.direct_messages(PATRON)), "it is told")


async def test_a_yes_while_the_gateway_is_away_is_followed_when_it_is_back(parted: Parted) -> None:
    await parted.add_rule()
    browser = parted.browser()
    page = await browser.consent(await parted.authorize_url(PATRON), parted.patron_id(NAME))
    gateway = parted.bot("gateway")
    await gateway.process.kill()
    page = await browser.send(page, "confirm")
    assert page.result == "linked"
    assert "on their way" in page.words
    await gateway.process.start()
    await parted.ready()
    await parted.until(lambda: "Gold" in parted.roles(PATRON), "the role")
    await reload(parted, browser, page, "You're an active Gold patron")
    await parted.until(lambda: "You're linked" in words(parted.direct_messages(PATRON)), "it is told")


async def test_a_creator_connects_a_campaign_where_who_asked_may_still_manage_the_server(parted: Parted) -> None:
    await parted.choose_log_channel()
    browser, url = parted.browser(), await parted.ask()
    page = await browser.consent(url, parted.creator.id)
    assert page.result == "confirm"
    page = await browser.send(page, "confirm")
    assert (page.result, "Crane Letters" in page.words) == ("connected", True)
    await parted.until(lambda: parted.logged("Crane Letters"), "the log channel is told")


async def test_an_admin_who_lost_their_rights_connects_nothing(parted: Parted) -> None:
    browser, url = parted.browser(), await parted.ask()
    page = await browser.consent(url, parted.creator.id)
    assert page.result == "confirm"
    guild = parted.sandbox.world.guild
    for role_id in list(guild.members[parted.user_id(ADMIN)].role_ids):
        parted.sandbox.discord.take_role(parted.user_id(ADMIN), role_id)
    page = await browser.send(page, "confirm")
    assert (page.status, page.result) == (200, "denied")
    assert "can no longer manage roles" in page.words


async def test_a_pledge_that_a_webhook_tells_of_is_a_role(parted: Parted) -> None:
    await parted.add_rule(role="Silver", tier="Silver")
    await parted.link(PATRON, "Saga Mirren")
    await parted.until(lambda: "Silver" in parted.roles(PATRON), "the role")
    parted.sandbox.patreon.refund(parted.patron_id("Saga Mirren"))
    await parted.until(lambda: "Silver" not in parted.roles(PATRON), "it goes")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_roles_in_servers_of_two_gateways_are_told_together(database: None) -> None:
    async with Town() as town:
        first = await town.start_first("--shards", str(town.home))
        await town.until_well(first, in_reserve=False)
        second = await town.start()
        await town.until_served({town.home: first, town.other: second})
        await town.follow_campaign()
        await town.add_rule()
        await town.until(lambda: town.query("SELECT count(*) FROM guild_names") == [(2,)], "both servers have names")
        browser = town.browser()
        page = await browser.consent(await town.authorize_url(PATRON), town.patron_id(NAME))
        page = await reload(town, browser, await browser.send(page, "confirm"), "Elsewhere")
        assert ["Gold" in page.words, "Reader" in page.words] == [True, True]
        told = ("Gold", "Elsewhere", "Reader")
        await town.until(
            lambda: all(one in words(town.direct_messages(PATRON)) for one in told), "the button's message says it"
        )
        said = words((await in_direct_messages(town, "membership")).messages)
        assert [one in said for one in told] == [True, True, True]
        asked = (await in_direct_messages(town, "unlink")).messages[-1]
        await town.press(PATRON, asked, "confirm:")
        await town.until(lambda: "Gold" not in town.roles(PATRON) and not town.is_reader(), "both roles go")
        await town.until(lambda: all(one in words([asked]) for one in told), "and it is told of both")


async def in_direct_messages(town: Town, path: str) -> Interaction:
    """Type a command in the bot's direct messages."""
    typed = await town.sandbox.discord.run_command(town.user_id(PATRON), path, {}, channel_id="dm")
    assert await typed.answered(PATIENCE), town.log()
    return typed
