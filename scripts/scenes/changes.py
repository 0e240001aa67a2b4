"""What admins see of changes after the fact: comps, edited and grouped rules, the audit, and an undo."""

from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser

from sandbox.main import Options
from scripts.camera import Sheet, camera_at
from scripts.scenes import UNSEEN, Scene
from tests.fakes.stage import ADMIN, Stage

HAZEL, IVY, KESTREL = "hazel.hollow", "ivy_afterdark", "kestrel_kite"


async def play_comps(browser: Browser) -> AsyncIterator[Sheet]:
    """Play what gives roles beside pledges and changes rules in place, and hand out the sheet."""
    sheet = Sheet("replies-comps", "What /patreon comp …, rule edit and rule group answer.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await _comps(scene, sheet)
        await _edits(scene, sheet)
    yield sheet


async def play_audit(browser: Browser) -> AsyncIterator[Sheet]:
    """Play a removed rule, what the audit says of it, and its undo, and hand out the sheet."""
    sheet = Sheet("replies-audit", "What /patreon audit and undo answer.", {"/patreon undo": "admin3-undo"})
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await scene.reply(sheet, "/patreon audit, a new server", ADMIN, "patreon audit")
        await stage.choose_log_channel()
        await stage.add_rule("Gold")
        await stage.link(HAZEL, "Gerda Nilsson")
        await stage.until(lambda: "Gold" in stage.roles(HAZEL) and "Gold" in stage.roles(KESTREL), "the roles")
        await scene.reply(UNSEEN, "", ADMIN, "patreon rule remove", rule="1")
        await stage.until(lambda: "Gold" not in stage.roles(HAZEL) | stage.roles(KESTREL), "they are taken")
        await stage.rounds(2)
        await scene.reply(sheet, "… of everybody", ADMIN, "patreon audit")
        await scene.reply(sheet, "… of one person", ADMIN, "patreon audit", user=stage.user_id(HAZEL))
        runs = await stage.sandbox.discord.autocomplete(stage.user_id(ADMIN), "patreon undo", {"run": ""}, "run")
        removed = str(runs[0]["value"])
        await scene.reply(sheet, "… of one run", ADMIN, "patreon audit", run=removed)
        asked = await scene.reply(sheet, "/patreon undo", ADMIN, "patreon undo", run=removed)
        await scene.press(sheet, "… confirmed", ADMIN, asked, "confirm:")
        await stage.until(lambda: "Gold" in stage.roles(HAZEL) & stage.roles(KESTREL), "they are back")
        await stage.rounds(2)
        await scene.reply(sheet, "… again: nothing is left", ADMIN, "patreon undo", run=removed)
        await scene.reply(sheet, "… a run that is not there", ADMIN, "patreon undo", run="99")
    yield sheet


async def _comps(scene: Scene, sheet: Sheet) -> None:
    stage, add = scene.stage, "patreon comp add"
    hazel, ivy, gold = stage.user_id(HAZEL), stage.user_id(IVY), stage.role_id("Gold")
    await scene.reply(sheet, "/patreon comp list, none", ADMIN, "patreon comp list")
    winner: dict[str, Any] = {"user": ivy, "role": gold, "reason": "won the spring contest"}
    await scene.reply(sheet, "/patreon comp add", ADMIN, add, until="30d", **winner)
    await stage.until(lambda: "Gold" in stage.roles(IVY), "the role")
    await scene.reply(sheet, "… for ever", ADMIN, add, user=hazel, role=gold, until="never", reason="our artist")
    await scene.reply(sheet, "… a day that does not exist", ADMIN, add, until="2027-02-30", **winner)
    await scene.reply(sheet, "/patreon comp list", ADMIN, "patreon comp list")
    await scene.reply(sheet, "/patreon why", ADMIN, "patreon why", user=ivy)
    await scene.reply(sheet, "/membership, with a comp", IVY, "membership")
    await scene.reply(sheet, "/patreon comp remove", ADMIN, "patreon comp remove", user=ivy, role=gold)
    await scene.reply(UNSEEN, "", ADMIN, "patreon comp remove", user=hazel, role=gold)


async def _edits(scene: Scene, sheet: Sheet) -> None:
    stage = scene.stage
    for name in ("Gold", "Silver"):
        await stage.add_rule(name, name)
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role")
    asked = await scene.reply(
        sheet, "/patreon rule edit, somebody loses", ADMIN, "patreon rule edit", rule="1", tier=stage.tier_id("Silver")
    )
    await scene.press(sheet, "… cancelled", ADMIN, asked, "cancel:")
    await scene.reply(sheet, "… nobody loses", ADMIN, "patreon rule edit", rule="2", keep_days=7)
    await scene.reply(sheet, "/patreon rule group, none", ADMIN, "patreon rule group")
    roles = " ".join(f"<@&{stage.role_id(name)}>" for name in ("Gold", "Silver"))
    await scene.reply(sheet, "… two roles", ADMIN, "patreon rule group", roles=roles)
    await scene.reply(sheet, "/patreon rule list", ADMIN, "patreon rule list")
