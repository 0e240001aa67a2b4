"""What API v1's documents mean, from answers in Patreon's shape."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.domain.charge_status import ChargeStatus
from bot.domain.errors import PatreonUnavailable
from bot.domain.model import (
    NO_STATUS,
    Campaign,
    CampaignId,
    DiscordUserId,
    Membership,
    PatreonUserId,
    Source,
    Tier,
    TierId,
)
from bot.domain.patron_status import PatronStatus
from bot.patreon.protocol.documents_v1 import read_campaigns, read_identity, read_page
from bot.patreon.protocol.pages import PageAnswer, PagePlace

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED)
GOLD = Tier(campaign_id=CampaignId("700"), tier_id=TierId("5001"), title="Gold", amount_cents=500)
ACTIVE, DECLINED = PatronStatus.ACTIVE, PatronStatus.DECLINED


@pytest.fixture
def page(sample: Any) -> Any:
    def read(case: str, seen: frozenset[str] = frozenset()) -> PageAnswer:
        return read_page(sample(case).body, msgspec.structs.replace(PLACE, seen=seen))

    return read


def test_a_pledge_is_read_as_a_membership(page: Any) -> None:
    assert page("v1_pledges_first_page").page.memberships[0] == Membership(
        campaign_id=CampaignId("700"),
        patreon_user_id=PatreonUserId("9001"),
        full_name="Ada Patron",
        patron_status=ACTIVE,
        charge_status=ChargeStatus.PAID,
        tier_ids=(TierId("5001"),),
        entitled_cents=500,
        lifetime_cents=4000,
        pledge_started_at=datetime(2026, 3, 1, 21, 28, 6, 670910, tzinfo=UTC),
        discord_user_id=DiscordUserId(200000000000000001),
        source=Source.BULK,
        read_started_at=STARTED,
    )


@pytest.mark.parametrize(("currency", "cents"), [("USD", 500), ("INR", None), ("EUR", None)])
def test_an_amount_in_another_currency_cannot_be_compared(sample: Any, currency: str, cents: int | None) -> None:
    body = sample("v1_pledges_first_page").body
    told = body.replace(b'"amount_cents": 500', f'"amount_cents": 500, "currency": "{currency}"'.encode(), 1)
    assert told != body
    place = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED)
    pledge = read_page(told, place).page.memberships[0]
    assert (pledge.entitled_cents, pledge.tier_ids) == (cents, (TierId("5001"),))


def test_a_page_tells_its_total_its_tiers_and_the_cursor_of_the_next(page: Any) -> None:
    answer = page("v1_pledges_first_page")
    assert (answer.page.total, answer.page.rows, answer.page.tiers) == (3, 2, (GOLD,))
    assert answer.cursor == "2026-04-10T00:12:57.670910+00:00"


def test_the_row_that_the_cursor_repeats_is_dropped_and_not_counted(page: Any) -> None:
    answer = page("v1_pledges_last_page", frozenset({"61", "62"}))
    assert [m.patreon_user_id for m in answer.page.memberships] == ["9003"]
    assert (answer.page.rows, answer.page.row_ids, answer.cursor) == (1, ("63",), None)


def test_a_pledge_without_reward_is_entitled_to_no_tier(page: Any) -> None:
    patron = page("v1_pledges_last_page").page.memberships[1]
    assert (patron.patron_status, patron.tier_ids, patron.entitled_cents) == (ACTIVE, (), 500)


def test_built_in_rewards_are_no_tiers(page: Any) -> None:
    assert page("v1_pledges_last_page").page.tiers == ()
    everyone, patrons_only = page("v1_pledges_standings").page.memberships[-2:]
    assert (everyone.tier_ids, patrons_only.tier_ids) == ((), ())


def test_every_standing_is_told_apart(page: Any) -> None:
    declined_at = datetime(2026, 10, 1, 7, 28, 6, tzinfo=UTC)
    told = [
        (m.patron_status, m.charge_status, m.declined_since, m.unknown_words)
        for m in page("v1_pledges_standings").page.memberships
    ]
    assert told == [
        (DECLINED, ChargeStatus.DECLINED, declined_at, ()),
        (DECLINED, ChargeStatus.DECLINED, None, ()),
        (DECLINED, ChargeStatus.DECLINED, None, ()),  # a date that cannot be read still says so
        (ACTIVE, ChargeStatus.PENDING, None, ()),
        (ACTIVE, ChargeStatus.NEVER, None, ()),
        (ACTIVE, ChargeStatus.OTHER, None, ()),
        (ACTIVE, ChargeStatus.FRAUD, None, ()),
        (ACTIVE, ChargeStatus.PAID, None, ()),
        (ACTIVE, ChargeStatus.PAID, None, ()),
    ]


@pytest.mark.parametrize(
    ("word", "charge", "unknown"),
    [("queued", ChargeStatus.PENDING, ()), ("limbo", ChargeStatus.UNKNOWN, ("limbo",))],
)
def test_a_status_that_is_documented_is_no_unknown_word(
    sample: Any, word: str, charge: ChargeStatus, unknown: tuple[str, ...]
) -> None:
    document = json.loads(sample("v1_pledges_first_page").body)
    document["data"][0]["attributes"]["status"] = word
    pledge = read_page(json.dumps(document).encode(), PLACE).page.memberships[0]
    assert (pledge.patron_status, pledge.charge_status, pledge.unknown_words) == (ACTIVE, charge, unknown)


def test_odd_rows_cost_only_themselves(page: Any) -> None:
    answer = page("v1_pledges_odd_rows")
    untold, dated = answer.page.memberships
    assert (untold.patron_status, untold.unknown_words, untold.entitled_cents) == (
        PatronStatus.UNKNOWN,
        (NO_STATUS,),
        500,
    )
    assert dated.declined_since == datetime(2026, 10, 1, tzinfo=UTC)
    assert (dated.pledge_started_at, dated.lifetime_cents) == (datetime(2026, 3, 1, tzinfo=UTC), 4000)
    assert dated.discord_user_id is None
    assert (answer.page.rows, answer.page.unattributed, answer.page.total) == (5, 3, 5)
    assert answer.page.tiers == ()


@pytest.mark.parametrize("case", ["v1_pledges_without_list", "broken_json", "v1_campaigns_without_list"])
def test_an_answer_without_a_list_is_an_error_and_no_empty_campaign(page: Any, case: str) -> None:
    with pytest.raises(PatreonUnavailable):
        page(case)


def test_an_identitys_pledges_name_their_campaign_through_reward_creator_or_campaign(sample: Any) -> None:
    identity = read_identity(sample("v1_identity").body, read_started_at=STARTED)
    assert (identity.patreon_user_id, identity.full_name) == ("9001", "Ada Patron")
    assert identity.discord_user_id == 200000000000000001
    told = [(m.campaign_id, m.tier_ids, m.patron_status, m.source, m.full_name) for m in identity.memberships]
    assert told == [
        ("700", ("5001",), ACTIVE, Source.IDENTITY, "Ada Patron"),
        ("701", (), ACTIVE, Source.IDENTITY, "Ada Patron"),
        ("702", (), ACTIVE, Source.IDENTITY, "Ada Patron"),
        ("703", (), DECLINED, Source.IDENTITY, "Ada Patron"),
    ]
    tiers = [(one.campaign_id, one.tier_id, one.title, one.amount_cents) for one in identity.tiers]
    assert tiers == [("700", "5001", "Gold", 500)]


@pytest.mark.parametrize("case", ["v1_identity_without_pledges", "v1_identity_null_pledges"])
def test_an_identity_may_have_no_pledge(sample: Any, case: str) -> None:
    assert read_identity(sample(case).body, read_started_at=STARTED).memberships == ()


def test_pledges_that_only_stand_beside_the_user_are_read(sample: Any) -> None:
    identity = read_identity(sample("v1_identity_relation_missing_but_included").body, read_started_at=STARTED)
    assert [m.campaign_id for m in identity.memberships] == ["700"]


@pytest.mark.parametrize(
    "case",
    [
        "v1_identity_pledge_without_campaign",
        "v1_identity_pledge_not_included",
        "v1_identity_relation_missing",
        "v1_identity_without_user",
    ],
)
def test_an_identity_with_a_gap_is_an_error_not_no_patron(sample: Any, case: str) -> None:
    with pytest.raises(PatreonUnavailable):
        read_identity(sample(case).body, read_started_at=STARTED)


def test_campaigns_come_with_their_rewards_as_tiers(sample: Any) -> None:
    assert read_campaigns(sample("v1_campaigns").body) == (
        Campaign(
            campaign_id=CampaignId("700"),
            name="stories",
            creator_user_id=PatreonUserId("8001"),
            tiers=(GOLD,),
        ),
        Campaign(campaign_id=CampaignId("701"), name="Cleo Creator", creator_user_id=PatreonUserId("8001")),
        Campaign(campaign_id=CampaignId("702"), name="702"),
    )


def test_a_reward_names_the_roles_that_patreons_bot_gives_for_it(sample: Any) -> None:
    body = sample("v1_campaigns").body.replace(b'"Gold"', b'"Gold", "discord_role_ids": ["32", "31"]', 1)
    assert [tier.discord_role_ids for tier in read_campaigns(body)[0].tiers] == [(31, 32)]


def test_campaigns_without_a_list_are_an_error(sample: Any) -> None:
    with pytest.raises(PatreonUnavailable):
        read_campaigns(sample("v1_campaigns_without_list").body)


@pytest.mark.parametrize(
    ("part", "name", "value", "unread"),
    [
        ("relationships", "reward", None, ("reward",)),
        ("relationships", "reward", {}, ("reward",)),
        ("relationships", "reward", {"data": "5001"}, ("reward",)),
        ("relationships", "reward", {"data": {"type": "reward"}}, ("reward",)),
        ("relationships", "reward", {"data": None}, ()),
        ("attributes", "amount_cents", "much", ("amount_cents",)),
        ("attributes", "amount_cents", -500, ("amount_cents",)),
        ("attributes", "currency", ["USD"], ("currency",)),
        ("attributes", "declined_since", [], ("declined_since",)),
        ("attributes", "declined_since", "9999-12-31T23:59:59-23:59", ()),
    ],
)
def test_what_cannot_be_read_of_a_pledge_is_named(
    sample: Any, part: str, name: str, value: Any, unread: tuple[str, ...]
) -> None:
    document = json.loads(sample("v1_pledges_first_page").body)
    document["data"][0][part][name] = value
    place = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED)
    first, second = read_page(json.dumps(document).encode(), place).page.memberships
    assert (first.unread, second.unread) == (unread, ())
    assert first.declined_since is None
    if name in {"amount_cents", "currency"}:
        assert first.entitled_cents is None


@pytest.mark.parametrize(
    "relation",
    [
        pytest.param({"campaign": {"data": {"type": "campaign", "id": "701"}}}, id="of another campaign"),
        pytest.param({"patron": {"data": {"type": "address", "id": "9001"}}}, id="of something that is no user"),
    ],
)
def test_a_row_that_is_none_of_ours_is_nobodys(sample: Any, relation: dict[str, Any]) -> None:
    document = json.loads(sample("v1_pledges_first_page").body)
    document["data"][0]["relationships"] |= relation
    page = read_page(json.dumps(document).encode(), PLACE).page
    assert "9001" not in [one.patreon_user_id for one in page.memberships]
    assert (page.unattributed, page.rows) == (1, len(document["data"]))


def test_a_row_that_names_our_campaign_is_read_as_one_that_names_none(sample: Any) -> None:
    document = json.loads(sample("v1_pledges_first_page").body)
    document["data"][0]["relationships"]["campaign"] = {"data": {"type": "campaign", "id": "700"}}
    del document["data"][0]["relationships"]["patron"]["data"]["type"]
    assert read_page(json.dumps(document).encode(), PLACE) == read_page(sample("v1_pledges_first_page").body, PLACE)


def test_what_is_no_reward_is_none_and_leaves_it_in_doubt(sample: Any) -> None:
    document = json.loads(sample("v1_pledges_first_page").body)
    document["data"][0]["relationships"]["reward"]["data"]["type"] = "goal"
    pledge = read_page(json.dumps(document).encode(), PLACE).page.memberships[0]
    assert (pledge.tier_ids, pledge.unread) == ((), ("reward",))
