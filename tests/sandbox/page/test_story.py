"""Two evenings with the bot, played through the page in a real browser by clicking and typing alone."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from sandbox.main import Options, Sandbox
from scripts.palette import with_palette
from tests.fakes.chromium import needs_chromium, running_chromium
from tests.fakes.player import Player

pytestmark = needs_chromium
MANY = 6
"""Discord lets the bot write about one role a second, so each costs the story one; the brake asks from five up."""
PICTURES = os.environ.get("PLEDGEKEEPER_PICTURES")
"""Where the stories leave their pictures, if anybody wants them: `scripts/pictures.py` does."""
COLOURS = 64
EVERY_ROUND = {"LOG_LEVEL": "DEBUG"}
"""So that each round is a line of the log, also one in which nothing is new."""
SETTLED_MS = 6_000
"""Until what has just changed has lost its highlight, and what was said of it is gone."""


async def picture(page: Page, name: str, *, of_member: str = "") -> None:
    """Take a picture of the story as it stands, with this member in view."""
    if PICTURES is None:
        return
    await page.wait_for_timeout(SETTLED_MS)
    if of_member:
        row = page.locator("#members li", has=page.get_by_text(of_member, exact=True))
        await row.evaluate("row => row.scrollIntoView({ block: 'center' })")
    await page.evaluate("scrollTo(0, 0)")
    keep(PICTURES, name, await page.screenshot(full_page=True))


def keep(directory: str, name: str, png: bytes) -> None:
    Path(directory, f"{name}.png").write_bytes(with_palette(png, colours=COLOURS))


@pytest.fixture
async def player() -> AsyncIterator[Player]:
    async with Sandbox(Options(interval=1, env=EVERY_ROUND)) as sandbox, running_chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        await page.goto(sandbox.page_url)
        player = Player(context, page)
        await player.bot_is_up()
        await page.locator("#guide summary").click()
        yield player
        await context.close()


async def test_rules_link_upgrade_decline_and_grace(player: Player) -> None:
    for tier in ("Gold", "Silver"):
        await player.run("patreon rule add", role=tier, kind="tier", tier=tier)
        await player.says(tier)
    await player.run("patreon rule list")
    await picture(player.page, "story1-rules")
    await player.link("Hazel", "Saga Mirren")
    await player.has_role("Hazel", "Silver")
    await picture(player.page, "story2-link", of_member="Hazel")

    await player.acts("Saga Mirren", "Upgrade to Gold")
    await player.has_role("Hazel", "Gold")
    await player.has_role("Hazel", "Silver", wanted=False)
    await picture(player.page, "story3-upgrade", of_member="Hazel")

    await player.weather("cut page")
    await player.rounds(3)  # a few reads of half a list
    await player.has_role("Hazel", "Gold")
    await picture(player.page, "story4-cut-read", of_member="Hazel")
    await player.weather("cut page")

    await player.acts("Saga Mirren", "Decline the card")
    await player.rounds()  # the days of grace begin with the first read that shows it
    await player.clock("+1 day")
    await player.rounds()
    await player.has_role("Hazel", "Gold")  # within the days of grace
    await picture(player.page, "story5-grace", of_member="Hazel")
    await player.clock("+1 week")
    await player.has_role("Hazel", "Gold", wanted=False)
    await picture(player.page, "story6-grace-is-over", of_member="Hazel")


async def test_a_forwarded_link_is_refused_and_a_mass_removal_is_held_and_discarded() -> None:
    # No webhook of the bot's own: one refund after the other would be heard of, and four go before the brake asks.
    env = EVERY_ROUND | {"PATREON_WEBHOOK_SECRET": "of-a-webhook-that-nobody-made"}
    async with Sandbox(Options(interval=1, env=env)) as sandbox, running_chromium() as browser:
        _crowd(sandbox)
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        await page.goto(sandbox.page_url)
        player = Player(context, page)
        await player.bot_is_up()
        await page.locator("#guide summary").click()
        await player.run("patreon rule add", role="Gold", kind="tier", tier="Gold")
        for number in range(MANY):
            await player.has_role(f"Crowd {number}", "Gold")

        await player.be("Dapple")
        await player.run("link")
        victim = await player.consent("Goldie Marsh")
        await expect(victim.locator("body")).to_contain_text("@dapple.grey")
        await victim.locator("#decline button").click()
        await victim.wait_for_selector('body[data-result="declined"]')
        await picture(victim, "story7-forwarded-link")
        await victim.close()
        await player.has_role("Dapple", "Gold", wanted=False)

        await player.weather("500")  # so that the bot hears of all of them at once
        for number in range(MANY - 1):
            await player.acts(f"Patron {number}", "Refund")
        await player.weather("500")
        await player.rounds()
        await player.be("Ash")
        await player.go("welcome")
        await player.run("patreon holds")
        await picture(page, "story8-hold")
        await page.get_by_role("button", name="Keep roles").last.click()
        await player.says("decided to keep the roles")
        await picture(page, "story9-discarded")
        for number in range(MANY):
            await player.has_role(f"Crowd {number}", "Gold")
        await context.close()


def _crowd(sandbox: Sandbox) -> None:
    """Some people whom Patreon names by their Discord accounts."""
    world = sandbox.world
    gold = next(tier for tier in world.campaign.tiers if tier.title == "Gold")
    for number in range(MANY):
        user = world.discord.add_user(f"crowd.{number}", f"Crowd {number}")
        world.discord.add_member(world.guild, user)
        world.patreon.add_member(world.patreon.add_patron(f"Patron {number}", discord_user_id=user.id), gold)
