"""What `/patreon api` and `/patreon hooks` answer the server's owner, and what the log channel says of it."""

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from playwright.async_api import Browser

from bot.domain.api_token import MOST_TOKENS
from bot.domain.hooks import MOST_HOOKS
from bot.texts.card import Outcome
from sandbox.main import Options
from sandbox.page.messages import words_of
from scripts.camera import Sheet, camera_at
from scripts.scenes import UNSEEN, Scene
from tests.fakes.receiver import Receiver, serve
from tests.fakes.stage import Stage

OWNER = "wren.ashdown"
HAZEL, IVY = "hazel.hollow", "ivy_afterdark"
CREATE, TOKENS, REVOKE = "patreon api create", "patreon api list", "patreon api revoke"
ADD, HOOKS, TEST, REMOVE = "patreon hooks add", "patreon hooks list", "patreon hooks test", "patreon hooks remove"


async def play_api(browser: Browser) -> AsyncIterator[Sheet]:
    """Play the life of tokens, and hand out the sheet."""
    sheet = Sheet("replies-api", "What /patreon api answers.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await stage.choose_log_channel()
        await scene.reply(sheet, "/patreon api list, none", OWNER, TOKENS)
        shown = await scene.reply(sheet, "/patreon api create", OWNER, CREATE, label="whitelist")
        await scene.logged(sheet, "… in the log channel", Outcome.INFO)
        await _ask(stage, words_of(shown))
        await scene.reply(UNSEEN, "", OWNER, CREATE, label="website")
        await scene.reply(sheet, "/patreon api list", OWNER, TOKENS)
        await scene.reply(sheet, "… without a label", OWNER, CREATE, label=" ")
        for number in range(2, MOST_TOKENS):
            await scene.reply(UNSEEN, "", OWNER, CREATE, label=f"bot {number // 2}")
        await scene.reply(sheet, "/patreon api create, one too many", OWNER, CREATE, label="one more")
        for caption, token in (
            ("/patreon api revoke", "whitelist"),
            ("… an unknown token", "whitelist"),
            ("… a label of several", "bot 2"),
        ):
            await scene.reply(sheet, caption, OWNER, REVOKE, token=token)
        stage.sandbox.discord.set_locale(stage.user_id(OWNER), "de")
        await scene.reply(sheet, "/patreon api create, in German", OWNER, CREATE, label="Mitgliederbereich")
        await scene.reply(sheet, "/patreon api list, in German", OWNER, TOKENS)
    yield sheet


async def play_hooks(browser: Browser) -> AsyncIterator[Sheet]:
    """Play the life of webhooks, and hand out the sheet."""
    sheet = Sheet("replies-hooks", "What /patreon hooks answers.")
    async with (
        Stage(Options(interval=1)) as stage,
        camera_at(browser, stage.sandbox) as camera,
        serve(Receiver()) as game,
        serve(Receiver()) as website,
    ):
        scene = Scene(stage, camera)
        await stage.choose_log_channel()
        await stage.add_rule("Gold", "Gold")
        await scene.logged(UNSEEN, "the rule's first role", Outcome.INFO)
        await scene.reply(sheet, "/patreon hooks list, none", OWNER, HOOKS)
        await scene.reply(sheet, "/patreon hooks add", OWNER, ADD, url=game.url)
        await scene.logged(sheet, "… in the log channel", Outcome.INFO)
        await _mistakes(scene, sheet)
        await scene.reply(UNSEEN, "", OWNER, ADD, url=website.url, events="membership")
        await scene.reply(sheet, "/patreon hooks list, before any event", OWNER, HOOKS)
        await scene.reply(sheet, "/patreon hooks test", OWNER, TEST, hook="1")
        await _deliveries(scene, sheet, game, website)
        stage.sandbox.discord.set_locale(stage.user_id(OWNER), "de")
        await scene.reply(sheet, "/patreon hooks list, in German", OWNER, HOOKS)
    yield sheet


async def _ask(stage: Stage, said: str) -> None:
    """Use a token that was shown, so that the list has one that was."""
    found = re.search(r"pk_[\w-]+", said)
    headers = {"Authorization": f"Bearer {found[0] if found else ''}"}
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
        await session.get(f"{stage.sandbox.bot_url}/api/v1/members")


async def _mistakes(scene: Scene, sheet: Sheet) -> None:
    mistakes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("… not https", {"url": "http://example.com/webhooks"}),
        ("… an IP address", {"url": "https://10.0.0.1/"}),
        ("… nothing of the internet", {"url": "https://router.local/"}),
        ("… an unknown host", {"url": "https://nobody.example/"}),
        ("… an unknown event", {"url": "https://example.com/", "events": "role.granted pledge.created"}),
    )
    for caption, options in mistakes:
        await scene.reply(sheet, caption, OWNER, ADD, **options)
    await scene.reply(sheet, "/patreon hooks test, no number", OWNER, TEST, hook="mine")
    await scene.reply(sheet, "… an unknown webhook", OWNER, TEST, hook="9")


async def _deliveries(scene: Scene, sheet: Sheet, game: Receiver, website: Receiver) -> None:
    """Let one person's events arrive and another's fail, and one of two receivers be gone."""
    stage = scene.stage
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.until(lambda: len(game.said) > 2, "her events arrive")
    game.refused = {stage.user_id(IVY)}
    website.status = 410
    await stage.link(IVY, "Goldie Marsh")
    await scene.logged(sheet, "A webhook is off", Outcome.PROBLEM)
    await scene.reply(UNSEEN, "", OWNER, TEST, hook="1")  # so that the next try is some minutes away
    await scene.reply(sheet, "/patreon hooks list", OWNER, HOOKS)
    game.status = 500
    await scene.reply(sheet, "/patreon hooks test, refused", OWNER, TEST, hook="1")
    game.status = 204
    await scene.reply(sheet, "… what waited is sent, too", OWNER, TEST, hook="1")
    async with serve(Receiver()) as gone:
        await scene.reply(UNSEEN, "", OWNER, ADD, url=gone.url)
    await scene.reply(sheet, "… not reached", OWNER, TEST, hook="3")
    await scene.reply(sheet, "… off", OWNER, TEST, hook="2")
    await scene.reply(sheet, "/patreon hooks remove", OWNER, REMOVE, hook="2")
    for _ in range(MOST_HOOKS - 2):
        await scene.reply(UNSEEN, "", OWNER, ADD, url=game.url)
    await scene.reply(sheet, "/patreon hooks add, one too many", OWNER, ADD, url=game.url)
