"""From the invitation to live roles: the greeting, and each step of `/patreon setup`."""

from collections.abc import AsyncIterator

from playwright.async_api import Browser

from sandbox.main import Options
from scripts.camera import Sheet, camera_at
from scripts.scenes import Scene
from tests.fakes.stage import ADMIN, Stage

SETUP = "patreon setup"
OWNER = "wren.ashdown"


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play it, and hand out the sheet."""
    sheet = Sheet("replies-setup", "What /patreon setup shows.", {"… a role was created": "admin1-setup"})
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene, act = Scene(stage, camera), stage.sandbox.discord
        act.delete_role(stage.role_id("Gold"))
        act.kick_bot()
        act.add_bot()
        await stage.until(lambda: stage.logged(SETUP) == 1, "the greeting")
        greeting = next(one for one in act.messages_for(stage.user_id(ADMIN)) if not one.ephemeral)
        await scene.take(sheet, "The bot was invited", ADMIN, greeting)
        panel = await scene.reply(sheet, "/patreon setup", ADMIN, SETUP)
        await scene.press(sheet, "… the bot's role is at the bottom", ADMIN, panel, "setup:campaign")
        own = stage.sandbox.world.discord.bot_role(stage.sandbox.world.guild)
        if own is not None:
            act.move_role(own.id, 6)
        await stage.rounds(1)
        await scene.press(sheet, "… a role was created", ADMIN, panel, "setup:create")
        await scene.press(sheet, "… how I work", ADMIN, panel, "setup:policies")
        other = await scene.reply(sheet, "… another admin goes on", OWNER, SETUP)
        await scene.press(sheet, "… the preview", OWNER, other, "setup:preview")
        await scene.press(sheet, "… live", OWNER, other, "setup:live")
    yield sheet
