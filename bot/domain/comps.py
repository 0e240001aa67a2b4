"""A comp: a role that an admin gives without a pledge, to a guest or a winner, for a reason and until a day. Pure.

What an admin types for its end, and what that means:

    never         no end
    30d           so many days from now
    2027-01-31    the end of that day, in UTC
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId, RoleId

NEVER = "never"
MOST_DAYS = 3650
MOST_REASON = 200  # signs: it stands in one line of a list
TOLD_BEFORE = timedelta(days=3)  # whoever gave it hears of its end so long before
LAST_SECOND = time(23, 59, 59, tzinfo=UTC)  # of a day, which is shown as that day


class Comp(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One role of one person by an admin's word. It stays stored after its end until nothing rests on it."""

    guild_id: GuildId
    discord_user_id: DiscordUserId
    role_id: RoleId
    reason: str
    given_by: DiscordUserId
    given_at: datetime
    until: datetime | None = None  # None: it has no end

    def is_over(self, now: datetime) -> bool:
        """Tell whether it has ended."""
        return self.until is not None and self.until <= now

    @property
    def is_told_of(self) -> bool:
        """Tell whether its end is worth a word beforehand: not where it was as near when it was given."""
        return self.until is not None and self.until - self.given_at > TOLD_BEFORE


class NamedComp(msgspec.Struct, frozen=True, kw_only=True):
    """A comp, with what its role is called; "" where it is gone."""

    comp: Comp
    role: str


def running(comps: Mapping[RoleId, Comp], now: datetime) -> dict[RoleId, Comp]:
    """Return those that have not ended."""
    return {role_id: comp for role_id, comp in comps.items() if not comp.is_over(now)}


def read_until(typed: str, *, now: datetime) -> datetime | None:
    """Return when a comp is to end; None: never. Raises UserMistake."""
    word = typed.strip().casefold()
    if word == NEVER:
        return None
    until = _read_days(word, now) if word.endswith("d") else _read_day(word)
    if until is None:
        raise UserMistake(Mistake.UNTIL_UNREADABLE)
    if until <= now:
        raise UserMistake(Mistake.UNTIL_PAST)
    return until


def read_reason(typed: str) -> str:
    """Return the reason in one line. Raises UserMistake where there is none."""
    reason = " ".join(typed.split())
    if not reason:
        raise UserMistake(Mistake.REASON_MISSING)
    if len(reason) > MOST_REASON:
        raise UserMistake(Mistake.REASON_TOO_LONG, most=MOST_REASON)
    return reason


def _read_days(word: str, now: datetime) -> datetime | None:
    found = re.fullmatch(r"([0-9]{1,4}) ?d", word)
    if found is None or int(found[1]) > MOST_DAYS:
        return None
    return now + timedelta(days=int(found[1]))


def _read_day(word: str) -> datetime | None:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", word) is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(word), LAST_SECOND)
    except ValueError:
        return None
