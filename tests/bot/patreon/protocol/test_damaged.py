"""One damaged value costs itself: a name is mended, half an id is none, and all other rows are read as they came."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.domain.errors import CredentialsDead, PatreonCall, PatreonUnavailable
from bot.domain.model import NO_STATUS, CampaignId, Identity, Secret
from bot.patreon.oauth import read_pair
from bot.patreon.protocol import documents_v1, documents_v2
from bot.patreon.protocol.exchange import Request, Response, decipher, throttled
from bot.patreon.protocol.pages import MembershipPage, PagePlace, read_cursor
from bot.patreon.protocol.webhooks import read_hint, read_webhook
from tests.bot.patreon.served import load

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED)
REQUEST = Request(call=PatreonCall.CAMPAIGNS, path="/", token=Secret("invented"))

DAMAGES = {
    "a lone surrogate, half a pair": rb"\ud83d",
    "the other half": rb"\ude00",
    "a surrogate before an ordinary escape": rb"\ud83d\u0041",
    "a byte that is no UTF-8": b"\xff",
    "a cut sequence": b"\xe2\x82",
    "a surrogate in UTF-8": b"\xed\xa0\xbd",
    "NUL, escaped": rb"\u0000",
    "NUL, bare": b"\x00",
}
damaged = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


def body_of(case: str) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(load(case).body))


def in_text(case: str, text: str, damage: bytes, *, at: int = 0) -> bytes:
    """Return the body with the damage after `text`, where it stands for the `at`-th time."""
    parts = body_of(case).split(f'"{text}"'.encode())
    assert len(parts) > at + 1, f"{text} does not stand there so often"
    whole, quoted = b'"%s"' % text.encode(), b'"%s%s"' % (text.encode(), damage)
    return b"".join(part + (quoted if place == at else whole) for place, part in enumerate(parts[:-1])) + parts[-1]


def page_v2(body: bytes) -> MembershipPage:
    return documents_v2.read_page(body, PLACE).page


def page_v1(body: bytes) -> MembershipPage:
    return documents_v1.read_page(body, PLACE).page


def is_mended(text: str, was: str) -> bool:
    return text.startswith(was) and set(text.removeprefix(was).removesuffix("A")) == {"\ufffd"}


# --- what people are shown ----------------------------------------------------------------------------------------


@damaged
@pytest.mark.parametrize(
    ("read", "case", "name"),
    [
        pytest.param(page_v2, "v2_members_first_page", "Patron 1", id="v2"),
        pytest.param(page_v1, "v1_pledges_first_page", "Ada Patron", id="v1"),
    ],
)
def test_a_damaged_name_of_one_row_is_mended_and_all_rows_count(
    read: Callable[[bytes], MembershipPage], case: str, name: str, damage: bytes
) -> None:
    sound, told = read(body_of(case)), read(in_text(case, name, damage))
    assert is_mended(told.memberships[0].full_name, name)
    assert [msgspec.structs.replace(one, full_name="") for one in told.memberships] == [
        msgspec.structs.replace(one, full_name="") for one in sound.memberships
    ]
    assert (told.total, told.row_ids, told.unattributed, told.tiers) == (sound.total, sound.row_ids, 0, sound.tiers)


@damaged
def test_a_damaged_title_is_mended(damage: bytes) -> None:
    gold, silver = page_v2(in_text("v2_members_first_page", "Gold", damage)).tiers
    assert is_mended(gold.title, "Gold")
    assert silver.title == "Silver"
    (campaign, *_) = documents_v2.read_campaigns(in_text("v2_campaigns", "The Lighthouse", damage))
    assert is_mended(campaign.name, "The Lighthouse")
    assert len(campaign.tiers) == 2
    (v1, *_) = documents_v1.read_campaigns(in_text("v1_campaigns", "Gold", damage))
    assert any(is_mended(tier.title, "Gold") for tier in v1.tiers)


@damaged
def test_an_identity_with_a_damaged_name_is_read(damage: bytes) -> None:
    for read, case in ((documents_v2.read_identity, "v2_identity"), (documents_v1.read_identity, "v1_identity")):
        sound = read(body_of(case), read_started_at=STARTED)
        told: Identity = read(in_text(case, "Ada Patron", damage), read_started_at=STARTED)
        assert is_mended(told.full_name, "Ada Patron")
        assert [one.campaign_id for one in told.memberships] == [one.campaign_id for one in sound.memberships]
        assert told.discord_user_id == sound.discord_user_id


def test_an_endless_name_is_cut() -> None:
    told = page_v2(in_text("v2_members_first_page", "Patron 1", b"a" * 100_000))
    assert len(told.memberships[0].full_name) == 1000
    assert len(told.memberships) == 2


@damaged
def test_damage_in_what_nobody_asked_for_costs_nothing(damage: bytes) -> None:
    body = body_of("v2_members_first_page")
    sound = page_v2(body)
    assert page_v2(body.replace(b'{"data":', b'{"x%s":"%s","data":' % (damage, damage), 1)) == sound


# --- what people are not shown ------------------------------------------------------------------------------------


@damaged
@pytest.mark.parametrize(
    ("case", "text", "at"),
    [
        pytest.param("v2_members_first_page", "00000000-0000-4000-8000-000000000001", 0, id="the row's own id"),
        pytest.param("v2_members_first_page", "9001", 0, id="the user's id"),
    ],
)
def test_a_damaged_id_counts_as_not_sent_and_the_row_as_nobodys(case: str, text: str, at: int, damage: bytes) -> None:
    told, sound = page_v2(in_text(case, text, damage, at=at)), page_v2(body_of(case))
    assert (told.rows, told.unattributed) == (sound.rows, 1)
    assert told.memberships == sound.memberships[1:]


@damaged
def test_a_damaged_tier_id_is_no_tier_and_is_named_as_unread(damage: bytes) -> None:
    first, second = page_v2(in_text("v2_members_first_page", "5001", damage)).memberships
    assert (first.tier_ids, first.unread) == ((), ("currently_entitled_tiers",))
    assert (second.tier_ids, second.unread) == (("5001", "5002"), ())


@damaged
def test_a_damaged_status_is_none_that_we_know(damage: bytes) -> None:
    first, second = page_v2(in_text("v2_members_first_page", "active_patron", damage)).memberships
    assert (first.patron_status, first.unknown_words) == ("?", (NO_STATUS,))
    assert second.patron_status == "active_patron"


@damaged
def test_a_damaged_cursor_is_none(damage: bytes) -> None:
    assert read_cursor(in_text("v2_members_first_page", "bmV4dA==", damage)) is None


@pytest.mark.parametrize("escaped", ["%FF", "a%00b", "%ED%A0%BD"])
def test_a_cursor_that_is_damaged_within_its_link_is_none(escaped: str) -> None:
    assert read_cursor(msgspec.json.encode({"links": {"next": f"/x?page%5Bcursor%5D={escaped}"}})) is None


@pytest.mark.parametrize("text", ["9001", "00000000-0000-4000-8000-000000000001"])
def test_an_id_that_no_service_gives_counts_as_not_sent(text: str) -> None:
    told = page_v2(in_text("v2_members_first_page", text, b"9" * 100_000))
    assert (told.rows, told.unattributed, len(told.memberships)) == (2, 1, 1)
    longest = b"9" * (64 - len(text))
    assert page_v2(in_text("v2_members_first_page", text, longest)).unattributed == 0


def test_a_number_of_thousands_of_digits_costs_itself() -> None:
    body = body_of("v2_members_first_page").replace(
        b'"campaign_lifetime_support_cents":4000', b'"is_gifted":%s' % (b"9" * 9000), 1
    )
    first, second = page_v2(body).memberships
    assert (first.lifetime_cents, first.entitled_cents) == (None, 500)
    assert second.lifetime_cents == 4000


@pytest.mark.parametrize(
    "number", [b"1e400", b"-1e400", b"NaN", b"Infinity", b"1e30", b"2.5", b"-1", b"-500", b"%d" % 2**31]
)
def test_a_number_that_is_no_amount_counts_as_not_sent_and_is_named(number: bytes) -> None:
    body = body_of("v2_members_first_page").replace(
        b'"currently_entitled_amount_cents":500', b'"currently_entitled_amount_cents":' + number, 1
    )
    first, second = page_v2(body).memberships
    assert first.entitled_cents is None
    assert first.unread in ((), ("currently_entitled_amount_cents",)), "JSON knows no NaN: that is as null"
    assert (second.entitled_cents, second.unread) == (500, ())


@pytest.mark.parametrize("nest", [b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000])
@pytest.mark.parametrize("key", [b'"full_name"', b'"patron_status"', b'"never_asked_for"'])
def test_a_value_nested_without_end_costs_itself(key: bytes, nest: bytes) -> None:
    body = body_of("v2_members_first_page").replace(
        b'"full_name":"Patron 1"', b'"note":"a \\" [[{","x":0,%s:%s' % (key, nest), 1
    )
    told = page_v2(body)
    assert (told.rows, len(told.memberships), told.unattributed) == (2, 2, 0)
    assert told.memberships[1] == page_v2(body_of("v2_members_first_page")).memberships[1]


# --- webhooks and tokens ------------------------------------------------------------------------------------------


@damaged
def test_a_damaged_name_in_a_delivery_hides_nobody(damage: bytes) -> None:
    hint = read_hint(in_text("v2_member", "Patron 1", damage))
    assert hint is not None
    assert (hint.patreon_user_id, hint.membership_id) == ("9001", "00000000-0000-4000-8000-000000000001")


@damaged
def test_a_damaged_id_in_a_delivery_names_nobody(damage: bytes) -> None:
    assert read_hint(in_text("v2_member", "00000000-0000-4000-8000-000000000001", damage)) is None
    assert read_hint(in_text("v2_member", "9001", damage)) is None


def test_a_delivery_with_an_endless_id_names_nobody() -> None:
    assert read_hint(in_text("v2_member", "00000000-0000-4000-8000-000000000001", b"a" * 100_000)) is None
    assert read_hint(in_text("v2_member", "9001", b"a" * 100_000)) is None


@damaged
def test_a_damaged_webhook_secret_is_none(damage: bytes) -> None:
    sound = read_webhook(load("v2_webhook").body)
    assert sound.secret is not None
    told = read_webhook(in_text("v2_webhook", sound.secret.reveal(), damage))
    assert (told.secret, told.uri, told.webhook_id) == (None, sound.uri, sound.webhook_id)


def answer(body: bytes, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=body)


@damaged
def test_a_pair_with_damage_beside_it_is_kept(damage: bytes) -> None:
    body = b'{"access_token":"a","refresh_token":"r","expires_in":60,"scope":"identity %s","x%s":"%s"}' % (
        (damage,) * 3
    )
    pair = read_pair(REQUEST, answer(body), asked_at=STARTED)
    assert (pair.access_token.reveal(), pair.refresh_token.reveal()) == ("a", "r")
    assert (pair.expires_at - STARTED).total_seconds() == 60


@damaged
@pytest.mark.parametrize(
    "half", [b'"access_token":"a%s","refresh_token":"r"', b'"access_token":"a","refresh_token":"r%s"']
)
def test_a_damaged_token_counts_as_not_sent(half: bytes, damage: bytes) -> None:
    with pytest.raises(PatreonUnavailable):
        read_pair(REQUEST, answer(b"{" + half % damage + b"}"), asked_at=STARTED)


@pytest.mark.parametrize("token", ["with blank\\n", "t\\u0001", "\\u00e4"])
def test_a_token_that_no_header_can_carry_counts_as_not_sent(token: str) -> None:
    with pytest.raises(PatreonUnavailable):
        read_pair(REQUEST, answer(b'{"access_token":"%s","refresh_token":"r"}' % token.encode()), asked_at=STARTED)


@damaged
def test_a_refusal_with_damage_in_it_is_read(damage: bytes) -> None:
    with pytest.raises(CredentialsDead):
        decipher(REQUEST, answer(b'{"errors":[{"detail":"%s"}]}' % damage, 401))
    body = b'{"errors":[{"detail":"%s","x%s":1,"retry_after_seconds":77}]}' % (damage, damage)
    assert throttled(REQUEST, answer(body, 429)).retry_after_seconds == 77


def test_ordinary_pages_take_the_fast_road(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a page of the ordinary kind was mended")

    monkeypatch.setattr("bot.patreon.protocol.wire.parse", fail)
    for case in ("v2_members_first_page", "v2_members_standings", "v2_members_null_and_missing_tiers"):
        assert page_v2(load(case).body).rows
    assert page_v1(load("v1_pledges_first_page").body).rows
