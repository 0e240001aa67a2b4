"""Every page that the bot serves, in a real browser: of a patron's link, of a creator's campaign, and of neither."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

from playwright.async_api import Browser, Page

from sandbox.discord import permissions
from sandbox.main import Options
from scripts.camera import Camera, Sheet, camera_at
from scripts.scenes import consent, url_of
from tests.fakes.stage import Stage

HAZEL, IVY, FERN, JO, DAPPLE = "hazel.hollow", "ivy_afterdark", "fernandthyme", "juniper.jo", "dapple.grey"
GERDA = "Gerda Nilsson"
OWNER = "fay.foxglove"
WRONG_SECRET = {"PATREON_CLIENT_SECRET": "of-another-client"}


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play them, and hand out each sheet."""
    link = Sheet("pages-link", "The pages of a patron's link, and those of no use.")
    connect = Sheet("pages-connect", "The pages of a creator's campaign.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        await _link(stage, camera, link)
        await _endings(stage, camera, link)
        await _nowhere(stage, camera, link)
    async with (
        Stage(Options(interval=1, env=WRONG_SECRET)) as stage,
        camera_at(browser, stage.sandbox) as camera,
        camera.visitor() as tab,
    ):
        await consent(tab, await stage.authorize_url(HAZEL), GERDA)
        await camera.web_page(link, "The bot is set up wrong", tab)
    yield link
    async with Connecting() as stage, camera_at(browser, stage.sandbox) as camera:
        await _connect(stage, camera, connect)
    yield connect


async def _link(stage: Stage, camera: Camera, sheet: Sheet) -> None:
    for role in ("Gold", "Silver"):
        await stage.add_rule(role, role)
    async with camera.visitor() as tab:
        await consent(tab, await stage.authorize_url(HAZEL), GERDA)
        await camera.web_page(sheet, "The question", tab)
        await _answer(tab, "confirm")
        await camera.web_page(sheet, "Linked, with a role", tab)
    for who, patron, caption in (
        (IVY, "Bea Solberg", "Linked, no role for this tier"),
        (FERN, "Nils Ahlgren", "Linked, no member of the campaign"),
        (JO, "Wren Ashdown", "Linked, the creator"),
    ):
        async with camera.visitor() as tab:
            await consent(tab, await stage.authorize_url(who), patron)
            await _answer(tab, "confirm")
            await camera.web_page(sheet, caption, tab)
    async with camera.visitor() as tab:
        await consent(tab, await stage.authorize_url(DAPPLE), GERDA)
        await camera.web_page(sheet, "The question, for a link that moves", tab)
        await _answer(tab, "decline")
        await camera.web_page(sheet, "Answered with No", tab)
    async with camera.visitor() as tab:
        await consent(tab, await stage.authorize_url(HAZEL), "Goldie Marsh")
        await camera.web_page(sheet, "The question, for another Patreon account", tab)
        await tab.evaluate("document.querySelector('#confirm input[name=token]').value = 'x'.repeat(43)")
        await tab.locator("#confirm button").click()
        await tab.locator(".note[role=status]").wait_for()
        await camera.web_page(sheet, "The question, out of date", tab)


async def _answer(tab: Page, form: str) -> None:
    """Press a button of the question, and wait for a page that is no question and no page on its way."""
    await tab.locator(f"#{form} button").click()
    await tab.wait_for_selector(
        f"body:not(:has(#{form})):not(:has(meta[http-equiv]))", state="attached", timeout=60_000
    )


async def _endings(stage: Stage, camera: Camera, sheet: Sheet) -> None:
    async with camera.visitor() as tab:
        await consent(tab, await stage.authorize_url(HAZEL), GERDA, answer="Deny")
        await camera.web_page(sheet, "Denied on Patreon's page", tab)
    browser, patron = stage.browser(), stage.patron_id(GERDA)
    callback = await browser.callback_url(await stage.authorize_url(HAZEL), patron)
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await camera.web_page(sheet, "Patreon is down", tab)
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await camera.web_page(sheet, "Patreon is down, opened again", tab)
    callback = await browser.callback_url(await stage.authorize_url(HAZEL), patron)
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await _answer(tab, "decline")
        await tab.goto(callback)
        await camera.web_page(sheet, "Already used", tab)
    callback = await browser.callback_url(await stage.authorize_url(HAZEL), patron)
    await stage.move(timedelta(minutes=11))
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await camera.web_page(sheet, "Expired", tab)
        await tab.goto(f"{stage.sandbox.bot_url}/oauth/callback?state={'x' * 43}&code=abc")
        await camera.web_page(sheet, "Unknown", tab)


async def _nowhere(stage: Stage, camera: Camera, sheet: Sheet) -> None:
    async with camera.visitor() as tab:
        await tab.goto(f"{stage.sandbox.bot_url}/nowhere")
        await camera.web_page(sheet, "404", tab)
        await tab.goto(f"{stage.sandbox.bot_url}/link/decline")
        await camera.web_page(sheet, "405", tab)


class Connecting(Stage):
    """The stage, with a second server, and a second creator who has two campaigns."""

    def __init__(self) -> None:
        super().__init__(Options(interval=1))
        discord, patreon = self.sandbox.world.discord, self.sandbox.world.patreon
        self.guild = discord.add_guild("Foxglove", OWNER)
        self.deputy = discord.add_user("rowan.deputy", "Rowan")
        self.rights = discord.add_role(self.guild, "Deputy", permissions=permissions.MANAGE_ROLES)
        discord.add_member(self.guild, self.deputy, [self.rights])
        creator = patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters")
        patreon.add_campaign(creator, "Crane Sketches")

    async def address(self, who: str = OWNER) -> str:
        """Type /patreon connect, and return where its button leads."""
        return url_of((await self.command(who, "patreon connect")).messages[-1])


async def _connect(stage: Connecting, camera: Camera, sheet: Sheet) -> None:
    async with camera.visitor() as tab:
        await consent(tab, await stage.address(), "Wren Ashdown")
        await camera.web_page(sheet, "The question", tab)
        await _answer(tab, "decline")
        await camera.web_page(sheet, "Answered with No", tab)
    async with camera.visitor() as tab:
        await consent(tab, await stage.address(), "Ottilie Crane")
        await camera.web_page(sheet, "The question, of several campaigns", tab)
        await tab.locator("#confirm button").click()
        await tab.locator(".note[role=status]").wait_for()
        await camera.web_page(sheet, "… with none chosen", tab)
        for box in await tab.get_by_role("checkbox").all():
            await box.check()
        await _answer(tab, "confirm")
        await camera.web_page(sheet, "Connected", tab)
    async with camera.visitor() as tab:
        await consent(tab, await stage.address(), "Wren Ashdown", answer="Deny")
        await camera.web_page(sheet, "Denied on Patreon's page", tab)
    async with camera.visitor() as tab:
        await consent(tab, await stage.address(), GERDA)
        await camera.web_page(sheet, "No campaign", tab)
    await _connect_endings(stage, camera, sheet)


async def _connect_endings(stage: Connecting, camera: Camera, sheet: Sheet) -> None:
    browser, creator = stage.browser(), stage.patron_id("Ottilie Crane")
    callback = await browser.callback_url(await stage.address(), creator)
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await camera.web_page(sheet, "Patreon is down", tab)
    async with camera.visitor() as tab:
        await consent(tab, await stage.address(stage.deputy.username), "Ottilie Crane")
        stage.sandbox.discord.take_role(stage.deputy.id, stage.rights.id, stage.guild.id)
        await tab.get_by_role("checkbox").first.check()
        await _answer(tab, "confirm")
        await camera.web_page(sheet, "The admin may not decide it any more", tab)
    callback = await browser.callback_url(await stage.address(), creator)
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await _answer(tab, "decline")
        await tab.goto(callback)
        await camera.web_page(sheet, "Already used", tab)
    callback = await browser.callback_url(await stage.address(), creator)
    await stage.move(timedelta(minutes=11))
    async with camera.visitor() as tab:
        await tab.goto(callback)
        await camera.web_page(sheet, "Expired", tab)
        await tab.goto(re.sub("/oauth/.*", "/connect/confirm", callback))
        await camera.web_page(sheet, "Unknown", tab)
