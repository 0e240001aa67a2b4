"""`/patreon stats` in a running bot: people join and leave while days pass, and numbers and chart say so."""

import io
import re
from datetime import timedelta

import aiohttp
from PIL import Image

from sandbox.discord import Message
from sandbox.main import Options
from sandbox.patreon import Member, standing
from tests.fakes.stage import ADMIN, Stage, words

STATS = "patreon stats"
STEPS = (1, 1, 6)  # days; the last are not counted one by one
NAMED = "黄金"


async def test_people_join_and_leave_while_days_pass() -> None:
    stage = Stage(Options(interval=1))
    gold = next(one for one in stage.sandbox.world.campaign.tiers if one.title == "Gold")
    gold.title = NAMED
    async with stage:
        await stage.rounds(2)
        (first,) = (await stage.command(ADMIN, STATS)).messages
        assert f"**{_paying(stage)}**" in words([first])
        assert "The chart comes with the second day." in words([first])
        assert first.attachments == []
        counted = [_paying(stage)]
        for at, days in enumerate(STEPS):
            await stage.move(timedelta(days=days))
            _join(stage, f"New {at}", gold.id)
            if at != 1:
                _leave(stage)
            await stage.rounds(2)
            counted.append(_paying(stage))
        (message,) = (await stage.command(ADMIN, STATS)).messages
        _numbers(stage, message, counted)
        await _picture(message, counted)


def _numbers(stage: Stage, message: Message, counted: list[int]) -> None:
    said = words([message])
    change = counted[-1] - counted[1]
    assert f"**{counted[-1]}**\n7 days: {_signed(change)}" in said
    holders = sum(_is_paying(one) and one.tier is not None and one.tier.title == NAMED for one in _members(stage))
    assert f"**{NAMED}**: {holders} · 7 days: " in said
    found = re.search(r"7 days: (\d+) joined, (\d+) left", said)
    assert found is not None
    joined, left = int(found[1]), int(found[2])
    assert joined >= 2, "who joined after the first of these days"
    assert left >= 1
    assert joined - left == change
    assert "30 days" not in said, "nobody knows"
    assert "I've counted since" in said
    assert f"is {NAMED}." in said


async def _picture(message: Message, counted: list[int]) -> None:
    (file,) = message.attachments
    async with aiohttp.ClientSession() as browser, browser.get(file["url"]) as answer:
        picture = Image.open(io.BytesIO(await answer.read()))
    assert (picture.format, picture.size) == ("PNG", (1000, 900))
    assert f": {counted[0]}, then {counted[-1]}." in file["description"]
    assert NAMED in file["description"]


def _members(stage: Stage) -> list[Member]:
    return list(stage.sandbox.world.campaign.members)


def _is_paying(member: Member) -> bool:
    return member.patron_status == "active_patron"


def _paying(stage: Stage) -> int:
    return sum(map(_is_paying, _members(stage)))


def _join(stage: Stage, name: str, tier_id: str) -> None:
    patron = stage.sandbox.world.patreon.add_patron(name)
    stage.sandbox.patreon.pledge(patron.id, tier_id)


def _leave(stage: Stage) -> None:
    member = next(one for one in _members(stage) if _is_paying(one) and not one.person.full_name.startswith("New"))
    standing.lapse(member)
    stage.sandbox.patreon.state.settle(member)


def _signed(number: int) -> str:
    return f"+{number}" if number > 0 else f"−{-number}" if number else "±0"  # noqa: RUF001  a minus
