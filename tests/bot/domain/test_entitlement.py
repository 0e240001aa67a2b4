from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.charge_status import ChargeStatus
from bot.domain.entitlement import Entitlement, Standing, entitle, entitle_unproven, whole_months
from bot.domain.model import CampaignId, MembershipRecord, Memory, Tier, TierId
from bot.domain.new_reading import take_absence, take_reading
from bot.domain.patron_status import PatronStatus
from tests.fakes.world import CAMPAIGN, NEW_YEAR, TIER, reading, tier_map

ALL_CHARGES = list(ChargeStatus)
KEPT_CHARGES = {  # what was charged, or will be, is not taken back
    *(ChargeStatus.PAID, ChargeStatus.PENDING, ChargeStatus.PARTIALLY_REFUNDED, ChargeStatus.FREE_TRIAL),
    *(ChargeStatus.OTHER, ChargeStatus.NEVER, ChargeStatus.UNKNOWN),
}
TAKEN_BACK = [ChargeStatus.REFUNDED, ChargeStatus.REFUNDED_BY_PATREON, ChargeStatus.FRAUD, ChargeStatus.DELETED]
DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
V1: dict[str, Any] = {"membership_id": None}
GOLD = frozenset({TIER["Gold"]})
BRONZE = frozenset({TIER["Bronze"]})
NOTHING: frozenset[TierId] = frozenset()


def days(count: float) -> datetime:
    return NEW_YEAR + timedelta(days=count)


def story(*chapters: dict[str, Any] | None) -> MembershipRecord:
    """Read once a day from NEW_YEAR on; None: a complete read does not list them."""
    record: MembershipRecord | None = None
    for day, facts in enumerate(chapters):
        if facts is None:
            patron = reading().patreon_user_id
            record = take_absence(record, campaign_id=CAMPAIGN, patreon_user_id=patron, read_started_at=days(day))
        else:
            record = take_reading(record, reading(at=days(day), **facts))
    assert record is not None
    return record


def stand(*chapters: dict[str, Any] | None, now: datetime = NEW_YEAR, grace_days: int = 7) -> Entitlement:
    return entitle(story(*chapters), tiers=tier_map(), now=now, grace_days=grace_days)


@pytest.mark.parametrize(
    ("chapters", "standing", "is_paying", "tier_ids"),
    [
        pytest.param([None], Standing.NONE, False, NOTHING, id="no reading, never listed"),
        *(
            pytest.param([{}, {"charge_status": charge}], Standing.LAPSED, False, NOTHING, id=f"last charge {charge}")
            for charge in TAKEN_BACK
        ),
        pytest.param([{}, None], Standing.LAPSED, False, NOTHING, id="gone, v2"),
        pytest.param([V1, None], Standing.GRACE, True, GOLD, id="gone, v1 undeclined"),
        pytest.param(
            [V1, {**V1, "declined_since": days(1)}, None], Standing.LAPSED, False, NOTHING, id="gone, v1 declined"
        ),
        pytest.param(
            [V1, {**V1, "charge_status": ChargeStatus.FRAUD}, None],
            Standing.LAPSED,
            False,
            NOTHING,
            id="gone, v1 fraud",
        ),
        pytest.param([{}, {**DECLINED, "tiers": ()}], Standing.GRACE, True, GOLD, id="declined"),
        pytest.param(
            [{}, {"charge_status": ChargeStatus.DECLINED}], Standing.GRACE, True, GOLD, id="active, charge declined"
        ),
        pytest.param([DECLINED], Standing.GRACE, False, NOTHING, id="declined when first read"),
        pytest.param([{"is_gifted": True, "entitled_cents": 0}], Standing.ACTIVE, True, GOLD, id="gifted"),
        pytest.param(
            [{"is_gifted": True, "patron_status": PatronStatus.NEVER}], Standing.ACTIVE, True, GOLD, id="gifted, null"
        ),
        pytest.param(
            [{"is_gifted": True, "charge_status": ChargeStatus.REFUNDED}],
            Standing.ACTIVE,
            True,
            GOLD,
            id="gifted after a refund",
        ),
        pytest.param([{**DECLINED, "is_gifted": True}], Standing.ACTIVE, True, GOLD, id="gifted after a decline"),
        pytest.param(
            [{"is_gifted": True, "patron_status": PatronStatus.NEVER, "tiers": ("Free",)}],
            Standing.FREE,
            False,
            {TIER["Free"]},
            id="gifted once, the Free tier now",
        ),
        pytest.param([{}, {"tiers": ()}], Standing.WAITING, True, GOLD, id="active, no tiers, v2"),
        pytest.param([{"tiers": ()}], Standing.WAITING, False, NOTHING, id="active, no tiers, v2, first read"),
        pytest.param(
            [{**V1, "tiers": (), "entitled_cents": 500}], Standing.ACTIVE, True, BRONZE, id="active, no tiers, v1"
        ),
        pytest.param([{**V1, "tiers": ()}], Standing.FREE, False, NOTHING, id="active, no tiers, no money, v1"),
        pytest.param([{"tiers": ("Free",)}], Standing.FREE, False, {TIER["Free"]}, id="active, Free tier only"),
        pytest.param(
            [{}, {"tiers": ("Free",)}],
            Standing.WAITING,
            True,
            {TIER["Free"], TIER["Gold"]},
            id="active, Free tier only, paid before",
        ),
        pytest.param(
            [{}, {"tiers": ("Free",)}, *[{"tiers": ("Free",)}] * 3],
            Standing.FREE,
            False,
            {TIER["Free"]},
            id="active, Free tier only, paid before, seen again three days later",
        ),
        pytest.param(
            [{}, {"tiers": ("Free",)}, {}], Standing.ACTIVE, True, GOLD, id="active, Free tier only for a while"
        ),
        pytest.param(
            [{"entitled_cents": 0}, {"tiers": ("Free",)}],
            Standing.WAITING,
            True,
            {TIER["Free"], TIER["Gold"]},
            id="active, Free tier only, after a whole discount",
        ),
        pytest.param(
            [{"entitled_cents": 0}] * 3, Standing.ACTIVE, True, GOLD, id="active, a whole discount, however long"
        ),
        pytest.param(
            [{"tiers": ("Free",)}, DECLINED], Standing.GRACE, False, {TIER["Free"]}, id="declined, free before"
        ),
        pytest.param(
            [{"tiers": ("Free",), "entitled_cents": 1000}],
            Standing.ACTIVE,
            True,
            {TIER["Free"], TIER["Gold"]},
            id="active, Free tier and money: by amount",
        ),
        pytest.param([{}], Standing.ACTIVE, True, GOLD, id="active"),
        pytest.param([{"tiers": ("Bronze", "Gold")}], Standing.ACTIVE, True, BRONZE | GOLD, id="active, two tiers"),
        pytest.param(
            [{"patron_status": PatronStatus.UNKNOWN}],
            Standing.ACTIVE,
            True,
            GOLD,
            id="unknown patron status with tiers",
        ),
        pytest.param(
            [{"patron_status": PatronStatus.UNKNOWN, "tiers": (), "entitled_cents": 1000}],
            Standing.ACTIVE,
            True,
            GOLD,
            id="unknown patron status with money",
        ),
        pytest.param(
            [{}, {"patron_status": PatronStatus.UNKNOWN, "tiers": ()}],
            Standing.WAITING,
            True,
            GOLD,
            id="unknown patron status with neither",
        ),
        pytest.param(
            [{}, {"patron_status": PatronStatus.FORMER}], Standing.ENDING, True, GOLD, id="former, paid tiers listed"
        ),
        pytest.param(
            [{}, {"patron_status": PatronStatus.FORMER, "tiers": ()}],
            Standing.LAPSED,
            False,
            NOTHING,
            id="former",
        ),
        pytest.param(
            [{}, {"patron_status": PatronStatus.FORMER, "tiers": ("Free",)}],
            Standing.LAPSED,
            False,
            frozenset({TIER["Free"]}),
            id="former, still a free member",
        ),
        pytest.param(
            [{"patron_status": PatronStatus.NEVER, "is_free_trial": True, "tiers": ("Free", "Gold")}],
            Standing.ACTIVE,
            True,
            {TIER["Free"], TIER["Gold"]},
            id="never pledged, on a trial: complimentary",
        ),
        pytest.param(
            [{"is_gifted": True, "tiers": ("Free",), **DECLINED}],
            Standing.FREE,
            False,
            {TIER["Free"]},
            id="declined, once gifted, the Free tier now",
        ),
        pytest.param(
            [{"patron_status": PatronStatus.NEVER, "tiers": ("Free",)}],
            Standing.FREE,
            False,
            {TIER["Free"]},
            id="never pledged",
        ),
    ],
)
def test_each_standing_entitles_to_what_the_table_says(
    chapters: list[dict[str, Any] | None], standing: Standing, is_paying: bool, tier_ids: frozenset[TierId]
) -> None:
    found = stand(*chapters, now=days(len(chapters) - 1))
    assert (found.standing, found.is_paying, found.tier_ids) == (standing, is_paying, tier_ids)


def test_every_word_for_a_charge_was_thought_of() -> None:
    """A new one would count as paid without anybody having said so."""
    assert set(ALL_CHARGES) == {*TAKEN_BACK, ChargeStatus.DECLINED, *KEPT_CHARGES}


@pytest.mark.parametrize("charge", sorted(KEPT_CHARGES), ids=lambda one: one.name)
def test_an_active_patron_counts_whatever_else_is_said_of_the_last_charge(charge: ChargeStatus) -> None:
    assert stand({"charge_status": charge}).standing is Standing.ACTIVE


def test_a_status_that_nobody_thought_of_is_an_error_and_no_lapse() -> None:
    with pytest.raises(AssertionError):
        stand({"patron_status": "napping"})


def test_an_entitlement_names_the_reading_that_it_rests_on() -> None:
    assert stand({}) == Entitlement(
        standing=Standing.ACTIVE, is_paying=True, tier_ids=GOLD, cents=1000, reading=reading()
    )


# --- grace ------------------------------------------------------------------------------------------------------


def test_a_declined_patron_keeps_the_roles_through_the_last_moment_of_grace() -> None:
    chapters = [{}, DECLINED]
    last = stand(*chapters, now=days(8) - timedelta(seconds=1))
    assert (last.standing, last.until) == (Standing.GRACE, days(8))
    over = stand(*chapters, now=days(8))
    assert (over.standing, over.is_paying, over.tier_ids, over.until) == (Standing.LAPSED, False, NOTHING, days(8))


def test_retries_of_a_declined_payment_do_not_prolong_grace() -> None:
    assert stand({}, DECLINED, DECLINED, DECLINED, now=days(3)).until == days(8)


def test_without_grace_days_a_decline_lapses_at_once() -> None:
    assert stand({}, DECLINED, now=days(1), grace_days=0).standing is Standing.LAPSED


def test_grace_keeps_the_tier_of_the_last_active_reading_not_the_one_listed_now() -> None:
    assert stand({}, {**DECLINED, "tiers": ("Bronze",)}, now=days(1)).tier_ids == GOLD


def test_on_v1_grace_counts_from_what_patreon_says() -> None:
    declined = {**V1, "declined_since": days(-5)}
    assert stand(V1, declined, now=days(1)).until == days(2)


def test_on_v1_a_vanished_pledge_keeps_its_roles_for_the_grace_days_and_no_longer() -> None:
    assert stand(V1, None, now=days(7)).until == days(8)
    assert stand(V1, None, now=days(8)).standing is Standing.LAPSED


def test_grace_keeps_what_a_pledge_without_a_tier_earned_by_its_amount() -> None:
    custom = {**V1, "tiers": (), "entitled_cents": 500}
    assert stand(custom, None, now=days(1)).tier_ids == BRONZE
    assert stand(custom, {**custom, "declined_since": days(1)}, now=days(1)).tier_ids == BRONZE


# --- cancelled --------------------------------------------------------------------------------------------------


def test_a_cancelled_pledge_lasts_to_the_end_of_the_paid_period() -> None:
    assert stand({}, {"patron_status": PatronStatus.FORMER, "next_charge_at": days(20)}).until == days(20)


# --- no tiers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blank",
    [
        pytest.param({"tiers": (), "entitled_cents": 0}, id="tiers and cents"),
        pytest.param({"tiers": (), "entitled_cents": None}, id="tiers and cents, not told"),
        pytest.param({"tiers": (), "entitled_cents": 1000}, id="tiers alone"),
        pytest.param({"tiers": ("Free",)}, id="the Free tier shows"),
        pytest.param({"tiers": (), "charge_status": ChargeStatus.PENDING}, id="while the charge is pending"),
    ],
)
def test_a_patron_without_tier_is_waited_for_until_a_reading_three_days_later(blank: dict[str, Any]) -> None:
    almost = story({}, blank, blank, blank)
    almost = take_reading(almost, reading(at=days(4) - timedelta(seconds=1), **blank))
    found = entitle(almost, tiers=tier_map(), now=days(30), grace_days=7)
    assert (found.standing, found.until, found.is_paying) == (Standing.WAITING, days(4), True)
    assert found.tier_ids >= GOLD
    over = entitle(take_reading(almost, reading(at=days(4), **blank)), tiers=tier_map(), now=days(4), grace_days=7)
    assert over.standing is not Standing.WAITING


def test_what_shows_within_a_blank_neither_ends_nor_renews_the_wait() -> None:
    blank: dict[str, Any] = {"tiers": ()}
    free: dict[str, Any] = {"tiers": ("Free",)}
    for chapters in ([{}, blank, free, blank, free], [{}, free, blank, free, blank], [{}, free, blank, free, free]):
        assert stand(*chapters[:-1]).standing is Standing.WAITING
        assert stand(*chapters, now=days(4)).standing in {Standing.FREE, Standing.LAPSED}


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([{"entitled_cents": 0}] * 30, id="a whole discount, however long"),
        pytest.param([{}, {"tiers": ()}, *[{"entitled_cents": 0}] * 30], id="a blank that became a whole discount"),
        pytest.param([{}, {"tiers": ()}, {"tiers": ()}, {}], id="a blank that was over"),
        pytest.param([{}, {"tiers": ()}, {"tiers": ()}, DECLINED], id="a decline between"),
    ],
)
def test_an_earlier_blank_does_not_shorten_the_wait(before: list[dict[str, Any]]) -> None:
    blank = {"tiers": ()}
    found = stand(*before, blank, blank, blank, now=days(len(before) + 2))
    assert (found.standing, found.until) == (Standing.WAITING, days(len(before) + 3))
    assert found.tier_ids >= GOLD


def test_money_alone_that_is_blank_leaves_the_amount_for_three_days() -> None:
    """Fifteen a month by choice, on a tier at ten; then a whole discount counts by the tier's price."""
    blank = {"entitled_cents": 0}
    generous = {"entitled_cents": 1500}
    assert [stand(generous, *[blank] * day).cents for day in range(6)] == [1500, 1500, 1500, 1500, 1000, 1000]
    assert stand(generous, {"entitled_cents": None}).cents == 1500
    assert stand(generous, blank, blank, blank, generous, blank).cents == 1500
    assert stand(generous, {**blank, "is_gifted": True}).cents == 1000  # a gift is no blank


def test_a_lower_amount_counts_at_once() -> None:
    assert stand({"entitled_cents": 1500}, {"entitled_cents": 1200}).cents == 1200


@pytest.mark.parametrize(
    ("cents", "standing", "tier_ids"),
    [
        pytest.param(0, Standing.LAPSED, NOTHING, id="no money: over"),
        pytest.param(None, Standing.LAPSED, NOTHING, id="money not said: over"),
        pytest.param(1000, Standing.ACTIVE, GOLD, id="the same money: their tier was deleted"),
        pytest.param(999, Standing.ACTIVE, BRONZE, id="less money: the dearest tier that it pays for"),
        pytest.param(5000, Standing.ACTIVE, GOLD, id="more money: the dearest tier that it pays for"),
        pytest.param(299, Standing.ACTIVE, NOTHING, id="less than any tier: paying all the same"),
    ],
)
def test_after_the_second_look_the_amount_decides(
    cents: int | None, standing: Standing, tier_ids: frozenset[TierId]
) -> None:
    tierless = {"tiers": (), "entitled_cents": cents}
    found = stand({}, *[tierless] * 4)
    assert (found.standing, found.tier_ids, found.is_paying) == (standing, tier_ids, standing is Standing.ACTIVE)


def test_the_same_money_keeps_a_tier_that_patreon_no_longer_names() -> None:
    deleted = {tier_id: tier for tier_id, tier in tier_map().items() if tier_id != TIER["Gold"]}
    record = story({}, {"tiers": (), "entitled_cents": 1000}, {"tiers": (), "entitled_cents": 1000})
    assert entitle(record, tiers=deleted, now=days(2), grace_days=7).tier_ids == GOLD


def test_a_tier_that_we_have_never_seen_counts_as_paid() -> None:
    assert entitle(story({"entitled_cents": 0}), tiers={}, now=days(0), grace_days=7).is_paying


@pytest.mark.parametrize(
    ("facts", "cents", "tier_ids"),
    [
        pytest.param({"entitled_cents": 12000, "cadence_months": 12}, 1000, GOLD, id="the year's cents"),
        pytest.param({"entitled_cents": 10800, "cadence_months": 12}, 1000, GOLD, id="the year's, with a discount"),
        pytest.param({"entitled_cents": 0, "is_gifted": True}, 1000, GOLD, id="a gift"),
        pytest.param({"entitled_cents": 900}, 1000, GOLD, id="a discount"),
        pytest.param({"tiers": ("Bronze", "Gold"), "entitled_cents": 300}, 300, BRONZE | GOLD, id="upgraded and back"),
        pytest.param(
            {"tiers": ("Free",), "entitled_cents": 3600, "cadence_months": 12},
            300,
            BRONZE | {TIER["Free"]},
            id="the tier by the month's amount",
        ),
        pytest.param(
            {"entitled_cents": 0, "patron_status": PatronStatus.FORMER}, 1000, GOLD, id="the paid rest of a cancelled"
        ),
    ],
)
def test_amounts_are_of_a_month_and_tiers_are_those_listed(
    facts: dict[str, Any], cents: int, tier_ids: frozenset[TierId]
) -> None:
    found = stand(facts)
    assert (found.cents, found.tier_ids) == (cents, tier_ids)


def test_grace_counts_by_the_amount_of_a_month_too() -> None:
    yearly = {"entitled_cents": 3600, "cadence_months": 12, "tiers": ("Bronze",)}
    assert stand(yearly, {**DECLINED, "cadence_months": 12}, now=days(1)).cents == 300
    trial = {"entitled_cents": 300, "is_free_trial": True, "tiers": ("Bronze", "Gold")}
    assert stand(trial, DECLINED, now=days(1)).cents == 1000


OTHERS = CampaignId("101")


@pytest.mark.parametrize(
    "chapters",
    [
        pytest.param([{**V1, "tiers": (), "entitled_cents": 800}], id="active, by amount"),
        pytest.param([{"tiers": ("Free",), "entitled_cents": 800}], id="active, the Free tier and money"),
        pytest.param([{**V1, "tiers": (), "entitled_cents": 800}, None], id="grace"),
        pytest.param([{}, *[{"tiers": (), "entitled_cents": 800}] * 4], id="a deleted tier"),
    ],
)
def test_only_tiers_of_the_records_own_campaign_are_found_by_amount(chapters: list[dict[str, Any] | None]) -> None:
    dearer = TierId("9")
    both = tier_map() | {dearer: Tier(campaign_id=OTHERS, tier_id=dearer, title="Theirs", amount_cents=750)}
    record, now = story(*chapters), days(len(chapters) - 1)
    assert entitle(record, tiers=both, now=now, grace_days=7).tier_ids >= BRONZE
    for tiers in (both, {dearer: both[dearer]}):
        found = entitle(record, tiers=tiers, now=now, grace_days=7)
        assert dearer not in found.tier_ids
        doubted = take_reading(None, reading(at=days(0), tiers=(), entitled_cents=800, **V1), is_believed=False)
        hoped = entitle_unproven(doubted, tiers=tiers, now=now, grace_days=7)
        assert hoped is not None
        assert dearer not in hoped.tier_ids


# --- how long, how much -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        pytest.param((2025, 1, 15), (2025, 1, 15), 0, id="the same day"),
        pytest.param((2025, 1, 15), (2025, 2, 14), 0, id="a day short"),
        pytest.param((2025, 1, 15), (2025, 2, 15), 1, id="a month to the day"),
        pytest.param((2025, 1, 31), (2025, 2, 28), 0, id="a short month is not over"),
        pytest.param((2025, 1, 31), (2025, 3, 1), 1, id="a short month is over"),
        pytest.param((2024, 12, 15), (2025, 12, 15), 12, id="a year"),
        pytest.param((2025, 2, 1), (2025, 1, 1), 0, id="a pledge from the future"),
    ],
)
def test_months_are_calendar_months_that_are_over(
    since: tuple[int, int, int], now: tuple[int, int, int], expected: int
) -> None:
    assert whole_months(datetime(*since, tzinfo=UTC), datetime(*now, tzinfo=UTC)) == expected


def test_a_month_is_over_at_the_hour_at_which_it_began() -> None:
    began = datetime(2025, 1, 15, 12, tzinfo=UTC)
    assert whole_months(began, datetime(2025, 2, 15, 11, 59, tzinfo=UTC)) == 0
    assert whole_months(began, datetime(2025, 2, 15, 12, tzinfo=UTC)) == 1


def test_the_months_of_a_pledge_are_counted_where_patreon_says_when_it_began() -> None:
    assert stand({"pledge_started_at": days(-100)}).months == 3
    assert stand({}).months is None


def test_what_was_paid_altogether_is_what_the_reading_says() -> None:
    assert stand({"lifetime_cents": 5000}).lifetime_cents == 5000
    assert stand({}).lifetime_cents is None
    assert stand(None).lifetime_cents is None


@pytest.mark.parametrize(
    ("chapter", "expected"),
    [
        pytest.param({"patron_status": PatronStatus.FORMER}, True, id="a charge"),
        pytest.param({"charge_status": ChargeStatus.REFUNDED}, False, id="a charge taken back"),
        pytest.param(None, False, id="no reading"),
    ],
)
def test_who_has_paid_is_known_by_the_last_charge(chapter: dict[str, Any] | None, expected: bool) -> None:
    assert stand(chapter).has_paid is expected


# --- unproven ---------------------------------------------------------------------------------------------------


def unproven(record: MembershipRecord | None, *, day: int, **facts: Any) -> Entitlement | None:
    doubted = take_reading(record, reading(at=days(day), **facts), is_believed=False)
    return entitle_unproven(doubted, tiers=tier_map(), now=days(day), grace_days=7)


def test_without_an_unproven_reading_there_is_nothing_to_work_out() -> None:
    assert entitle_unproven(story({}), tiers=tier_map(), now=days(0), grace_days=7) is None


def test_an_unproven_reading_entitles_as_if_it_were_believed() -> None:
    assert unproven(story({"tiers": ("Bronze",)}), day=1) == stand({"tiers": ("Bronze",)}, {}, now=days(1))


def test_an_unproven_reading_of_someone_gone_entitles_again() -> None:
    found = unproven(story({}, None), day=2)
    assert found is not None
    assert found.standing is Standing.ACTIVE


def test_an_unproven_decline_on_v1_is_as_old_as_patreon_says() -> None:
    found = unproven(story(V1), day=1, **V1, declined_since=days(-5))
    assert found is not None
    assert found.until == days(2)


def test_a_pledge_in_money_that_cannot_be_compared_pays_for_its_tier_at_least() -> None:
    """Patreon's v1 says the amount in the patron's own currency."""
    found = stand({**V1, "entitled_cents": None})
    assert (found.standing, found.tier_ids, found.cents) == (Standing.ACTIVE, GOLD, 1000)


def test_without_a_tier_such_a_pledge_is_paying_all_the_same() -> None:
    found = stand({**V1, "entitled_cents": None, "tiers": ()})
    assert (found.standing, found.is_paying, found.tier_ids, found.cents) == (Standing.ACTIVE, True, NOTHING, 0)


def test_a_retry_that_is_under_way_gives_no_new_grace() -> None:
    pending = {"charge_status": ChargeStatus.PENDING}
    found = stand({}, {**DECLINED}, {**pending}, {**DECLINED}, now=days(4))
    assert (found.standing, found.until) == (Standing.GRACE, days(8))
    assert stand({}, {**DECLINED}, {**pending}, now=days(4)).standing is Standing.ACTIVE


# --- always -----------------------------------------------------------------------------------------------------

FACTS = st.fixed_dictionaries(
    {
        "patron_status": st.sampled_from(list(PatronStatus)),
        "charge_status": st.sampled_from(ALL_CHARGES),
        "tiers": st.sampled_from([(), ("Free",), ("Bronze",), ("Bronze", "Gold")]),
        "entitled_cents": st.sampled_from([None, 0, 300, 1000]),
        "is_gifted": st.booleans(),
        "membership_id": st.sampled_from([None, "member"]),
    }
)


@given(FACTS)
def test_every_reading_has_a_standing_and_only_the_paying_have_paid_tiers(facts: dict[str, Any]) -> None:
    found = stand({}, facts, now=days(1))
    assert found.reading is not None
    if found.standing in {Standing.LAPSED, Standing.NONE}:
        bare = Entitlement(standing=found.standing, reading=found.reading, until=found.until)
        assert found in (bare, msgspec.structs.replace(bare, tier_ids=frozenset({TIER["Free"]})))
    if found.standing in {Standing.ACTIVE, Standing.ENDING}:
        assert found.is_paying


@pytest.mark.parametrize("year", [1, 9999])
def test_grace_that_begins_in_an_absurd_year_breaks_nothing(year: int) -> None:
    declined = reading(**DECLINED)
    record = MembershipRecord(
        campaign_id=declined.campaign_id,
        patreon_user_id=declined.patreon_user_id,
        believed=declined,
        memory=Memory(declined_since=datetime(year, 12, 31, 23, 59, tzinfo=UTC)),
    )
    found = entitle(record, tiers=tier_map(), now=NEW_YEAR, grace_days=7)
    assert found.standing is (Standing.GRACE if year == 9999 else Standing.LAPSED)
