"""What an admin may type for a role without a pledge, and when one is over."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.domain.comps import MOST_REASON, Comp, read_reason, read_until, running
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId, RoleId

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
COMP = Comp(
    guild_id=GuildId(900),
    discord_user_id=DiscordUserId(7),
    role_id=RoleId(13),
    reason="won the raffle",
    given_by=DiscordUserId(1),
    given_at=NOW,
)


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("never", None),
        (" Never ", None),
        ("30d", NOW + timedelta(days=30)),
        ("30 D", NOW + timedelta(days=30)),
        ("3650d", NOW + timedelta(days=3650)),
        ("2026-05-04", datetime(2026, 5, 4, 23, 59, 59, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_day_a_number_of_days_or_never(typed: str, until: datetime | None) -> None:
    assert read_until(typed, now=NOW) == until


@pytest.mark.parametrize(
    "typed", ["", "soon", "d", "-3d", "3651d", "99999d", "3.5d", "31.01.2027", "2027-02-30", "2027-1-31", "20270131"]
)
def test_any_other_end_is_refused(typed: str) -> None:
    with pytest.raises(UserMistake) as refused:
        read_until(typed, now=NOW)
    assert refused.value.code is Mistake.UNTIL_UNREADABLE


@pytest.mark.parametrize("typed", ["0d", "2026-05-03", "1999-01-01"])
def test_an_end_that_is_over_is_refused(typed: str) -> None:
    with pytest.raises(UserMistake) as refused:
        read_until(typed, now=NOW)
    assert refused.value.code is Mistake.UNTIL_PAST


def test_a_reason_is_one_line_and_not_too_long() -> None:
    assert read_reason("  won\nthe   raffle ") == "won the raffle"
    assert read_reason("x" * MOST_REASON) == "x" * MOST_REASON
    for typed, mistake in ((" \n", Mistake.REASON_MISSING), ("x" * (MOST_REASON + 1), Mistake.REASON_TOO_LONG)):
        with pytest.raises(UserMistake) as refused:
            read_reason(typed)
        assert refused.value.code is mistake


def test_a_comp_is_over_at_its_end_and_one_without_never() -> None:
    ending = replace(COMP, until=NOW + timedelta(days=1))
    assert [ending.is_over(NOW + timedelta(days=days)) for days in (0, 1, 2)] == [False, True, True]
    assert not COMP.is_over(datetime.max.replace(tzinfo=UTC))
    assert running({RoleId(1): ending, RoleId(2): COMP}, NOW + timedelta(days=1)) == {RoleId(2): COMP}


@pytest.mark.parametrize(("days", "is_told"), [(None, False), (3, False), (4, True)])
def test_the_end_is_told_of_where_it_was_not_near_from_the_beginning(days: int | None, *, is_told: bool) -> None:
    until = None if days is None else NOW + timedelta(days=days)
    assert replace(COMP, until=until).is_told_of is is_told
