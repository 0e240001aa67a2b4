"""Addresses in settings: what is taken, what is refused and how, and which of them lead to this machine."""

from collections.abc import Callable

import pytest

from bot.domain.addresses import is_loopback, parse_origin, parse_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8401", True),
        ("http://127.8.9.10", True),
        ("http://localhost:1/path", True),
        ("http://[::1]:8401", True),
        ("http://0.0.0.0", False),
        ("http://10.0.0.1", False),
        ("https://discord.com", False),
        ("http://localhost.example.org", False),
        ("http://127.0.0.1@example.org", False),
        ("nonsense", False),
    ],
)
def test_loopback_is_told_by_the_address_itself(url: str, *, expected: bool) -> None:
    assert is_loopback(url) == expected


def test_a_trailing_slash_is_dropped() -> None:
    assert parse_url("https://example.org/api/v10/") == "https://example.org/api/v10"
    assert parse_origin("https://Example.org:8443/") == "https://Example.org:8443"


@pytest.mark.parametrize(
    "value",
    [
        "example.org",
        "//example.org",
        "https://",
        "https://:8080",
        "https://example.org:99999",
        "https://example.org:0",
        "https://[::1",
        "https://example.org/a b",
        "ws://example.org",
    ],
)
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be an address"):
        parse_url(value)


def test_what_is_no_text_is_left_to_the_type() -> None:
    assert parse_url(None) is None
    assert parse_origin(5) == 5


@pytest.mark.parametrize("parse", [parse_url, parse_origin])
@pytest.mark.parametrize(
    "value",
    [
        "https://ada@example.org",
        "https://ada:hunter2@example.org",
        "https://example.org?token=hunter2",
        "https://example.org/#hunter2",
    ],
)
def test_what_an_address_must_not_hold_is_refused_and_never_repeated(
    parse: Callable[[object], object], value: str
) -> None:
    with pytest.raises(ValueError) as raised:
        parse(value)
    assert not any(part in str(raised.value) for part in ("ada", "hunter2", "example"))


def test_an_origin_ends_after_the_host() -> None:
    assert parse_url("https://example.org/bot") == "https://example.org/bot"
    with pytest.raises(ValueError):
        parse_origin("https://example.org/bot")
