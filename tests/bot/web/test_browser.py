"""The pages in a real browser: our own policies let through what a patron needs, and the keyboard suffices."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Page

from tests.bot.web.conftest import Site
from tests.fakes.chromium import needs_chromium, running_chromium

pytestmark = needs_chromium


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with running_chromium() as browser:
        yield await browser.new_context(viewport={"width": 390, "height": 844})


async def open_question(site: Site, context: BrowserContext) -> Page:
    answer = await site.world.consent(await site.world.type_link(), site.world.ada)
    query = "&".join(f"{key}={value}" for key, value in answer.query.items())
    page = await context.new_page()
    await page.goto(f"{site.browser.url}/oauth/callback?{query}")
    return page


async def word(page: Page) -> str | None:
    return await page.get_attribute("body", "data-result")


async def test_the_keyboard_alone_reaches_no_first_then_yes(site: Site, context: BrowserContext) -> None:
    page = await open_question(site, context)
    assert await word(page) == "confirm"
    await page.keyboard.press("Tab")
    assert "No" in await page.inner_text(":focus")
    await page.keyboard.press("Tab")
    assert "Yes" in await page.inner_text(":focus")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    assert await word(page) == "linked"
    assert await site.world.holder(site.world.ada) == 11


async def test_no_works_by_touch(site: Site, context: BrowserContext) -> None:
    page = await open_question(site, context)
    await page.click("#decline button")
    assert await word(page) == "declined"
    assert await site.world.holder(site.world.ada) is None


async def test_the_style_applies_and_fits_a_phone(site: Site, context: BrowserContext) -> None:
    complaints: list[str] = []
    page = await open_question(site, context)
    page.on("console", lambda message: complaints.append(message.text))
    await page.reload()
    assert complaints == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in await page.query_selector_all("button"):
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44


async def test_what_is_asked_about_has_the_whole_width_of_the_smallest_phone(
    site: Site, context: BrowserContext
) -> None:
    page = await open_question(site, context)
    await page.set_viewport_size({"width": 320, "height": 640})
    widths = "[...document.querySelectorAll('.facts, .facts dd')].map((one) => one.clientWidth)"
    whole, *facts = await page.evaluate(widths)
    assert facts
    assert set(facts) == {whole}, "beside its name, a server's name broke within a word"


async def test_a_waiting_page_updates_itself(
    site: Site, context: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.linking.consent_flow.AFTERMATH_SECONDS", 0.01)
    site.world.roles.may_go.clear()
    page = await open_question(site, context)
    await page.click("#confirm button")
    await page.get_by_text("on their way").wait_for()
    site.world.roles.may_go.set()
    await page.get_by_text("is yours now").wait_for()
