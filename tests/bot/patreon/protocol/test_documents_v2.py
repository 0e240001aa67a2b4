"""What API v2's documents mean, from answers in Patreon's shape."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.charge_status import ChargeStatus
from bot.domain.entitlement import Entitlement, Standing, entitle
from bot.domain.errors import PatreonUnavailable
from bot.domain.model import (
    NO_STATUS,
    CampaignId,
    DiscordUserId,
    Membership,
    MembershipId,
    PatreonUserId,
    Source,
    Tier,
    TierId,
)
from bot.domain.new_reading import take_reading
from bot.domain.patron_status import PatronStatus
from bot.patreon.protocol.documents_v2 import read_identity, read_member, read_page
from bot.patreon.protocol.pages import PageAnswer, PagePlace
from bot.patreon.protocol.requests_v2 import identity_request, member_request, page_request

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED)
GOLD = Tier(campaign_id=CampaignId("700"), tier_id=TierId("5001"), title="Gold", amount_cents=500)
SILVER = Tier(campaign_id=CampaignId("700"), tier_id=TierId("5002"), title="Silver", amount_cents=200)


@pytest.fixture
def page(sample: Any) -> Any:
    def read(case: str) -> PageAnswer:
        return read_page(sample(case).body, PLACE)

    return read


def only(answer: PageAnswer) -> Membership:
    (membership,) = answer.page.memberships
    return membership


def test_a_member_is_read_with_all_that_was_asked_for(page: Any) -> None:
    assert page("v2_members_first_page").page.memberships[0] == Membership(
        campaign_id=CampaignId("700"),
        patreon_user_id=PatreonUserId("9001"),
        membership_id=MembershipId("00000000-0000-4000-8000-000000000001"),
        full_name="Patron 1",
        patron_status=PatronStatus.ACTIVE,
        charge_status=ChargeStatus.PAID,
        tier_ids=(TierId("5001"),),
        entitled_cents=500,
        lifetime_cents=4000,
        pledge_started_at=datetime(2026, 3, 1, 21, 28, 6, tzinfo=UTC),
        last_charge_at=datetime(2026, 10, 1, 7, 28, 6, 123000, tzinfo=UTC),
        next_charge_at=datetime(2026, 11, 1, 7, 28, 6, tzinfo=UTC),
        cadence_months=1,
        discord_user_id=DiscordUserId(200000000000000001),
        source=Source.BULK,
        read_started_at=STARTED,
    )


def test_a_page_tells_its_place_its_tiers_and_the_way_on(page: Any) -> None:
    answer = page("v2_members_first_page")
    assert (answer.page.total, answer.page.rows, answer.page.unattributed) == (3, 2, 0)
    assert answer.page.tiers == (GOLD, SILVER)
    assert answer.cursor == "bmV4dA=="
    assert set(answer.page.row_ids) == {f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2)}


def test_tiers_are_sorted_for_patreons_order_is_not_stable(page: Any) -> None:
    assert page("v2_members_first_page").page.memberships[1].tier_ids == ("5001", "5002")


@pytest.mark.parametrize("case", ["v2_members_last_page", "v2_members_cursors_absent", "v2_members_no_meta"])
def test_a_list_ends_where_no_cursor_is_named(page: Any, case: str) -> None:
    assert page(case).cursor is None


def test_a_cursor_named_only_in_the_links_is_found(page: Any) -> None:
    assert page("v2_members_cursor_in_links").cursor == "c+d="


def test_a_page_without_meta_names_no_total(page: Any) -> None:
    assert page("v2_members_no_meta").page.total is None


def test_every_standing_is_told_apart(page: Any) -> None:
    told = [
        (m.patron_status, m.charge_status, m.tier_ids, m.entitled_cents, m.is_gifted, m.is_free_trial, m.cadence_months)
        for m in page("v2_members_standings").page.memberships
    ]
    active, paid = PatronStatus.ACTIVE, ChargeStatus.PAID
    assert told == [
        (PatronStatus.NEVER, ChargeStatus.NEVER, ("5000",), 0, False, False, None),
        (active, ChargeStatus.NEVER, ("5001",), 0, True, False, 1),
        (active, ChargeStatus.FREE_TRIAL, ("5001",), 0, False, True, 1),
        (active, paid, ("5001",), 500, False, False, 12),
        (PatronStatus.FORMER, ChargeStatus.REFUNDED_BY_PATREON, (), 0, False, False, 1),
        (active, ChargeStatus.PENDING, ("5001",), 500, False, False, 1),
        (active, ChargeStatus.PARTIALLY_REFUNDED, ("5001",), 500, False, False, 1),
    ]
    assert not any(m.unknown_words for m in page("v2_members_standings").page.memberships)


def test_null_or_missing_tiers_are_no_tier_and_no_error(page: Any) -> None:
    tiers = [m.tier_ids for m in page("v2_members_null_and_missing_tiers").page.memberships]
    assert tiers == [(), (), (), ("5001",)]


def test_rows_without_a_user_are_counted_and_the_others_read(page: Any) -> None:
    answer = page("v2_members_without_user")
    assert [m.patreon_user_id for m in answer.page.memberships] == ["9005"]
    assert (answer.page.rows, answer.page.unattributed) == (5, 4)
    assert len(set(answer.page.row_ids)) == 5


def test_a_user_who_is_not_included_is_a_member_without_discord(page: Any) -> None:
    members = page("v2_members_users_missing_in_included").page.memberships
    assert [(m.patreon_user_id, m.discord_user_id) for m in members] == [("9001", None), ("9002", None), ("9003", None)]


def test_unknown_words_are_reported_as_sent(page: Any) -> None:
    told = [
        (m.patron_status, m.charge_status, m.unknown_words) for m in page("v2_members_unknown_words").page.memberships
    ]
    assert told == [
        (PatronStatus.UNKNOWN, ChargeStatus.PAID, ("paused_patron",)),
        (PatronStatus.ACTIVE, ChargeStatus.UNKNOWN, ("Charged Back",)),
        (PatronStatus.UNKNOWN, ChargeStatus.UNKNOWN, ("", "")),
    ]


def test_a_member_whose_attributes_did_not_come_is_unknown_not_former(page: Any) -> None:
    for member in page("v2_members_without_attributes").page.memberships:
        assert (member.patron_status, member.charge_status) == (PatronStatus.UNKNOWN, ChargeStatus.UNKNOWN)
        assert member.unknown_words == (NO_STATUS, NO_STATUS)


def test_a_bad_date_costs_only_itself(page: Any) -> None:
    first, second = page("v2_members_bad_dates").page.memberships
    assert first.last_charge_at is None
    assert first.next_charge_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert first.pledge_started_at == datetime(2026, 3, 1, 21, 28, 6, tzinfo=UTC)
    assert (first.patron_status, first.tier_ids, first.entitled_cents) == (PatronStatus.ACTIVE, ("5001",), 500)
    assert second.next_charge_at == datetime(2026, 11, 1, 7, 28, 6, tzinfo=UTC)


def test_numbers_as_strings_and_strings_as_numbers_are_read(page: Any) -> None:
    answer = page("v2_members_numbers_as_strings")
    first, second = answer.page.memberships
    assert (first.entitled_cents, first.lifetime_cents, first.cadence_months, first.is_gifted) == (500, 4000, 12, True)
    assert first.discord_user_id == 200000000000000001
    assert (second.patreon_user_id, second.full_name, second.entitled_cents) == ("9002", "42", None)
    assert (second.tier_ids, second.discord_user_id) == (("5001",), 200000000000000002)
    assert (answer.page.total, answer.page.tiers) == (2, (GOLD,))


def test_rows_that_are_no_members_hide_nobody(page: Any) -> None:
    answer = page("v2_members_broken_rows")
    assert (answer.page.rows, answer.page.unattributed) == (3, 2)
    member = only(answer)
    assert (member.full_name, member.tier_ids, member.discord_user_id) == ("", ("5002",), None)


def test_a_tier_without_its_amount_does_not_pass_for_the_free_tier(page: Any) -> None:
    assert page("v2_members_broken_rows").page.tiers == (GOLD,)


@pytest.mark.parametrize("case", ["v2_members_without_list", "broken_json", "html_with_200", "v2_member"])
def test_an_answer_without_a_list_is_an_error_and_no_empty_campaign(page: Any, case: str) -> None:
    with pytest.raises(PatreonUnavailable):
        page(case)


def test_endlessly_nested_json_is_an_error(page: Any) -> None:
    for body in (b'{"data":' + b"[" * 200_000, b'{"data":{"a":' + b"[" * 200_000, b'{"data":"\xff"}'):
        with pytest.raises(PatreonUnavailable):
            read_page(body, PLACE)


def test_an_identity_brings_all_memberships_those_of_other_campaigns_too(sample: Any) -> None:
    identity = read_identity(sample("v2_identity").body, read_started_at=STARTED)
    assert (identity.patreon_user_id, identity.full_name) == ("9001", "Ada Patron")
    assert identity.discord_user_id == 200000000000000001
    told = [(m.campaign_id, m.patreon_user_id, m.patron_status, m.tier_ids, m.source) for m in identity.memberships]
    assert told == [
        ("700", "9001", PatronStatus.ACTIVE, ("5001",), Source.IDENTITY),
        ("701", "9001", PatronStatus.FORMER, (), Source.IDENTITY),
    ]
    assert {m.discord_user_id for m in identity.memberships} == {200000000000000001}
    tiers = [(one.campaign_id, one.tier_id, one.title, one.amount_cents) for one in identity.tiers]
    assert tiers == [("700", "5001", "Gold", 500)]


@pytest.mark.parametrize("case", ["v2_identity_without_memberships", "v2_identity_null_memberships"])
def test_an_identity_may_have_no_membership(sample: Any, case: str) -> None:
    assert read_identity(sample(case).body, read_started_at=STARTED).memberships == ()


def test_memberships_that_only_stand_beside_the_user_are_read(sample: Any) -> None:
    identity = read_identity(sample("v2_identity_relation_missing_but_included").body, read_started_at=STARTED)
    assert [m.campaign_id for m in identity.memberships] == ["700"]


@pytest.mark.parametrize(
    "case",
    [
        "v2_identity_membership_without_campaign",
        "v2_identity_membership_not_included",
        "v2_identity_relation_missing",
        "v2_identity_without_user",
    ],
)
def test_an_identity_with_a_gap_is_an_error_not_no_patron(sample: Any, case: str) -> None:
    with pytest.raises(PatreonUnavailable):
        read_identity(sample(case).body, read_started_at=STARTED)


def test_one_member_names_its_campaign_and_its_user(sample: Any) -> None:
    member = read_member(sample("v2_member").body, read_started_at=STARTED)
    assert (member.campaign_id, member.patreon_user_id, member.source) == ("700", "9001", Source.MEMBER)
    assert (member.discord_user_id, member.read_started_at) == (200000000000000001, STARTED)


@pytest.mark.parametrize("case", ["v2_member_without_user", "v2_member_without_campaign", "v2_members_without_list"])
def test_one_member_without_user_or_campaign_is_an_error(sample: Any, case: str) -> None:
    with pytest.raises(PatreonUnavailable):
        read_member(sample(case).body, read_started_at=STARTED)


def month(answer: PageAnswer, number: int) -> Entitlement:
    """Work out what the row's patron is entitled to."""
    (one,) = [one for one in answer.page.memberships if one.patreon_user_id == str(9000 + number)]
    tiers = {tier.tier_id: tier for tier in answer.page.tiers}
    return entitle(take_reading(None, one), tiers=tiers, now=STARTED, grace_days=7)


@pytest.mark.parametrize(
    ("number", "standing", "cents", "tier_ids"),
    [
        pytest.param(1, Standing.ACTIVE, 500, {"5000", "5001"}, id="complimentary"),
        pytest.param(2, Standing.LAPSED, 0, set(), id="cancelled before the first charge"),
        pytest.param(3, Standing.ACTIVE, 500, {"5001"}, id="yearly, with the year's cents"),
        pytest.param(4, Standing.ACTIVE, 500, {"5001"}, id="a gift"),
        pytest.param(5, Standing.ACTIVE, 500, {"5001"}, id="in another currency"),
        pytest.param(6, Standing.ACTIVE, 200, {"5001", "5002"}, id="an upgrade that is over"),
    ],
)
def test_what_money_is_said_of_counts_by_the_month(
    page: Any, number: int, standing: Standing, cents: int, tier_ids: set[str]
) -> None:
    found = month(page("v2_members_money"), number)
    assert (found.standing, found.cents, set(map(str, found.tier_ids))) == (standing, cents, tier_ids)


def test_what_the_next_charge_takes_is_read_and_asked_for(page: Any) -> None:
    charges = {one.patreon_user_id: one.will_pay_cents for one in page("v2_members_money").page.memberships}
    assert (charges[PatreonUserId("9001")], charges[PatreonUserId("9005")]) == (0, 486)
    place = CampaignId("700")
    for request in (identity_request(), page_request(place, None), member_request(MembershipId("m"))):
        assert "will_pay_amount_cents" in dict(request.query)["fields[member]"].split(",")


def test_a_campaign_that_charges_for_each_creation_says_nothing_of_charges(page: Any) -> None:
    answer = page("v2_members_per_creation")
    (tier,) = answer.page.tiers
    assert (tier.title, tier.amount_cents) == ("", 300)
    one = only(answer)
    assert (one.charge_status, one.cadence_months, one.next_charge_at) == (ChargeStatus.NEVER, None, None)
    found = month(answer, 1)
    assert (found.standing, found.cents) == (Standing.ACTIVE, 300)


@pytest.mark.parametrize(
    ("part", "name", "value", "unread"),
    [
        ("relationships", "currently_entitled_tiers", None, ("currently_entitled_tiers",)),
        ("relationships", "currently_entitled_tiers", {}, ("currently_entitled_tiers",)),
        ("relationships", "currently_entitled_tiers", {"data": "5001"}, ("currently_entitled_tiers",)),
        ("relationships", "currently_entitled_tiers", {"data": [None]}, ("currently_entitled_tiers",)),
        ("relationships", "currently_entitled_tiers", {"data": None}, ("currently_entitled_tiers",)),  # beside money
        ("relationships", "currently_entitled_tiers", {"data": []}, ()),
        ("attributes", "currently_entitled_amount_cents", {}, ("currently_entitled_amount_cents",)),
        ("attributes", "is_gifted", "perhaps", ("is_gifted",)),
        ("attributes", "full_name", {}, ()),
        ("attributes", "next_charge_date", 5.5, ()),
        ("attributes", "pledge_relationship_start", "9999-12-31T23:59:59-23:59", ()),
    ],
)
def test_what_cannot_be_read_of_someone_who_cancelled_is_named(
    sample: Any, part: str, name: str, value: Any, unread: tuple[str, ...]
) -> None:
    document = json.loads(sample("v2_members_first_page").body)
    document["data"][0]["attributes"]["patron_status"] = "former_patron"
    document["data"][0][part][name] = value
    first, second = read_page(json.dumps(document).encode(), PLACE).page.memberships
    assert (first.unread, second.unread) == (unread, ())
    assert first.pledge_started_at == (None if "start" in name else second.pledge_started_at)


def test_null_is_no_tier_where_no_money_speaks_against_it(sample: Any) -> None:
    document = json.loads(sample("v2_members_first_page").body)
    document["data"][0]["attributes"] |= {"patron_status": "former_patron", "currently_entitled_amount_cents": 0}
    document["data"][0]["relationships"]["currently_entitled_tiers"] = {"data": None}
    first, _ = read_page(json.dumps(document).encode(), PLACE).page.memberships
    assert (first.tier_ids, first.unread) == ((), ())


def test_one_member_that_does_not_name_itself_is_an_error(sample: Any) -> None:
    document = json.loads(sample("v2_member").body)
    del document["data"]["id"]
    with pytest.raises(PatreonUnavailable):
        read_member(json.dumps(document).encode(), read_started_at=STARTED)


@pytest.mark.parametrize(
    "relation",
    [
        pytest.param({"campaign": {"data": {"type": "campaign", "id": "701"}}}, id="of another campaign"),
        pytest.param({"user": {"data": {"type": "address", "id": "9001"}}}, id="of something that is no user"),
    ],
)
def test_a_row_that_is_none_of_ours_is_nobodys(sample: Any, relation: dict[str, Any]) -> None:
    document = json.loads(sample("v2_members_first_page").body)
    document["data"][0]["relationships"] |= relation
    page = read_page(json.dumps(document).encode(), PLACE).page
    assert "9001" not in [one.patreon_user_id for one in page.memberships]
    assert (page.unattributed, page.rows) == (1, len(document["data"]))


def test_a_row_that_names_our_campaign_is_read_as_one_that_names_none(sample: Any) -> None:
    document = json.loads(sample("v2_members_first_page").body)
    document["data"][0]["relationships"]["campaign"] = {"data": {"type": "campaign", "id": "700"}}
    del document["data"][0]["relationships"]["user"]["data"]["type"]
    assert read_page(json.dumps(document).encode(), PLACE) == read_page(sample("v2_members_first_page").body, PLACE)


@pytest.mark.parametrize("odd", [0, 1])
def test_what_is_no_tier_is_none_and_leaves_the_tiers_in_doubt(sample: Any, odd: int) -> None:
    document = json.loads(sample("v2_members_first_page").body)
    refs = document["data"][odd]["relationships"]["currently_entitled_tiers"]["data"]
    refs[0]["type"] = "benefit"
    member = read_page(json.dumps(document).encode(), PLACE).page.memberships[odd]
    assert refs[0]["id"] not in member.tier_ids
    assert "currently_entitled_tiers" in member.unread
