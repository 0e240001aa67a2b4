"""The scenes that the pictures show, played by the real bot. Each module plays some and fills its own sheets."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page

from bot.texts.card import Outcome
from sandbox.discord.model import Message
from sandbox.discord.ratelimits import Limit
from sandbox.main import Options
from sandbox.page.messages import flat_components, words_of
from sandbox.patreon import standing
from scripts.camera import Camera, Sheet
from tests.fakes.stage import ADMIN, PATIENCE, Stage

CROWD = tuple(
    f"{plant}.{place}"
    for place in ("fen", "moor")
    for plant in (
        *("alder", "birch", "clover", "daisy", "elm", "fennel", "ginger"),
        *("heather", "iris", "jasmine", "kelp", "linden", "mint", "nettle"),
    )
)
"""Patrons whom Patreon names by their Discord accounts: so many that a new rule asks before it gives a role to all."""
UNSEEN = Sheet("", "what is played and not taken")
FAST = Limit(20, 1.0)
"""Of role writes, so that nobody waits for a crowd."""
SETTLED_SECONDS = 0.7
"""Until a message that was just changed is as it stays: what the bot says first may be replaced at once."""


def crowded_stage() -> Stage:
    """Make a stage with a crowd on it."""
    stage = Stage(Options(interval=1))
    for username in CROWD:
        stage.add_named_patron(username)
    stage.sandbox.discord.limits.limits["role_writes"] = FAST
    return stage


@dataclass
class Scene:
    """A stage with a camera at it."""

    stage: Stage
    camera: Camera
    _direct: dict[str, str] = field(default_factory=dict)
    _logged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Let Discord wait longer for an answer than it does: a picture is no test of how fast this machine is."""
        self.stage.sandbox.discord.interactions.response_seconds = PATIENCE

    async def reply(
        self, sheet: Sheet, caption: str, who: str, path: str, *, in_dm: bool = False, **options: Any
    ) -> Message:
        """Let somebody type a command, and take all of its answer."""
        stage = self.stage
        place = "dm" if in_dm else None
        typed = await stage.sandbox.discord.run_command(stage.user_id(who), path, options, channel_id=place)
        if not await typed.answered(PATIENCE):
            raise RuntimeError(f"/{path}: {typed.state}\n{stage.log()[-3000:]}")
        await asyncio.sleep(SETTLED_SECONDS)
        for message in typed.messages:
            await self.take(sheet, caption, who, message)
        return typed.messages[-1]

    async def press(self, sheet: Sheet, caption: str, who: str, message: Message, prefix: str) -> Message:
        """Let somebody press a button, and take what came of it."""
        pressed = await self.stage.press(who, message, prefix)
        await asyncio.sleep(SETTLED_SECONDS)
        shown = pressed.messages[-1] if pressed.messages else message
        await self.take(sheet, caption, who, shown)
        return shown

    async def direct(self, sheet: Sheet, caption: str, who: str) -> None:
        """Wait until the bot's last direct message to somebody is another one than was taken last, and take it."""
        await self.stage.until(lambda: self._last_direct(who) != self._direct.get(who), f"news for {who}: {caption}")
        await asyncio.sleep(SETTLED_SECONDS)
        self._direct[who] = self._last_direct(who)
        await self.take(sheet, caption, who, self.stage.direct_messages(who)[-1])

    def _last_direct(self, who: str) -> str:
        return "".join(f"{one.id} {words_of(one)}" for one in self.stage.direct_messages(who)[-1:])

    async def logged(self, sheet: Sheet, caption: str, outcome: Outcome) -> Message:
        """Wait for a message of this colour in the log channel that was not there before, and take it."""
        await self.stage.until(lambda: self._new_in_log(outcome), f"in the log channel: {caption}", 60)
        await asyncio.sleep(SETTLED_SECONDS)
        new = self._new_in_log(outcome)
        self._logged.update(one.id for one in new)
        await self.take(sheet, caption, ADMIN, new[-1])
        return new[-1]

    def _new_in_log(self, outcome: Outcome) -> list[Message]:
        seen = self.stage.sandbox.discord.messages_for(self.stage.user_id(ADMIN))
        return [
            one
            for one in seen
            if not one.ephemeral and one.id not in self._logged and [e["color"] for e in one.embeds] == [outcome.value]
        ]

    async def crowd_has(self, role: str) -> None:
        """Wait until all of the crowd have a role, and the bot has seen it."""
        await self.stage.until(lambda: all(role in self.stage.roles(one) for one in CROWD), f"the role {role}", 60)
        await self.stage.rounds(2)

    def refund(self, *usernames: str) -> None:
        """Let people of the crowd be refunded, of which Patreon's list alone tells: they are heard of at once."""
        for member in self.stage.sandbox.world.campaign.members:
            if member.person.full_name in usernames:
                standing.refund(member)
                self.stage.sandbox.patreon.state.settle(member)

    async def take(self, sheet: Sheet, caption: str, who: str, message: Message) -> None:
        """Take a message as somebody sees it, unless it is only a way to something else."""
        if sheet is UNSEEN:
            return
        await self.camera.message(sheet, caption, message, self.stage.user_id(who))


def url_of(message: Message) -> str:
    """Return where a message's link button leads."""
    return next(str(one["url"]) for one in flat_components(message.components) if one["url"])


async def consent(tab: Page, address: str, person: str, answer: str = "Allow") -> None:
    """Answer Patreon's own page in a browser, and land on the bot's."""
    await tab.goto(address)
    label = await tab.get_by_label("You are signed in as").locator("option", has_text=re.compile(person)).inner_text()
    await tab.get_by_label("You are signed in as").select_option(label=label)
    await tab.get_by_role("button", name=answer).click()
    await tab.wait_for_selector("body[data-result]")
