"""What the log channel says, provoked: changes, troubles and their ends; and what waits where there is no channel."""

from collections.abc import AsyncIterator
from datetime import timedelta

from playwright.async_api import Browser

from bot.texts.card import Outcome
from sandbox.discord import permissions
from scripts.camera import Sheet, camera_at
from scripts.scenes import CROWD, Scene, crowded_stage, url_of
from tests.fakes.stage import ADMIN

HAZEL, IVY, MOSSY = "hazel.hollow", "ivy_afterdark", "mossy_stone"
REST = timedelta(minutes=10)
"""After so long the bot tries again what Discord refused."""


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play them, and hand out the sheet."""
    sheet = Sheet("log-channel", "The log channel, as it is provoked: each trouble, and its end.")
    async with crowded_stage() as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await _changes(scene, sheet)
        await _roles(scene, sheet)
        await _discord(scene, sheet)
        await _patreon(scene, sheet)
        await _hold(scene, sheet)
        await _without_channel(scene, sheet)
    yield sheet


async def _changes(scene: Scene, sheet: Sheet) -> None:
    stage = scene.stage
    await stage.choose_log_channel()
    creator = stage.sandbox.world.patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters")
    asked = await stage.command(ADMIN, "patreon connect")
    browser = stage.browser()
    await browser.send(await browser.consent(url_of(asked.messages[-1]), creator.id), "confirm")
    await scene.logged(sheet, "A campaign was connected", Outcome.INFO)
    ours = stage.sandbox.world.campaign.id
    options = {"role": stage.role_id("Gold"), "kind": "tier", "tier": stage.tier_id("Gold"), "campaign": ours}
    asked = await stage.command(ADMIN, "patreon rule add", **options)
    await stage.press(ADMIN, asked.messages[-1], "confirm:")
    await scene.crowd_has("Gold")
    await scene.logged(sheet, "Role changes of a bulk run", Outcome.INFO)
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role")
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
    await stage.until(lambda: "Gold" not in stage.roles(HAZEL), "the role goes")
    await scene.logged(sheet, "Role changes of a link and of a refund", Outcome.INFO)


async def _roles(scene: Scene, sheet: Sheet) -> None:
    stage, act, gold = scene.stage, scene.stage.sandbox.discord, scene.stage.role_id("Gold")
    act.move_role(gold, 50)
    await scene.logged(sheet, "A role stands above the bot", Outcome.PROBLEM)
    act.move_role(gold, 2)
    await scene.logged(sheet, "A role stands above the bot: solved", Outcome.DONE)
    act.edit_role(gold, permissions=permissions.KICK_MEMBERS)
    await scene.logged(sheet, "A role has dangerous rights", Outcome.PROBLEM)
    act.edit_role(gold, permissions=0)
    await scene.logged(sheet, "A role has dangerous rights: solved", Outcome.DONE)
    stage.weather("discord", f"/roles/{gold}", "missing_permission")
    stage.sandbox.patreon.pay(stage.patron_id("Gerda Nilsson"))
    await scene.logged(sheet, "Discord refuses a role", Outcome.PROBLEM)
    stage.sandbox.weather.clear()
    act.edit_role(gold, colour=0xC99A2F)
    await scene.logged(sheet, "Discord refuses a role: solved", Outcome.DONE)


async def _discord(scene: Scene, sheet: Sheet) -> None:
    stage, act = scene.stage, scene.stage.sandbox.discord
    act.set_2fa(is_required=True, owner_has_it=False)
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
    await scene.logged(sheet, "Two-factor authentication is missing", Outcome.PROBLEM)
    act.set_2fa(is_required=True, owner_has_it=True)
    await scene.logged(sheet, "Two-factor authentication is missing: solved", Outcome.DONE)
    stage.weather("discord", "/roles/", "ban")
    stage.sandbox.patreon.pay(stage.patron_id("Gerda Nilsson"))
    await scene.logged(sheet, "Discord stops the bot", Outcome.PROBLEM)
    stage.sandbox.weather.clear()
    await stage.move(REST)
    await scene.logged(sheet, "Discord stops the bot: solved", Outcome.DONE)
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role")


async def _patreon(scene: Scene, sheet: Sheet) -> None:
    stage, patreon = scene.stage, scene.stage.sandbox.patreon
    stage.weather("patreon", f"/campaigns/{stage.sandbox.world.campaign.id}/members", "no_tiers")
    await scene.logged(sheet, "The member list looks wrong", Outcome.PROBLEM)
    stage.sandbox.weather.clear()
    await scene.logged(sheet, "The member list looks wrong: solved", Outcome.DONE)
    patreon.set_charge_status(stage.patron_id("Goldie Marsh"), "Shrouded")
    await scene.logged(sheet, "Patreon uses an unknown word", Outcome.PROBLEM)
    patreon.pay(stage.patron_id("Goldie Marsh"))
    for patron in ("Goldie Marsh", "Gideon Brook"):
        patreon.connect_discord(stage.patron_id(patron), stage.user_id(IVY))
    await scene.logged(sheet, "One Discord account, several patrons", Outcome.PROBLEM)
    patreon.disconnect_discord(stage.patron_id("Goldie Marsh"))
    await scene.logged(sheet, "One Discord account, several patrons: solved", Outcome.DONE)
    patreon.connect_discord(stage.patron_id("Gerda Nilsson"), stage.user_id("larkspur.lou"))
    await scene.logged(sheet, "Patreon and /link disagree", Outcome.PROBLEM)
    patreon.disconnect_discord(stage.patron_id("Gerda Nilsson"))
    await scene.logged(sheet, "Patreon and /link disagree: solved", Outcome.DONE)
    oauth = stage.sandbox.world.patreon.oauth
    oauth.revoke(stage.sandbox.bot.environment["PATREON_CREATOR_ACCESS_TOKEN"])
    await scene.logged(sheet, "The creator's access has ended", Outcome.PROBLEM)
    await stage.sandbox.bot.stop()
    pair = oauth.issue_creator_pair(stage.sandbox.world.client)
    stage.sandbox.bot.environment["PATREON_CREATOR_ACCESS_TOKEN"] = pair.access_token
    stage.sandbox.bot.environment["PATREON_CREATOR_REFRESH_TOKEN"] = pair.refresh_token
    await stage.restart()
    await scene.logged(sheet, "The creator's access has ended: solved", Outcome.DONE)


async def _hold(scene: Scene, sheet: Sheet) -> None:
    stage = scene.stage
    scene.refund(*CROWD[:7])
    hold = await scene.logged(sheet, "Removals are held", Outcome.WAITING)
    await stage.press(ADMIN, hold, "hold:discard:")
    await stage.rounds(1)
    await scene.take(sheet, "Removals are held: answered in the channel", ADMIN, hold)
    stage.sandbox.discord.delete_role(stage.role_id("Gold"))
    await scene.logged(sheet, "A rule's role was deleted", Outcome.PROBLEM)
    await scene.reply(sheet, "A rule's role was deleted: /patreon rule list", ADMIN, "patreon rule list")


async def _without_channel(scene: Scene, sheet: Sheet) -> None:
    stage = scene.stage
    await stage.say(ADMIN, "patreon settings", no_log_channel=True)
    await stage.add_rule("Bronze", tier="Bronze")
    stage.sandbox.discord.move_role(stage.role_id("Bronze"), 50)
    seen = stage.sandbox.discord.messages_for
    public = stage.sandbox.world.guild.system_channel_id

    def told() -> list[str]:
        return [one.id for one in seen(stage.user_id(MOSSY)) if one.channel_id == public and not one.ephemeral]

    await stage.until(told, "the system channel")
    message = next(one for one in seen(stage.user_id(MOSSY)) if one.id == told()[-1])
    await scene.take(sheet, "No log channel: in the system channel", MOSSY, message)
    await scene.reply(sheet, "No log channel: above the next answer", ADMIN, "patreon rule list")
