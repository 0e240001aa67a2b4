"""The small readings that both API versions share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.patreon.protocol.wire import (
    PageLinks,
    SocialAccount,
    SocialConnections,
    ahead,
    cursor_in,
    discord_account,
    discord_roles,
    moment,
    past,
)


@pytest.mark.parametrize(
    ("address", "cursor"),
    [
        (None, None),
        ("", None),
        ("https://www.patreon.com/api/x", None),
        ("https://www.patreon.com/api/x?page%5Bcursor%5D=", None),
        ("https://elsewhere.example/?page%5Bcursor%5D=a%2Bb", "a+b"),
        ("/x?page[cursor]=2026-04-10T00:12:57+00:00", "2026-04-10T00:12:57+00:00"),
        ("https://[broken", None),
    ],
)
def test_only_the_cursor_of_a_link_is_taken(address: str | None, cursor: str | None) -> None:
    assert cursor_in(PageLinks(next=address)) == cursor


def test_no_links_hold_no_cursor() -> None:
    assert cursor_in(None) is None


@pytest.mark.parametrize(
    ("user_id", "account"),
    [
        ("200000000000000001", 200000000000000001),
        (None, None),
        ("", None),
        ("0", None),
        ("-5", None),
        ("١٢٣", None),
        ("nobody", None),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", None),
        ("99999999999999999999", None),
    ],
)
def test_a_discord_account_is_a_snowflake_that_can_be_stored(user_id: str | None, account: int | None) -> None:
    assert discord_account(SocialConnections(discord=SocialAccount(user_id=user_id))) == account


def test_without_connections_there_is_no_discord_account() -> None:
    assert discord_account(None) is None
    assert discord_account(SocialConnections()) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-01T21:28:06+00:00", datetime(2026, 3, 1, 21, 28, 6, tzinfo=UTC)),
        ("2026-03-01T21:28:06.670910Z", datetime(2026, 3, 1, 21, 28, 6, 670910, tzinfo=UTC)),
        ("2026-03-01T21:28:06+05:00", datetime(2026, 3, 1, 21, 28, 6, tzinfo=timezone(timedelta(hours=5)))),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("soon", None),
        ("", None),
    ],
)
def test_a_moment_is_aware_or_none(text: str, read: datetime | None) -> None:
    assert moment(text) == read


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "is_past", "is_ahead"),
    [
        ("2026-11-21T12:00:00Z", True, True),
        ("2026-11-23T11:00:00Z", True, True),  # clocks differ
        ("2026-12-21T12:00:00Z", False, True),
        ("2013-01-01T00:00:00Z", True, True),
        ("2012-12-31T23:59:59Z", False, False),
        ("0001-01-01T00:00:00+23:59", False, False),
        ("9999-12-31T23:59:59-23:59", False, False),
        ("2099-01-01T00:00:00Z", False, False),
    ],
)
def test_an_absurd_date_is_no_fact(told: str, is_past: bool, is_ahead: bool) -> None:
    at = moment(told)
    assert at is not None
    assert (past(at, now=NOW), ahead(at, now=NOW)) == (at if is_past else None, at if is_ahead else None)
    assert (past(None, now=NOW), ahead(None, now=NOW)) == (None, None)


def test_the_roles_of_patreons_bot_are_snowflakes_each_once() -> None:
    assert discord_roles(["32", "31", "32", "none", ""]) == (31, 32)
    assert discord_roles(None) == ()
