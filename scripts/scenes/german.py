"""A few of the same in German: what a person whose Discord and browser are German reads, and a German server's hold."""

from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser

from bot.texts.card import Outcome
from scripts.camera import Sheet, camera_at
from scripts.scenes import CROWD, Scene, consent, crowded_stage
from tests.fakes.stage import ADMIN

HAZEL = "hazel.hollow"


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play them, and hand out the sheet."""
    sheet = Sheet("german", "In German: a direct message, /membership, a hold, the question and the linked page.")
    async with crowded_stage() as stage, camera_at(browser, stage.sandbox) as camera:
        scene, discord = Scene(stage, camera), stage.sandbox.discord
        for who in (HAZEL, ADMIN):
            discord.set_locale(stage.user_id(who), "de")
        discord.set_preferred_locale("de")
        await stage.choose_log_channel()
        await stage.add_rule("Silver", "Silver")
        options: dict[str, Any] = {"role": stage.role_id("Gold"), "kind": "tier", "tier": stage.tier_id("Gold")}
        asked = await scene.reply(sheet, "/patreon rule add", ADMIN, "patreon rule add", **options)
        await stage.press(ADMIN, asked, "confirm:")
        async with camera.visitor("de-DE") as tab:
            address = await stage.authorize_url(HAZEL)
            await scene.direct(sheet, "/link", HAZEL)
            await consent(tab, address, "Gerda Nilsson")
            await camera.web_page(sheet, "The question", tab)
            await tab.locator("#confirm button").click()
            await tab.wait_for_selector('body[data-result="linked"]:not(:has(meta[http-equiv]))', state="attached")
            await camera.web_page(sheet, "Linked", tab)
        await scene.direct(sheet, "… linked", HAZEL)
        await scene.reply(sheet, "/membership", HAZEL, "membership")
        await scene.crowd_has("Gold")
        scene.refund(*CROWD[:7])
        await scene.logged(sheet, "Removals are held", Outcome.WAITING)
        await scene.reply(sheet, "/patreon settings", ADMIN, "patreon settings")
    yield sheet
