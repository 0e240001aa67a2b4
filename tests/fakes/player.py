"""Somebody at the sandbox's page, in a real browser: all by clicking and typing, nothing behind its back."""

import asyncio
import re

from playwright.async_api import BrowserContext, Locator, Page, expect

PATIENCE_MS = 30_000
LOG_POLL_SECONDS = 0.1
ROUND = re.compile(r"\bround\b.*trigger")


class Player:
    """One browser on the page of one sandbox."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page

    async def bot_is_up(self) -> None:
        """Wait until the bot has registered its commands."""
        await expect(self.page.locator("#command option")).not_to_have_count(1, timeout=PATIENCE_MS)

    async def be(self, name: str) -> None:
        """Look at the server as somebody."""
        value = await self.page.locator("#me option", has_text=re.compile(rf"^{re.escape(name)}( \(|$)")).get_attribute(
            "value"
        )
        await self.page.locator("#me").select_option(value)
        await self.page.wait_for_url(f"**me={value}**")
        await self._arrive()

    async def run(self, command: str, **options: str) -> None:
        """Type a slash command, fill in its options and send it."""
        await self.page.locator("#slash").fill(f"/{command}")
        await self.page.locator("#choices li").first.wait_for()
        await self.page.keyboard.press("Enter")
        send = self.page.get_by_role("button", name=f"Run /{command}", exact=True)
        await send.wait_for()
        for name, value in options.items():
            field = self.page.locator(f"#option-{name}")
            if await field.evaluate("field => field.tagName") == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(value)
        await send.click()
        await send.wait_for(state="detached")

    async def go(self, channel: str) -> None:
        """Look at a channel."""
        await self.page.locator("#channels").get_by_role("link", name=channel).click()
        await self._arrive()

    async def _arrive(self) -> None:
        """Wait until the page has drawn where it goes: what is typed before that is lost on the way.

        It sets off once it has arrived where it went before, so what is waited for first may be that.
        """
        for _ in range(2):
            await self.page.evaluate("() => arrived")

    async def says(self, text: str) -> None:
        """Wait until the messages in view hold these words."""
        await expect(self.page.locator("#messages")).to_contain_text(text, timeout=PATIENCE_MS)

    async def consent(self, patron: str) -> Page:
        """Open the button in the direct messages, be a patron at Patreon, allow, and return the bot's page.

        Close that tab when done: Chromium draws a page behind another one once a second, and each click waits for it.
        """
        await self.go("Direct messages")
        async with self.context.expect_page() as opened:
            await self.page.locator("#messages a.button").last.click()
        tab = await opened.value
        await tab.get_by_label("You are signed in as").select_option(label=patron)
        await tab.get_by_role("button", name="Allow").click()
        return tab

    async def link(self, name: str, patron: str) -> None:
        """Go the whole way from /link to the linked page."""
        await self.be(name)
        await self.run("link")
        tab = await self.consent(patron)
        await tab.locator("#confirm button").click()
        await tab.wait_for_selector('body[data-result="linked"]')
        await tab.close()

    async def acts(self, patron: str, button: str) -> None:
        """Press a button in a patron's row."""
        row = self.page.locator("#patrons li", has=self.page.get_by_text(patron, exact=True))
        if await row.locator("details").get_attribute("open") is None:
            await row.locator("summary").click()
        await self._press(row.get_by_role("button", name=button), "/patreon/act")

    async def weather(self, switch: str) -> None:
        """Switch a fault on, or off, and wait until the page shows it."""
        await self.page.locator("label[for=view-weather]").click()
        button = self.page.locator(".switches").get_by_role("button", name=switch, exact=True).first
        was_on = await button.get_attribute("aria-pressed") == "true"
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "false" if was_on else "true", timeout=PATIENCE_MS)
        await self.page.locator("label[for=view-time]").click()

    async def rounds(self, count: int = 2) -> None:
        """Wait until the bot's log shows so many more whole rounds: `count` of 2 includes one that began after now."""
        for _ in range(count):
            latest = await self._latest_round()
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while await self._latest_round() == latest:
                    await asyncio.sleep(LOG_POLL_SECONDS)

    async def _latest_round(self) -> str:
        lines = (await self.page.locator("#log").text_content() or "").splitlines()
        return next((line for line in reversed(lines) if ROUND.search(line)), "")

    async def clock(self, button: str) -> None:
        """Move time by one of the buttons."""
        await self._press(self.page.locator(".clock").get_by_role("button", name=button), "/clock")

    async def _press(self, button: Locator, path: str) -> None:
        """Press a button and wait until its form was answered.

        The page sends it when it has drawn what came before: whoever only clicked does not know whether it is done.
        """
        async with self.page.expect_response(f"**{path}", timeout=PATIENCE_MS) as answered:
            await button.click()
        assert (await answered.value).ok, await (await answered.value).text()

    async def has_role(self, name: str, role: str, *, wanted: bool = True) -> None:
        """Wait until a member shows a role, or shows it no more."""
        member = self.page.locator(
            "#members li", has=self.page.locator(".name", has_text=re.compile(rf"^{re.escape(name)}\b"))
        )
        held = member.locator(".role", has_text=re.compile(rf"^\s*{re.escape(role)}\s*$"))
        await expect(held).to_have_count(1 if wanted else 0, timeout=PATIENCE_MS)
