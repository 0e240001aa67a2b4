"""What `/patreon stats` shows: on the first day, after some weeks, and in German."""

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

from playwright.async_api import Browser

from sandbox.main import Options
from sandbox.patreon import standing
from scripts.camera import Sheet, camera_at
from scripts.scenes import Scene
from tests.fakes.stage import ADMIN, Stage

STATS = "patreon stats"
WEEKS = (3, 4, 3, 4, 3, 4, 4, 5, 4)  # days between two looks
EMBER = "ნაკვერჩხალი"  # which a browser here has letters for, and the chart has not
SEED = 7


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Play it, and hand out the sheet."""
    sheet = Sheet("replies-stats", "What /patreon stats answers.")
    stage = Stage(Options(interval=1))
    next(one for one in stage.sandbox.world.campaign.tiers if one.title == "Bronze").title = EMBER
    async with stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await stage.rounds(2)
        await scene.reply(sheet, "/patreon stats, the first day", ADMIN, STATS)
        await _weeks(stage)
        await scene.reply(sheet, "… after some weeks", ADMIN, STATS)
        await scene.reply(sheet, "… days:90", ADMIN, STATS, days=90)
        stage.sandbox.discord.set_locale(stage.user_id(ADMIN), "de")
        await scene.reply(sheet, "… in German, days:7", ADMIN, STATS, days=7)
    yield sheet


async def _weeks(stage: Stage) -> None:
    """Let people come and go."""
    random, world = Random(SEED), stage.sandbox.world  # noqa: S311  the same weeks each time
    tiers = [one for one in world.campaign.tiers if one.amount_cents and not one.is_deleted]
    for number, days in enumerate(WEEKS):
        await stage.move(timedelta(days=days))
        for at in range(random.randint(0, 5)):
            patron = world.patreon.add_patron(f"Newcomer {number} {at}")
            stage.sandbox.patreon.pledge(patron.id, random.choice(tiers).id)
        paying = [one for one in world.campaign.members if one.patron_status == "active_patron"]
        for member in random.sample(paying, random.randint(0, 3)):
            standing.lapse(member)
            stage.sandbox.patreon.state.settle(member)
        await stage.rounds(2)
