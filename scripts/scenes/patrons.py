"""What `/patreon patrons` shows: the list and its menus, one person, who has access, the adoption, the file."""

import asyncio
from collections.abc import AsyncIterator

from playwright.async_api import Browser

from sandbox.discord import Message
from sandbox.main import Options
from scripts.camera import Sheet, camera_at
from scripts.scenes import SETTLED_SECONDS, Scene
from tests.fakes.stage import ADMIN, PATIENCE, Stage

HAZEL, CEDAR, GORSE = "hazel.hollow", "cedar_lane", "gorse_hill"
PATRONS = "patreon patrons"


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play it, and hand out the sheet."""
    sheet = Sheet("replies-patrons", "What /patreon patrons answers.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        for role in ("Gold", "Silver"):
            await stage.add_rule(role, role)
        await stage.link(HAZEL, "Saga Mirren")
        await stage.until(lambda: "Silver" in stage.roles(HAZEL), "the role")
        for username in (CEDAR, GORSE, HAZEL):
            stage.sandbox.discord.give_role(stage.user_id(username), stage.role_id("Gold"))
        stage.sandbox.patreon.decline(stage.patron_id("Gerda Nilsson"))
        await stage.rounds(2)
        listed = await scene.reply(sheet, "/patreon patrons", ADMIN, PATRONS)
        await scene.press(sheet, "… next page", ADMIN, listed, "show:patrons:")
        await _choose(scene, sheet, "… linked people only", listed, "only", "c", "r")
        await _choose(scene, sheet, "… one person", listed, "person")
        await scene.press(sheet, "… back", ADMIN, listed, "show:patrons:")
        await _choose(scene, sheet, "… not linked here", listed, "only", "u")
        await _choose(scene, sheet, "… a patron without an account here", listed, "person")
        await scene.reply(sheet, "… view:export", _owner(stage), PATRONS, view="export", amounts=True)
        access = await scene.reply(sheet, "… view:access", ADMIN, PATRONS, view="access")
        await scene.press(sheet, "… Adopt these", ADMIN, access, "confirm:")
    yield sheet


async def _choose(scene: Scene, sheet: Sheet, caption: str, message: Message, menu: str, *values: str) -> None:
    """Choose in one of the menus below the list: these values, or the first."""
    menus = [one for row in message.components for one in row["components"] if "options" in one]
    (found,) = [one for one in menus if one["custom_id"].startswith(f"show:patrons-{menu}:")]
    chosen = values or (found["options"][0]["value"],)
    act = scene.stage.sandbox.discord
    used = await act.press(scene.stage.user_id(ADMIN), message.id, found["custom_id"], chosen)
    if not await used.answered(PATIENCE):
        raise RuntimeError(f"{menu}: {used.state}")
    await asyncio.sleep(SETTLED_SECONDS)
    await scene.take(sheet, caption, ADMIN, message)


def _owner(stage: Stage) -> str:
    guild = stage.sandbox.world.guild
    return guild.members[guild.owner_id].user.username
