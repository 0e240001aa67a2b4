"""Makes the pictures of the README by driving the real sandbox in Chromium: `python scripts/pictures.py`.

Three stills of the way from /link to a role, the sandbox's page, and the stories that are played in
`tests/sandbox/page/test_story.py`. Everybody in them is invented.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from playwright.async_api import Page  # noqa: E402  the repository must be on the path first

from sandbox.main import Options, Sandbox  # noqa: E402  as above
from scripts.palette import with_palette  # noqa: E402  as above
from tests.fakes.chromium import running_chromium  # noqa: E402  as above
from tests.fakes.player import Player  # noqa: E402  as above

PICTURES = REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800
SETTLED_MS = 3_000
"""Long enough for what has just changed to lose its highlight."""


async def main() -> None:
    """Play the guide's four steps and take a picture of each that shows something."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with Sandbox(Options(interval=5)) as sandbox, running_chromium() as browser:
        context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
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
        await _save(page, "link3-role")
        await _whole(player)
        await context.close()


async def _command(player: Player) -> None:
    """Take the moment at which /link is chosen."""
    page = player.page
    await page.locator("#guide summary").click()
    await page.locator("#slash").fill("/")
    await page.locator("#choices li").first.wait_for()
    await page.wait_for_timeout(SETTLED_MS)
    await _save(page, "link1-command")
    await page.keyboard.press("Escape")


async def _confirm(tab: Page) -> None:
    """Take the bot's question, then answer it."""
    await tab.locator("#confirm button").wait_for()
    height = await tab.evaluate("document.documentElement.scrollHeight")
    await tab.set_viewport_size({"width": WIDTH, "height": height})
    await _save(tab, "link2-confirm")
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
    await page.set_viewport_size({"width": WIDTH, "height": 1000})
    await _save(page, "sandbox-page", whole=True)


async def _save(page: Page, name: str, *, whole: bool = False) -> None:
    (PICTURES / f"{name}.png").write_bytes(with_palette(await page.screenshot(full_page=whole)))


def stories() -> int:
    """Let the stories be played once more, with pictures."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/sandbox/page/test_story.py"]
    wanted = os.environ | {"PLEDGEKEEPER_PICTURES": str(PICTURES)}
    return subprocess.run(command, cwd=REPOSITORY, env=wanted, check=False).returncode  # noqa: S603  our own command


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(stories())
