"""axe-core finds nothing to complain of: on the sandbox's page, on the stand-in's pages, and on each page of the bot.

axe-core is MPL-2.0 and not ours to carry along: the package axe-playwright-python brings it.
"""

from collections.abc import AsyncIterator
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from sandbox.discord.model import Message
from sandbox.main import Options, Sandbox
from sandbox.page.messages import flat_components
from tests.fakes.chromium import needs_chromium
from tests.fakes.stage import ADMIN, Stage
from tests.sandbox.page.conftest import SmallBot
from tests.sandbox.page.onebrowser import ONE_LOOP, browser, sandbox, small_bot
from tests.sandbox.page.test_messages import EMBED

AXE = files("axe_playwright_python") / "axe.min.js"
pytestmark = [needs_chromium, ONE_LOOP]
__all__ = ["browser", "sandbox", "small_bot"]
VIEWS = ("time", "weather", "calls", "log")
SCHEMES: dict[Literal["light", "dark"], list[str] | None] = {
    "light": None,
    "dark": ["color-contrast", "link-in-text-block"],  # the rules that look at colours
}


@cache
def axe_source() -> str:
    return AXE.read_text(encoding="utf-8")


async def complaints(page: Page, within: str | None = None) -> list[tuple[str, list[str]]]:
    """Return each broken rule with the elements that break it, on the whole page or in a part of it.

    In light and in dark, which differ in colours alone: what else there is to find is looked for once.
    """
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setBypassCSP", {"enabled": True})
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe_source())
    found = []
    for scheme, rules in SCHEMES.items():
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += await broken(page, within, rules)
    return found


async def broken(page: Page, within: str | None, rules: list[str] | None) -> list[tuple[str, list[str]]]:
    # What passed is not described: to name each element of it takes longer than to find what is wrong.
    options: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    run = "([part, options]) => axe.run(part ?? document, options)"
    found: Any = await page.evaluate(run, [within and {"include": within}, options])
    return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]]


@pytest.mark.parametrize("width", [1280, 390])
async def test_the_page_of_the_sandbox(browser: Browser, sandbox: Sandbox, small_bot: SmallBot, width: int) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    await page.goto(f"{sandbox.page_url}/?command=greet")
    for view in VIEWS:
        await page.locator(f"label[for=view-{view}]").click()
        assert await complaints(page, "#inside") == []
    await page.locator("#patrons summary").first.click()
    await page.locator("#members summary").first.click()
    await page.locator("#slash").click()
    await page.locator("#choices li").first.wait_for()
    assert await complaints(page) == []
    await page.close()


async def test_the_page_of_the_sandbox_with_a_reply_and_a_form(
    browser: Browser, sandbox: Sandbox, small_bot: SmallBot
) -> None:
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await page.goto(f"{sandbox.page_url}/?command=keep+list")
    await page.locator("#run").click()
    await page.locator(".message").first.wait_for()
    assert await complaints(page) == []
    await page.goto(f"{sandbox.page_url}/?command=ask")
    await page.locator("#run").click()
    await page.get_by_role("dialog").wait_for()
    assert await complaints(page) == []
    await page.close()


async def test_a_message_with_embeds(browser: Browser, sandbox: Sandbox) -> None:
    state, channel = sandbox.world.discord, next(iter(sandbox.world.guild.channels.values()))
    now = sandbox.clock.now()
    embeds = [EMBED, {"type": "rich", "description": "```\ncode\n```\n> quoted\n-# small"}]
    message = Message(state.ids.at(now), channel.id, state.bot.id, now, embeds=embeds)
    channel.messages[message.id] = message
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    page = await context.new_page()
    await page.goto(sandbox.page_url)
    await page.locator(".embed").nth(1).wait_for()
    assert await complaints(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await context.close()


async def test_a_large_world(browser: Browser) -> None:
    async with Sandbox(Options(with_bot=False, world="shop")) as sandbox:
        page = await browser.new_page()
        await page.goto(sandbox.page_url)
        assert await complaints(page) == []
        await page.close()


async def test_the_pages_of_the_stand_in(browser: Browser, sandbox: Sandbox) -> None:
    client = sandbox.world.client
    query = f"response_type=code&client_id={client.id}&redirect_uri={client.redirect_uris[0]}&scope=identity"
    page = await browser.new_page()
    for address in (f"/oauth2/authorize?{query}", "/oauth2/authorize"):
        await page.goto(sandbox.patreon.url + address)
        assert await complaints(page) == []
    await page.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    staged = Stage()
    patreon = staged.sandbox.world.patreon
    patreon.add_creator("Edda Quill", campaign_name="Quill and Ink")
    patreon.add_campaign(patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters"), "Crane Sketches")
    async with staged as running:
        yield running


async def consent(tab: Page, address: str, answer: str = "Allow", *, who: str = "Gerda Nilsson") -> None:
    """Answer Patreon's consent page and land on the bot's page."""
    await tab.goto(address)
    await tab.get_by_label("You are signed in as").select_option(label=who)
    await tab.get_by_role("button", name=answer).click()


async def test_each_page_of_the_bot(browser: Browser, stage: Stage) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    tab = await context.new_page()
    seen: dict[str, list[tuple[str, list[str]]]] = {}

    async def look() -> None:
        seen[await tab.get_attribute("body", "data-result") or ""] = await complaints(tab)

    first, second = [await stage.authorize_url("hazel.hollow") for _ in range(2)]
    for address, answer in ((first, "Allow"), (second, "Deny"), (second, "Allow")):
        await consent(tab, address, answer)
        await look()
    for button in ("#decline button", "#confirm button"):
        await consent(tab, await stage.authorize_url("hazel.hollow"))
        await look()
        await tab.locator(button).click()
        await look()
    await consent(tab, await stage.authorize_url("cedar_lane"))
    await look()
    await tab.goto(f"{stage.sandbox.bot_url}/oauth/callback?state=nobody-s&code=none")
    await look()
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    await consent(tab, await stage.authorize_url("ivy_afterdark"))
    await look()
    await context.close()
    assert {word: found for word, found in seen.items() if found} == {}
    assert seen.keys() == {
        *("confirm", "declined", "denied", "expired", "held", "linked", "unavailable", "unknown", "used"),
    }


async def connect_url(stage: Stage) -> str:
    """Type /patreon connect and return the address on its button."""
    typed = await stage.command(ADMIN, "patreon connect")
    return next(str(one["url"]) for one in flat_components(typed.messages[-1].components) if one["url"])


async def test_each_page_of_connecting_a_campaign(browser: Browser, stage: Stage) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    tab = await context.new_page()
    seen: list[tuple[str, list[tuple[str, list[str]]]]] = []

    async def look() -> None:
        seen.append((await tab.locator("h1").inner_text(), await complaints(tab)))

    for who, answer in (("Edda Quill (creator)", "Deny"), ("Gerda Nilsson", "Allow")):
        await consent(tab, await connect_url(stage), answer, who=who)
        await look()
    url = await connect_url(stage)
    await consent(tab, url, who="Ottilie Crane (creator)")
    await tab.locator("#confirm button").click()  # none is chosen
    await tab.get_by_text("choose at least one").wait_for()
    await look()
    await tab.locator("#decline button").click()
    await look()
    await consent(tab, url, who="Ottilie Crane (creator)")
    await look()
    await consent(tab, await connect_url(stage), who="Edda Quill (creator)")
    await look()
    await tab.locator("#confirm button").click()
    await look()
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    await consent(tab, await connect_url(stage), who="Edda Quill (creator)")
    await look()
    await context.close()
    assert [(title, found) for title, found in seen if found] == []
    assert [title for title, _ in seen] == [
        "No campaign was connected",
        "There's no campaign to connect",
        "Connect your campaign?",
        "No campaign was connected",
        "This link has already been used",
        "Connect your campaign?",
        "Campaign connected",
        "Patreon didn't answer",
    ]
