"""What comes of a write, and for how long a ban stops all of them."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.discord.holder import ClientHolder
from bot.discord.languages import language_of
from bot.discord.role_writer import RoleWriter, WriteReason
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import AUTOMATIC, DiscordUserId, GuildId, GuildSettings, RoleId
from bot.texts.catalogs import PSEUDO_TAG
from bot.texts.pseudo import accented
from tests.fakes.clock import StoppedClock

GUILD, PERSON, ROLE = GuildId(1), DiscordUserId(2), RoleId(3)


class Discord:
    """The one call of discord.py's that gives a role, answered as told."""

    def __init__(self) -> None:
        self.answer: Exception | None = None
        self.calls = 0
        self.reasons: list[str] = []
        self.http = self
        self.current: Any = self

    def get_guild(self, _: int) -> Any:
        return SimpleNamespace(preferred_locale=discord.Locale.german)

    async def add_role(self, *_: int, reason: str) -> None:
        self.calls += 1
        self.reasons.append(reason)
        if self.answer is not None:
            raise self.answer


async def put(writer: RoleWriter) -> Outcome:
    return await writer.put(GUILD, PERSON, ROLE, why=WriteReason(trigger=Trigger.SYNC, settings=GuildSettings()))


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
    assert await put(RoleWriter(cast("ClientHolder", service), clock)) is outcome


async def test_a_ban_stops_all_writes_and_each_further_one_for_longer(clock: StoppedClock) -> None:
    service = Discord()
    writer = RoleWriter(cast("ClientHolder", service), clock)
    service.answer = said(429)
    for calls, minutes in enumerate((1, 2, 4, 8, 15, 15), start=1):
        assert await put(writer) is Outcome.BANNED
        clock.move(minutes=minutes, seconds=-1)
        assert writer.is_banned
        assert await put(writer) is Outcome.BANNED
        assert service.calls == calls, "no call is made meanwhile"
        clock.move(seconds=1)
        assert not writer.is_banned

    service.answer = None
    assert await put(writer) is Outcome.DONE
    service.answer = said(429)
    assert await put(writer) is Outcome.BANNED
    clock.move(minutes=1)
    assert not writer.is_banned, "a write that went through ends the row"


async def test_discords_audit_log_says_what_led_to_it_in_the_guilds_language(clock: StoppedClock) -> None:
    service = Discord()
    writer = RoleWriter(cast("ClientHolder", service), clock)
    for language in ("en", PSEUDO_TAG):
        settings = GuildSettings(language=language)
        await writer.put(GUILD, PERSON, ROLE, why=WriteReason(trigger=Trigger.SYNC, settings=settings))
    assert service.reasons == ["An admin started a sync", accented("An admin started a sync")]


@pytest.mark.parametrize(
    ("language", "locale", "tag"),
    [
        (AUTOMATIC, discord.Locale.german, "de"),
        (AUTOMATIC, discord.Locale.british_english, "en"),
        (AUTOMATIC, discord.Locale.thai, "en"),
        ("de", discord.Locale.thai, "de"),
        ("xx", discord.Locale.german, "en"),
    ],
)
def test_a_guild_speaks_the_language_it_chose_or_its_own(language: str, locale: discord.Locale, tag: str) -> None:
    guild = cast("discord.Guild", SimpleNamespace(preferred_locale=locale))
    assert language_of(GuildSettings(language=language), guild).tag == tag
    assert language_of(GuildSettings(), None).tag == "en"
