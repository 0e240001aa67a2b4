"""Addresses as people write them into settings, and where Patreon finds us below ours.

A ValueError holds a SettingFault, never the address.
"""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from bot.domain.errors import SettingFault

CALLBACK_PATH = "/oauth/callback"  # registered at Patreon letter by letter
API_PATH = "/api/v1"  # part of the agreement with programs that others write
WEBHOOKS_PATH = "/webhooks/patreon"  # and the campaign's id after it


def parse_url(value: object) -> object:
    """Return an http(s) address without its trailing slash."""
    return value if not isinstance(value, str) else _split(value).geturl().rstrip("/")


def parse_origin(value: object) -> object:
    """Return an http(s) address that is no more than scheme, host and port."""
    if not isinstance(value, str):
        return value
    parts = _split(value)
    if parts.path.strip("/"):
        raise ValueError(SettingFault.HOLDS_A_PATH)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(url: str) -> bool:
    """Tell whether an address names this very machine, whatever a name server says."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult:
    parts = _parse(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(SettingFault.NOT_AN_ADDRESS)
    if parts.username is not None or parts.password is not None:
        raise ValueError(SettingFault.HOLDS_A_LOGIN)
    if parts.query or parts.fragment:
        raise ValueError(SettingFault.HOLDS_A_QUERY)
    return parts


def _parse(value: str) -> SplitResult | None:
    if any(sign.isspace() for sign in value):
        return None
    try:
        parts = urlsplit(value)
        has_port_zero = parts.port == 0
    except ValueError:  # no port at all, or a broken IPv6 host
        return None
    return None if has_port_zero else parts
