"""What comes of a write, and for how long a ban stops all of them."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.discord.write import RoleWriter
from bot.domain.changes import Outcome
from bot.domain.model import DiscordUserId, GuildId, RoleId
from tests.fakes.clock import StoppedClock

GUILD, PERSON, ROLE = GuildId(1), DiscordUserId(2), RoleId(3)


class Discord:
    """The one call of discord.py's that gives a role, answered as told."""

    def __init__(self) -> None:
        self.answer: Exception | None = None
        self.calls = 0
        self.http = self
        self.current: Any = self

    async def add_role(self, *_: int, reason: str) -> None:
        self.calls += 1
        if self.answer is not None:
            raise self.answer


def said(status: int, code: int = 0) -> discord.HTTPException:
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    return kind(cast("Any", SimpleNamespace(status=status, reason="no")), {"code": code, "message": "no"})


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(None, Outcome.DONE, id="204"),
        pytest.param(said(404, 10007), Outcome.AWAY, id="unknown member"),
        pytest.param(said(404, 10013), Outcome.AWAY, id="unknown user"),
        pytest.param(said(404, 10011), Outcome.GONE, id="unknown role"),
        pytest.param(said(403, 50013), Outcome.REFUSED, id="missing permissions"),
        pytest.param(said(403, 50001), Outcome.REFUSED, id="missing access"),
        pytest.param(said(429), Outcome.BANNED, id="a ban"),
        pytest.param(said(401), Outcome.BANNED, id="an unknown token"),
        pytest.param(said(403, 60003), Outcome.NEEDS_2FA, id="two-factor authentication"),
        pytest.param(said(404), Outcome.REJECTED, id="404 of something else"),
        pytest.param(said(400, 50035), Outcome.REJECTED, id="an invalid form"),
        pytest.param(said(400, 987654), Outcome.REJECTED, id="400 with a code that nobody knows"),
        pytest.param(said(409), Outcome.REJECTED, id="a conflict"),
        pytest.param(discord.RateLimited(7200.0), Outcome.BANNED, id="a limit of hours"),
        pytest.param(said(503, 130000), Outcome.UNKNOWN, id="overloaded"),
        pytest.param(OSError(), Outcome.UNKNOWN, id="no answer"),
    ],
)
async def test_what_an_answer_says(answer: Exception | None, outcome: Outcome, clock: StoppedClock) -> None:
    service = Discord()
    service.answer = answer
    assert await RoleWriter(service, clock).put(GUILD, PERSON, ROLE, "test") is outcome


async def test_a_ban_stops_all_writes_and_each_further_one_for_longer(clock: StoppedClock) -> None:
    service = Discord()
    writer = RoleWriter(service, clock)
    service.answer = said(429)
    for calls, minutes in enumerate((1, 2, 4, 8, 15, 15), start=1):
        assert await writer.put(GUILD, PERSON, ROLE, "test") is Outcome.BANNED
        clock.move(minutes=minutes, seconds=-1)
        assert writer.is_banned
        assert await writer.put(GUILD, PERSON, ROLE, "test") is Outcome.BANNED
        assert service.calls == calls, "no call is made meanwhile"
        clock.move(seconds=1)
        assert not writer.is_banned

    service.answer = None
    assert await writer.put(GUILD, PERSON, ROLE, "test") is Outcome.DONE
    service.answer = said(429)
    assert await writer.put(GUILD, PERSON, ROLE, "test") is Outcome.BANNED
    clock.move(minutes=1)
    assert not writer.is_banned, "a write that went through ends the row"
