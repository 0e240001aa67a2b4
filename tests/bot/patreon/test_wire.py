"""The small readings that both API versions share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.patreon.wire import Account, Links, SocialConnections, cursor_in, discord_account, moment


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
    assert cursor_in(Links(next=address)) == cursor


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
    assert discord_account(SocialConnections(discord=Account(user_id=user_id))) == account


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
