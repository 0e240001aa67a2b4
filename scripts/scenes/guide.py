"""The sandbox's page: three stills of the way from /link to a role, all of it, and how to connect a program."""

from playwright.async_api import Browser, Page

from sandbox.main import Options, Sandbox
from scripts.camera import WIDE, save
from tests.fakes.player import Player

HEIGHT, WHOLE_HEIGHT = 800, 1000
COLOURS = 64
SETTLED_MS = 3_000
"""Long enough for what has just changed to lose its highlight."""


async def play(browser: Browser) -> None:
    """Play the guide's four steps and take a picture of each that shows something."""
    async with Sandbox(Options(interval=5)) as sandbox:
        context = await browser.new_context(viewport={"width": WIDE, "height": HEIGHT}, color_scheme="light")
        page = await context.new_page()
        await page.goto(sandbox.page_url)
        player = Player(context, page)
        await player.bot_is_up()
        await player.run("patreon rule add", role="Gold", kind="tier", tier="Gold")
        await player.says("Gold")
        await player.be("Cedar")
        await _command(player)
        await player.run("link")
        await _confirm(await player.consent("Goldie Marsh"))
        await player.has_role("Cedar", "Gold")
        await page.locator("#step-4.done").wait_for(state="attached")
        await page.wait_for_timeout(SETTLED_MS)
        cedar = page.locator("#members li", has=page.get_by_text("Cedar", exact=True))
        await cedar.evaluate("row => row.scrollIntoView({ block: 'center' })")
        save("link3-role", await page.screenshot(), colours=COLOURS)
        await _whole(player)
        await context.close()


async def play_program(browser: Browser) -> None:
    """Open what the page says about a program of one's own."""
    async with Sandbox(Options(interval=5)) as sandbox:
        context = await browser.new_context(viewport={"width": WIDE, "height": HEIGHT}, color_scheme="light")
        page = await context.new_page()
        await page.goto(sandbox.page_url)
        await Player(context, page).bot_is_up()
        await page.locator("#program > summary").click()
        save("sandbox-program", await page.locator("#program").screenshot(), colours=COLOURS)
        await context.close()


async def _command(player: Player) -> None:
    """Take the moment at which /link is chosen."""
    page = player.page
    await page.locator("#guide summary").click()
    await page.locator("#slash").fill("/")
    await page.locator("#choices li").first.wait_for()
    await page.wait_for_timeout(SETTLED_MS)
    save("link1-command", await page.screenshot(), colours=COLOURS)
    await page.keyboard.press("Escape")


async def _confirm(tab: Page) -> None:
    """Take the bot's question, then answer it."""
    await tab.locator("#confirm button").wait_for()
    height = await tab.evaluate("document.documentElement.scrollHeight")
    await tab.set_viewport_size({"width": WIDE, "height": height})
    save("link2-confirm", await tab.screenshot(), colours=COLOURS)
    await tab.locator("#confirm button").click()
    await tab.wait_for_selector('body[data-result="linked"]')
    await tab.close()


async def _whole(player: Player) -> None:
    """Take the whole page, with its guide, some more of the story, and a patron opened."""
    page = player.page
    await page.locator("#guide summary").click()
    await player.acts("Abel Okoro", "Upgrade to Gold")
    await player.go("welcome")
    await player.run("membership")
    await page.wait_for_timeout(SETTLED_MS)
    await page.evaluate("document.getElementById('said').textContent = ''; scrollTo(0, 0)")
    await page.set_viewport_size({"width": WIDE, "height": WHOLE_HEIGHT})
    save("sandbox-page", await page.screenshot(full_page=True), colours=COLOURS)
