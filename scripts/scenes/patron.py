"""What patrons see in Discord: the answers to their commands, and the bot's direct messages."""

from collections.abc import AsyncIterator
from datetime import timedelta

from playwright.async_api import Browser

from sandbox.main import Options
from scripts.camera import Sheet, camera_at
from scripts.scenes import UNSEEN, Scene
from tests.fakes.stage import ADMIN, Stage

NO_CREATOR = {"PATREON_CREATOR_ACCESS_TOKEN": "", "PATREON_CREATOR_REFRESH_TOKEN": ""}
MOST_LINKS = 10
HAZEL, IVY, FERN, JO, DAPPLE = "hazel.hollow", "ivy_afterdark", "fernandthyme", "juniper.jo", "dapple.grey"
MOSSY, GORSE, ELDER, LOU, KESTREL = "mossy_stone", "gorse_hill", "elderflower77", "larkspur.lou", "kestrel_kite"


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play them, and hand out each sheet that is full."""
    replies = Sheet("replies-patron", "What /link, /membership and /unlink answer.")
    direct = Sheet("messages-patron", "The bot's direct messages: the link, what came of it, and what it tells later.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await _link(scene, replies, direct)
        await _membership(scene, replies)
        await _declined(scene, replies, direct)
        await _unlink(scene, replies)
    yield direct
    async with Stage(Options(interval=1, env=NO_CREATOR)) as stage, camera_at(browser, stage.sandbox) as camera:
        await _refused(Scene(stage, camera), replies)
    yield replies


async def _link(scene: Scene, replies: Sheet, direct: Sheet) -> None:
    stage = scene.stage
    await scene.reply(replies, "/membership, not linked", HAZEL, "membership")
    await scene.reply(replies, "/unlink, not linked", HAZEL, "unlink")
    await scene.reply(replies, "/link", HAZEL, "link")
    await scene.direct(direct, "/link in a server that has no rules yet", HAZEL)
    for role in ("Gold", "Silver"):
        await stage.add_rule(role, role)
    gerda = stage.patron_id("Gerda Nilsson")
    address = await stage.authorize_url(HAZEL)
    await scene.direct(direct, "/link", HAZEL)
    await stage.browser().consent(address, gerda, answer="deny")
    await scene.direct(direct, "… denied on Patreon's page", HAZEL)
    browser = stage.browser()
    await browser.send(await browser.consent(await stage.authorize_url(HAZEL), gerda), "decline")
    await scene.direct(direct, "… answered with No", HAZEL)
    callback = await browser.callback_url(await stage.authorize_url(HAZEL), gerda)
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    await browser.open(callback)
    await scene.direct(direct, "… while Patreon is down", HAZEL)
    for who, patron, caption in (
        (HAZEL, "Gerda Nilsson", "… linked, with a role"),
        (IVY, "Bea Solberg", "… linked, no role for this tier"),
        (FERN, "Nils Ahlgren", "… linked, no member of the campaign"),
        (JO, "Wren Ashdown", "… linked, the creator"),
        (GORSE, "Flora Ekdal", "… linked, a former patron"),
        (ELDER, "Gita Marlowe", "… linked, a gift"),
        (LOU, "Paul Wintergreen", "… linked, paused"),
    ):
        await stage.link(who, patron)
        await scene.direct(direct, caption, who)
    await stage.authorize_url(HAZEL)
    await scene.direct(direct, "/link, already linked", HAZEL)
    browser = stage.browser()
    await browser.send(await browser.consent(await stage.authorize_url(DAPPLE), gerda), "confirm")
    await scene.direct(direct, "Moved: to the old holder", HAZEL)
    await scene.reply(replies, "/link with closed direct messages", MOSSY, "link")
    for _ in range(MOST_LINKS - 1):
        await stage.authorize_url(MOSSY)
    await scene.reply(replies, "/link, too often", MOSSY, "link")


async def _membership(scene: Scene, replies: Sheet) -> None:
    stage = scene.stage
    await stage.until(lambda: "Gold" in stage.roles(KESTREL) & stage.roles(DAPPLE), "the roles")
    await stage.rounds(2)
    for who, caption in (
        (DAPPLE, "/membership, active"),
        (KESTREL, "/membership, linked by Patreon's report"),
        (IVY, "/membership, no role for this tier"),
        (FERN, "/membership, no member"),
        (JO, "/membership, the creator"),
        (GORSE, "/membership, a former patron"),
        (ELDER, "/membership, a gift"),
        (LOU, "/membership, paused"),
    ):
        await scene.reply(replies, caption, who, "membership")
    await scene.reply(replies, "/membership in direct messages", DAPPLE, "membership", in_dm=True)
    shown = await scene.reply(UNSEEN, "", DAPPLE, "membership")
    await scene.press(replies, "Check again", DAPPLE, shown, "refresh:")
    await scene.press(replies, "Check again, at once", DAPPLE, shown, "refresh:")
    stage.sandbox.discord.take_role(stage.user_id(KESTREL), stage.role_id("Gold"))
    await stage.rounds(2)
    await scene.reply(replies, "/membership, role removed manually", KESTREL, "membership")


async def _declined(scene: Scene, replies: Sheet, direct: Sheet) -> None:
    stage = scene.stage
    await stage.say(ADMIN, "patreon settings", decline_dm=True)
    stage.sandbox.patreon.decline(stage.patron_id("Gerda Nilsson"))
    await scene.direct(direct, "The payment was declined", DAPPLE)
    await scene.reply(replies, "/membership, payment declined", DAPPLE, "membership")
    await stage.move(timedelta(days=10))
    await stage.until(lambda: "Gold" not in stage.roles(DAPPLE), "the end of grace")
    await scene.reply(replies, "/membership, the grace days are over", DAPPLE, "membership")
    stage.sandbox.patreon.pay(stage.patron_id("Gerda Nilsson"))
    await stage.until(lambda: "Gold" in stage.roles(DAPPLE), "the role")


async def _unlink(scene: Scene, replies: Sheet) -> None:
    asked = await scene.reply(replies, "/unlink", DAPPLE, "unlink")
    await scene.press(replies, "Leave it as it is", DAPPLE, asked, "cancel")
    asked = await scene.reply(UNSEEN, "", DAPPLE, "unlink")
    await scene.press(replies, "Unlink", DAPPLE, asked, "confirm:")


async def _refused(scene: Scene, replies: Sheet) -> None:
    """With no creator's token, a patron's own access is what their membership is read by."""
    stage = scene.stage
    await stage.add_rule("Bronze", tier=None, kind="paying")
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.until(lambda: "Bronze" in stage.roles(HAZEL), "the role")
    oauth = stage.sandbox.world.patreon.oauth
    pairs = list(oauth._by_access.values())  # noqa: SLF001  nobody else lists the pairs of one person
    for pair in pairs:
        oauth.revoke(pair.access_token)
    await stage.rounds(2)
    shown = await scene.reply(replies, "/membership, access refused", HAZEL, "membership")
    await scene.press(replies, "Check again, access refused", HAZEL, shown, "refresh:")
