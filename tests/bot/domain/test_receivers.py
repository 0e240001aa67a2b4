"""Which addresses we send to: as they are written, and by where their names lead."""

import pytest

from bot.domain.receivers import (
    MOST_LETTERS,
    ReceiverFault,
    ReceiverRefused,
    is_public,
    is_same_place,
    is_this_machine,
    place_of,
    read_receiver,
)

F = ReceiverFault
WRITTEN = [
    # no web address, or none that is read in one way only
    ("", F.UNREADABLE),
    ("example.com/webhooks", F.UNREADABLE),
    ("https://", F.UNREADABLE),
    ("https:///webhooks", F.UNREADABLE),
    ("https://example.com:0/", F.UNREADABLE),
    ("https://example.com:65536/", F.UNREADABLE),
    ("https://example.com:http/", F.UNREADABLE),
    ("https://exa mple.com/", F.UNREADABLE),
    ("https://example.com/\x00", F.UNREADABLE),
    ("https://example.com/a\r\nHost: evil", F.UNREADABLE),
    ("https://example.com\\@127.0.0.1/", F.UNREADABLE),
    ("https://example.com/#@127.0.0.1", F.UNREADABLE),
    ("https://example.com./", F.UNREADABLE),
    ("https://-example.com/", F.UNREADABLE),
    ("https://exa_mple.com/", F.UNREADABLE),
    ("https://ex%61mple.com/", F.UNREADABLE),
    ("https://example..com/", F.UNREADABLE),
    ("https://" + ".".join(["a" * 63] * 4) + ".com/", F.UNREADABLE),
    ("https://[::1/", F.UNREADABLE),
    ("https://example.com/ü", F.UNREADABLE),
    ("https://example.com/?q=" + "a" * MOST_LETTERS, F.TOO_LONG),
    # another scheme
    ("http://example.com/", F.NOT_HTTPS),
    ("ftp://example.com/", F.NOT_HTTPS),
    ("gopher://example.com/", F.NOT_HTTPS),
    ("unix://localhost/", F.NOT_HTTPS),
    # a login
    ("https://user:password@example.com/", F.HAS_LOGIN),
    ("https://example.com@127.0.0.1/", F.HAS_LOGIN),
    ("https://@example.com/", F.HAS_LOGIN),
    # IP addresses, however they are written
    ("https://127.0.0.1/", F.IS_NUMBER),
    ("https://93.184.216.34/", F.IS_NUMBER),
    ("https://127.1/", F.IS_NUMBER),
    ("https://2130706433/", F.IS_NUMBER),
    ("https://0x7f000001/", F.IS_NUMBER),
    ("https://0X7F.0.0.0x1/", F.IS_NUMBER),
    ("https://0x/", F.IS_NUMBER),
    ("https://0177.0.0.01/", F.IS_NUMBER),
    ("https://127.0.0.1./", F.IS_NUMBER),
    ("https://%31%32%37.0.0.1/", F.IS_NUMBER),
    ("https://169.254.169.254/latest/meta-data/", F.IS_NUMBER),
    ("https://[::1]/", F.IS_NUMBER),
    ("https://[::ffff:127.0.0.1]/", F.IS_NUMBER),
    ("https://[2606:2800:220:1::1]:8443/", F.IS_NUMBER),
    # letters that programs turn into others
    ("https://straße.de/", F.NOT_ASCII),
    ("https://ｅxample.com/", F.NOT_ASCII),  # noqa: RUF001  full width, on purpose
    ("https://example。com/", F.NOT_ASCII),
    # names that are never the internet's
    ("https://localhost/", F.NOT_PUBLIC),
    ("https://LOCALHOST:443/", F.NOT_PUBLIC),
    ("https://localhost./", F.NOT_PUBLIC),
    ("https://bot.localhost/", F.NOT_PUBLIC),
    ("https://metadata.google.internal/", F.NOT_PUBLIC),
    ("https://metadata/", F.NOT_PUBLIC),
    ("https://postgres:5432/", F.NOT_PUBLIC),
    ("https://printer.local/", F.NOT_PUBLIC),
    ("https://router.lan/", F.NOT_PUBLIC),
    ("https://nas.home.arpa/", F.NOT_PUBLIC),
    ("https://1.0.0.127.in-addr.arpa/", F.NOT_PUBLIC),
    ("https://hidden.onion/", F.NOT_PUBLIC),
    # ports of something else
    ("https://example.com:22/", F.ODD_PORT),
    ("https://example.com:25/", F.ODD_PORT),
    ("https://example.com:80/", F.ODD_PORT),
]
NOT_PUBLIC = [
    # IPv4
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # metadata of a cloud
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # the machine's own host in a cloud
    "169.254.169.254",  # metadata of most clouds
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",  # metadata of a cloud
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    # IPv6
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of a cloud
    "fe80::1",
    "fe80::1%eth0",
    "2606:2800:220:1::1%eth0",
    "fec0::1",
    "ff02::1",
    # none at all
    "",
    "localhost",
    "0x7f.1",
    "127.1",
    "2130706433",
]


@pytest.mark.parametrize(("typed", "fault"), WRITTEN)
def test_an_address_that_is_not_for_us_is_refused_as_it_is_written(typed: str, fault: ReceiverFault) -> None:
    with pytest.raises(ReceiverRefused) as refused:
        read_receiver(typed)
    assert refused.value.fault is fault


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_number_that_is_not_the_open_internets_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "172.32.0.1", "2606:2800:220:1::1", "2a00:1450::8a"])
def test_a_number_of_the_open_internet_is_taken(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("https://example.com", "https://example.com/"),
        (" https://Example.COM/Path?key=Value ", "https://example.com/Path?key=Value"),
        ("HTTPS://example.com:443/", "https://example.com:443/"),
        ("https://hooks.xn--strae-oqa.de:8443/a", "https://hooks.xn--strae-oqa.de:8443/a"),
        ("https://1.example.com/", "https://1.example.com/"),
    ],
)
def test_an_address_of_the_internet_is_taken_and_written_in_one_way(typed: str, taken: str) -> None:
    assert read_receiver(typed) == taken


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("http://127.0.0.1:8000/in", "http://127.0.0.1:8000/in"),
        ("http://localhost:80", "http://localhost:80/"),
        ("https://[::1]:8443/", "https://[::1]:8443/"),
        ("https://example.com/", "https://example.com/"),
    ],
)
def test_where_tests_allow_it_this_machine_is_taken(typed: str, taken: str) -> None:
    assert read_receiver(typed, allow_loopback=True) == taken


@pytest.mark.parametrize("typed", ["http://example.com/", "https://10.0.0.1/", "https://metadata.google.internal/"])
def test_even_then_nothing_else_is(typed: str) -> None:
    with pytest.raises(ReceiverRefused):
        read_receiver(typed, allow_loopback=True)


def test_this_machine_is_known_by_its_numbers() -> None:
    assert [is_this_machine(one) for one in ("127.0.0.9", "::1", "10.0.0.1", "localhost")] == [True, True, False, False]


def test_people_see_the_host_alone() -> None:
    assert place_of("https://example.com:8443/secret?key=1") == "example.com:8443"


@pytest.mark.parametrize(
    ("url", "other", "expected"),
    [
        ("https://bot.example.com/", "https://bot.example.com", True),
        ("https://bot.example.com/webhooks/patreon/1", "https://BOT.example.com", True),
        ("https://bot.example.com:443/", "https://bot.example.com", True),
        ("https://bot.example.com:8443/", "https://bot.example.com", False),
        ("https://bot.example.com/", "http://bot.example.com", False),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", True),
        ("https://hooks.example.com/", "https://bot.example.com", False),
        ("https://hooks.example.com/", "", False),
    ],
)
def test_an_address_is_ours_by_its_host_and_port(url: str, other: str, *, expected: bool) -> None:
    assert is_same_place(url, other) is expected
