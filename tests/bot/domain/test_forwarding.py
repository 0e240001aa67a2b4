import ipaddress
from typing import Any

import pytest

from bot.domain.errors import SettingFault
from bot.domain.forwarding import find_client, parse_networks

PROXIES = tuple(map(ipaddress.ip_network, ("10.0.0.0/24", "2001:db8:1::/48", "127.0.0.1/32")))
PROXY, CLIENT, LIE = "10.0.0.1", "203.0.113.7", "198.51.100.9"


@pytest.mark.parametrize(
    ("peer", "hops", "client"),
    [
        pytest.param(CLIENT, [], CLIENT, id="no proxy"),
        pytest.param(CLIENT, [LIE], CLIENT, id="a stranger's list is not read"),
        pytest.param("", [LIE], "", id="nobody knows who asks"),
        pytest.param(PROXY, [], PROXY, id="a proxy asks for itself"),
        pytest.param(PROXY, [CLIENT], CLIENT, id="one proxy"),
        pytest.param(PROXY, [CLIENT, "10.0.0.2"], CLIENT, id="two proxies"),
        pytest.param(PROXY, [LIE, CLIENT], CLIENT, id="a client began the list"),
        pytest.param(PROXY, ["10.0.0.2", CLIENT, "10.0.0.3"], CLIENT, id="... with a proxy of ours"),
        pytest.param(PROXY, ["127.0.0.1", "10.0.0.2"], "127.0.0.1", id="proxies alone"),
        pytest.param(PROXY, [CLIENT, "unknown"], PROXY, id="the proxy knows nobody"),
        pytest.param(PROXY, [CLIENT, "_hidden", "10.0.0.2"], "10.0.0.2", id="the proxy before it knows nobody"),
        pytest.param(PROXY, [CLIENT, ""], PROXY, id="an empty place"),
        pytest.param(PROXY, [f" {CLIENT}\t"], CLIENT, id="blanks"),
        pytest.param(PROXY, [f"{CLIENT}:4711"], CLIENT, id="with its port"),
        pytest.param(PROXY, ["2001:db8::7"], "2001:db8::7", id="IPv6"),
        pytest.param(PROXY, ["[2001:db8::7]"], "2001:db8::7", id="IPv6 in brackets"),
        pytest.param(PROXY, ['"[2001:db8::7]:4711"'], "2001:db8::7", id="IPv6 with its port, quoted"),
        pytest.param("2001:db8:1::1", [CLIENT], CLIENT, id="a proxy by IPv6"),
        pytest.param("::ffff:10.0.0.1", [CLIENT], CLIENT, id="a proxy by IPv4 within IPv6"),
        pytest.param(PROXY, ["::ffff:203.0.113.7"], CLIENT, id="a client by IPv4 within IPv6"),
        pytest.param(PROXY, ["2001:DB8:0:0::7"], "2001:db8::7", id="one address has one spelling"),
    ],
)
def test_a_client_is_who_our_own_proxies_say_it_is(peer: str, hops: list[str], client: str) -> None:
    assert find_client(peer, [hops], PROXIES) == client
    assert find_client(peer, [hops, []], PROXIES) == client
    assert find_client(peer, [hops, hops], PROXIES) == client


def test_two_headers_that_differ_are_both_not_believed() -> None:
    assert find_client(PROXY, [[CLIENT], [LIE]], PROXIES) == PROXY
    assert find_client(PROXY, [[LIE, CLIENT], [CLIENT]], PROXIES) == CLIENT


def test_without_a_proxy_of_ours_nothing_is_believed() -> None:
    assert find_client(PROXY, [[CLIENT]], ()) == PROXY


@pytest.mark.parametrize(
    ("value", "networks"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1/32",)),
        (" 10.0.0.0/24 , ::1,", ("10.0.0.0/24", "::1/128")),
    ],
)
def test_networks_are_named_with_commas_between_them(value: str, networks: tuple[str, ...]) -> None:
    assert parse_networks(value) == tuple(map(ipaddress.ip_network, networks))


def test_what_is_no_text_is_left_as_it_is() -> None:
    assert parse_networks(PROXIES) is PROXIES
    assert parse_networks(None) is None


@pytest.mark.parametrize(
    ("value", "fault", "number"),
    [
        ("proxy.example", SettingFault.NOT_A_NETWORK, 1),
        ("127.0.0.1,10.0.0.1/24", SettingFault.NOT_A_NETWORK, 2),
        ("127.0.0.1,0.0.0.0/0", SettingFault.TRUSTS_EVERYBODY, 2),
        ("::/0,127.0.0.1", SettingFault.TRUSTS_EVERYBODY, 1),
    ],
)
def test_a_part_that_is_no_network_or_everybody_s_is_refused(value: str, fault: SettingFault, number: int) -> None:
    with pytest.raises(ValueError, match=fault) as refused:
        parse_networks(value)
    facts: dict[str, Any] = refused.value.args[1]
    assert facts == {"number": number, "total": value.count(",") + 1}
