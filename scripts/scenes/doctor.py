"""What `/patreon doctor` finds: a server with nothing wrong, one with much of it, and one person at a time."""

from collections.abc import AsyncIterator

from playwright.async_api import Browser

from sandbox.discord import permissions
from sandbox.main import Options
from scripts.camera import Sheet, camera_at
from scripts.scenes import UNSEEN, Scene
from tests.fakes.stage import ADMIN, Stage

HAZEL, IVY, GORSE, CEDAR, KESTREL = "hazel.hollow", "ivy_afterdark", "gorse_hill", "cedar_lane", "kestrel_kite"
DOCTOR = "patreon doctor"


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play it, and hand out the sheet."""
    sheet = Sheet("replies-doctor", "What /patreon doctor answers.", {"… much is wrong": "admin2-doctor"})
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await scene.reply(sheet, "/patreon doctor, a new server", ADMIN, DOCTOR)
        for role in ("Gold", "Silver"):
            await stage.add_rule(role, role)
        await stage.choose_log_channel()
        await stage.until(lambda: "Gold" in stage.roles(KESTREL), "the role")
        await stage.link(HAZEL, "Saga Mirren")
        await stage.until(lambda: "Silver" in stage.roles(HAZEL), "the role")
        await stage.rounds(2)
        await scene.reply(sheet, "… nothing is wrong", ADMIN, DOCTOR)
        await _people(scene, sheet)
        await _troubles(scene, sheet)
    yield sheet


async def _people(scene: Scene, sheet: Sheet) -> None:
    stage, act = scene.stage, scene.stage.sandbox.discord
    await scene.reply(sheet, "… of one person, all well", ADMIN, DOCTOR, user=stage.user_id(HAZEL))
    await scene.reply(sheet, "… not linked", ADMIN, DOCTOR, user=stage.user_id(GORSE))
    await stage.link(IVY, "Nils Ahlgren")
    await scene.reply(sheet, "… linked, and no patron", ADMIN, DOCTOR, user=stage.user_id(IVY))
    act.take_role(stage.user_id(HAZEL), stage.role_id("Silver"))
    await stage.rounds(2)
    await scene.reply(sheet, "… somebody took a role away", ADMIN, DOCTOR, user=stage.user_id(HAZEL))


async def _troubles(scene: Scene, sheet: Sheet) -> None:
    stage, act = scene.stage, scene.stage.sandbox.discord
    act.move_role(stage.role_id("Gold"), 40)
    act.edit_role(stage.role_id("Silver"), permissions=permissions.KICK_MEMBERS)
    act.add_patreons_bot()
    act.set_2fa(is_required=True, owner_has_it=False)
    stage.weather("patreon", "/members", "no_tiers")
    await stage.rounds(2)
    asked = await scene.reply(sheet, "… much is wrong", ADMIN, DOCTOR)
    act.move_role(stage.role_id("Gold"), 2)
    act.edit_role(stage.role_id("Silver"), permissions=0)
    act.kick_patreons_bot()
    act.set_2fa(is_required=False, owner_has_it=False)
    stage.sandbox.weather.clear()
    await stage.rounds(2)
    await scene.press(sheet, "… mended, and looked again", ADMIN, asked, "doctor:again")
    await scene.reply(UNSEEN, "", ADMIN, "patreon settings", mode="off")
    await stage.link(CEDAR, "Gideon Brook")
    await scene.reply(sheet, "… of one person, turned off", ADMIN, DOCTOR, user=stage.user_id(CEDAR))
