"""Which addresses an admin may have us send webhooks to: names that the whole internet can reach, by https.

Whoever names an address for us to call could have us call what only this machine reaches: a router, a database, a
cloud's metadata. So an address is judged twice: as it is written (`read_receiver`), and by each IP address that its
name leads to at the moment of a request (`is_public`). Asks no name server and opens no connection.

| written                                            | why it is refused                                               |
|----------------------------------------------------|-----------------------------------------------------------------|
| not https, blanks, a backslash, a broken port      | NOT_HTTPS, UNREADABLE                                           |
| user:password@                                     | HAS_LOGIN                                                       |
| an IP address, also 2130706433, 0x7f.1 or 0177.0.1 | IS_NUMBER: programs read such forms differently                 |
| letters beyond ASCII                               | NOT_ASCII: two standards turn them into different names         |
| localhost, no dot, .internal, .local, .home.arpa … | NOT_PUBLIC                                                      |
| a port below 1024 other than 443                   | ODD_PORT: what listens there is no web server                   |
| our own address, when it is added                  | IS_OURS: nobody there takes it (`is_same_place`)                |

Where loopback is allowed, for tests, addresses of this machine and http pass too.
"""

import enum
import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

MOST_LETTERS = 1000  # of an address
HTTP_PORT, HTTPS_PORT = 80, 443
FIRST_FREE_PORT = 1024

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_LONGEST_NAME = 253  # RFC 1035, 2.3.4
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")  # WHATWG URL, "ends in a number checker"
_PATH = re.compile(r"[!-\[\]-~]*")  # printable ASCII without the backslash, which browsers take for a slash

# Names that are never the internet's: RFC 6761, 6762, 7686, 8375, 9476; ICANN reserved .internal in 2024; and what
# routers and offices use.
_PRIVATE_ENDINGS = frozenset(
    {"localhost", "local", "internal", "invalid", "test", "onion", "alt", "arpa", "lan", "home", "corp", "intranet"}
)

# IANA's registry of special-purpose IPv4 addresses, multicast, and what has been reserved for ever.
_SPECIAL_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # behind a provider's NAT; a cloud's metadata
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local; most clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "168.63.129.16/32",  # a public number that in Azure is the machine's own host
        ),
    )
)
# All that is given out so far. Left out with everything else: loopback, mapped and compatible IPv4, NAT64 (64:ff9b::),
# unique local, link-local, site-local and multicast addresses.
_GIVEN_OUT_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocols: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which leads to any IPv4 address
            "2620:4f:8000::/48",
            "3fff::/20",  # documentation
        ),
    )
)


class ReceiverFault(enum.StrEnum):
    """Why an address can't be sent to."""

    UNREADABLE = "unreadable"
    TOO_LONG = "too_long"
    NOT_HTTPS = "not_https"
    HAS_LOGIN = "has_login"
    IS_NUMBER = "is_number"
    NOT_ASCII = "not_ascii"
    NOT_PUBLIC = "not_public"
    ODD_PORT = "odd_port"
    IS_OURS = "is_ours"
    UNKNOWN_NAME = "unknown_name"  # no name server knows it


class ReceiverRefused(ValueError):
    """The address can't be sent to."""

    def __init__(self, fault: ReceiverFault) -> None:
        super().__init__(fault)
        self.fault = fault


def read_receiver(typed: str, *, allow_loopback: bool = False) -> str:
    """Return an address that may be asked for, written in one way only. Raises ReceiverRefused."""
    if len(typed) > MOST_LETTERS:
        raise ReceiverRefused(ReceiverFault.TOO_LONG)
    parts, port = _split(typed.strip())
    if "@" in parts.netloc:
        raise ReceiverRefused(ReceiverFault.HAS_LOGIN)
    host = parts.hostname or ""
    is_of_this_machine = allow_loopback and _is_this_machine(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_of_this_machine):
        raise ReceiverRefused(ReceiverFault.NOT_HTTPS)
    if not is_of_this_machine:
        _judge_name(host)
        if port is not None and port != HTTPS_PORT and port < FIRST_FREE_PORT:
            raise ReceiverRefused(ReceiverFault.ODD_PORT)
    if not _PATH.fullmatch(parts.path + parts.query):
        raise ReceiverRefused(ReceiverFault.UNREADABLE)
    place = f"[{host}]" if ":" in host else host
    where = place if port is None else f"{place}:{port}"
    return f"{parts.scheme}://{where}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def is_public(address: str) -> bool:
    """Tell whether an IP address, as a name server gave it, is one of the open internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in _SPECIAL_V4)
    if ip.scope_id is not None or ip not in _GIVEN_OUT_V6:
        return False
    return ip.is_global and not any(ip in network for network in _SPECIAL_V6)


def is_this_machine(address: str) -> bool:
    """Tell whether an IP address is this very machine's."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_same_place(url: str, other: str) -> bool:
    """Tell whether two addresses name the same host and port."""
    return _place(url) == _place(other)


def place_of(url: str) -> str:
    """Name an address by its host and port: what stands behind them may be a secret."""
    return urlsplit(url).netloc


def _place(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or (HTTPS_PORT if parts.scheme == "https" else HTTP_PORT)


def _split(typed: str) -> tuple[SplitResult, int | None]:
    if any(sign.isspace() or ord(sign) < ord(" ") for sign in typed) or "\\" in typed or "#" in typed:
        raise ReceiverRefused(ReceiverFault.UNREADABLE)
    try:
        parts = urlsplit(typed)
        port = parts.port
    except ValueError:  # a broken port, or a broken IPv6 host
        raise ReceiverRefused(ReceiverFault.UNREADABLE) from None
    if port == 0 or not parts.hostname:
        raise ReceiverRefused(ReceiverFault.UNREADABLE)
    return parts, port


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or is_this_machine(host)


def _judge_name(host: str) -> None:
    """Raise ReceiverRefused unless this is a name that a name server of the open internet may know."""
    if ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise ReceiverRefused(ReceiverFault.IS_NUMBER)
    if not host.isascii():
        raise ReceiverRefused(ReceiverFault.NOT_ASCII)
    if host.rstrip(".").rpartition(".")[2] in _PRIVATE_ENDINGS or "." not in host.rstrip("."):
        raise ReceiverRefused(ReceiverFault.NOT_PUBLIC)
    if not _NAME.fullmatch(host) or len(host) > _LONGEST_NAME:
        raise ReceiverRefused(ReceiverFault.UNREADABLE)
