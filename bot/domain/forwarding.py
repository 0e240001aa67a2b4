"""Whose request it is that a reverse proxy passes on: the client's address, as far as it can be believed.

Each proxy adds the address that it was asked from at the end of a list, and a client can begin that list with whatever
it likes. So the list is read from its end, for as long as the addresses are proxies of the operator's.

| the request came from | its list of addresses                    | the client is                                     |
|-----------------------|------------------------------------------|---------------------------------------------------|
| anybody else          | is not read                              | who it came from                                  |
| one of our proxies    | is empty                                 | that proxy                                        |
| one of our proxies    | ends with one that is no proxy of ours   | that one                                          |
| one of our proxies    | has only proxies of ours                 | the first of them                                 |
| one of our proxies    | has one that can't be read before that   | the proxy that added it: the last that is known   |
| one of our proxies    | stands in two headers, which differ      | that proxy: a client may have written one of them |

The headers are X-Forwarded-For, and Forwarded (RFC 7239).
"""

import ipaddress
from collections.abc import Sequence

from bot.domain.errors import SettingFault

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(value: object) -> object:
    """Return the networks that a setting names, with commas between them; an address is a network of one."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(_parse_network(part, number, len(parts)) for number, part in enumerate(parts, start=1))


def _parse_network(part: str, number: int, total: int) -> Network:
    facts = {"number": number, "total": total}
    try:
        network = ipaddress.ip_network(part)
    except ValueError:
        raise ValueError(SettingFault.NOT_A_NETWORK, facts) from None
    if network.prefixlen == 0:
        raise ValueError(SettingFault.TRUSTS_EVERYBODY, facts)
    return network


def find_client(peer: str, lists: Sequence[Sequence[str]], proxies: Sequence[Network]) -> str:
    """Return the client's address, by the address that the request came from and the list of each header."""
    address = _read_address(peer)
    if address is None or not _is_proxy(address, proxies):
        return peer
    found = {_walk(address, hops, proxies) for hops in lists if hops}
    return str(found.pop() if len(found) == 1 else address)


def _walk(proxy: Address, hops: Sequence[str], proxies: Sequence[Network]) -> Address:
    known = proxy
    for hop in reversed(hops):
        address = _read_address(hop)
        if address is None:
            return known
        known = address
        if not _is_proxy(address, proxies):
            return known
    return known


def _is_proxy(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)


def _read_address(text: str) -> Address | None:
    """Read an address with or without its port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80."""
    host = text.strip().strip('"')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    # ::ffff:192.0.2.1, where a server listens on both protocols
    return getattr(address, "ipv4_mapped", None) or address
