"""The table of `which_row_counts.py`, and what an identity's rows do to what is known."""

from datetime import timedelta
from itertools import permutations
from typing import Any, cast

import pytest

from bot.domain import which_row_counts
from bot.domain.charge_status import ChargeStatus
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import Identity, Membership, MembershipId, MembershipRecord, PatreonUserId
from bot.domain.new_reading import take_absence, take_reading
from bot.domain.patron_status import PatronStatus
from bot.domain.which_row_counts import choose, counts, is_another, latest_of, take_identity, weigh
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading, tier_map

ADA = PatreonUserId("patreon-ada")
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": (), "entitled_cents": 0}
OTHER = MembershipId("other")

ORDER: list[dict[str, Any]] = [  # the one that entitles to more stands first
    {"tiers": ("Gold",)},
    {"tiers": ("Bronze",)},
    {"tiers": ("Bronze",), "entitled_cents": 0, "is_gifted": True, "patron_status": PatronStatus.NEVER},
    {"tiers": (), "entitled_cents": 1000, "is_gifted": False},
    {"patron_status": PatronStatus.UNKNOWN},
    {"patron_status": PatronStatus.FORMER},
    {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED},
    {"tiers": ()},
    {"patron_status": PatronStatus.NEVER, "tiers": ("Free",)},
    FORMER,
]


def row(number: int, **facts: Any) -> Membership:
    return reading("ada", membership_id=MembershipId(f"row-{number}"), **facts)


@pytest.mark.parametrize("place", range(len(ORDER) - 1))
def test_the_row_that_entitles_to_more_is_chosen_in_either_order(place: int) -> None:
    more, less = row(2, **ORDER[place]), row(1, **ORDER[place + 1])
    assert weigh(more, tier_map()) >= weigh(less, tier_map())
    if weigh(more, tier_map()) > weigh(less, tier_map()):
        for rows in permutations((more, less)):
            assert choose(rows, less.membership_id, tier_map()) is more


@pytest.mark.parametrize(
    "facts",
    [{**FORMER, "charge_status": ChargeStatus.REFUNDED}, {"charge_status": ChargeStatus.FRAUD}, FORMER],
)
def test_what_was_taken_back_or_is_over_weighs_nothing(facts: dict[str, Any]) -> None:
    assert weigh(row(1, **facts), tier_map())[0] == 0


def test_a_pledge_of_v1_without_reward_is_an_ordinary_one() -> None:
    assert weigh(reading(tiers=(), membership_id=None, entitled_cents=None), tier_map()) == (6, 0)
    assert weigh(row(1, tiers=(), entitled_cents=0, patron_status=PatronStatus.UNKNOWN), tier_map())[0] == 2


def test_between_equals_the_known_one_stays_and_else_the_choice_is_stable() -> None:
    for rows in permutations((row(1), row(2), row(3))):
        assert choose(rows, MembershipId("row-2"), tier_map()).membership_id == "row-2"
        assert choose(rows, None, tier_map()).membership_id == "row-3"


GIVEN: dict[str, Any] = {"patron_status": PatronStatus.NEVER, "charge_status": ChargeStatus.NEVER}


@pytest.mark.parametrize(
    ("more", "less"),
    [
        pytest.param({**FORMER, "tiers": ("Gold",)}, FORMER, id="the paid rest, without an amount"),
        pytest.param({**FORMER, "tiers": ("Gold",), "entitled_cents": None}, FORMER, id="... that nobody can read"),
        pytest.param({**FORMER, "tiers": ("Free",)}, FORMER, id="cancelled, and still a free member"),
        pytest.param(
            {**GIVEN, "is_free_trial": True, "tiers": ("Free", "Gold")},
            {"patron_status": PatronStatus.FORMER},
            id="complimentary",
        ),
        pytest.param(
            {**FORMER, "tiers": ("Bronze",), "entitled_cents": 300},
            {"tiers": ("Free",), "entitled_cents": 0},
            id="the paid rest, and a new membership of the Free tier",
        ),
        pytest.param(
            {**FORMER, "tiers": ("Bronze",), "entitled_cents": 300},
            {"tiers": ("Free",), "entitled_cents": 0, "is_gifted": True},
            id="... that is called a gift",
        ),
        pytest.param(
            {"tiers": ("Gold",), "entitled_cents": 1000},
            {"tiers": ("Bronze",), "entitled_cents": 3600, "cadence_months": 12},
            id="a month's money, and a year's",
        ),
        pytest.param(
            {"tiers": ("Gold",), "entitled_cents": 0, "is_gifted": True},
            {"tiers": ("Bronze",), "entitled_cents": 300},
            id="a gift of a dearer tier",
        ),
    ],
)
def test_a_row_weighs_what_it_entitles_to(more: dict[str, Any], less: dict[str, Any]) -> None:
    for known_one in ("row-1", "row-2"):
        for rows in permutations((row(1, **more), row(2, **less))):
            assert choose(rows, MembershipId(known_one), tier_map()).membership_id == "row-1"


def test_a_standing_that_nobody_weighed_is_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who adds one writes its row in the table, too."""
    monkeypatch.setattr(
        which_row_counts, "entitle", lambda *_, **__: Entitlement(standing=cast("Standing", "added later"))
    )
    with pytest.raises(AssertionError):
        weigh(row(1), tier_map())


def known(**facts: Any) -> MembershipRecord:
    return take_reading(None, reading("ada", **facts))


def test_a_lighter_row_of_another_membership_does_not_count() -> None:
    assert not counts(known(), reading("ada", membership_id=OTHER, **FORMER), tier_map())
    assert not counts(known(), reading("ada", membership_id=OTHER), tier_map()), "nor one that is as good"
    assert counts(known(**FORMER), reading("ada", membership_id=OTHER), tier_map())
    assert counts(known(), reading("ada", **FORMER), tier_map()), "the membership itself says that it ended"
    assert counts(None, reading("ada", **FORMER), tier_map())


def test_api_v1_names_no_membership_so_none_is_another() -> None:
    assert not is_another(known(membership_id=None), reading("ada"))
    assert not is_another(known(), reading("ada", membership_id=None))


def test_of_who_is_gone_nothing_stands_in_the_way_of_a_new_membership() -> None:
    gone = take_absence(known(), campaign_id=CAMPAIGN, patreon_user_id=ADA, read_started_at=NEW_YEAR + timedelta(1))
    assert latest_of(gone) is None
    assert counts(gone, reading("ada", membership_id=OTHER, **FORMER), tier_map())
    later = take_reading(gone, reading("ada", at=NEW_YEAR + timedelta(2)), is_believed=False)
    assert latest_of(later) is later.unproven


def told(*rows: Membership, is_whole: bool = True) -> Identity:
    return Identity(patreon_user_id=ADA, full_name="Ada", memberships=rows, is_whole=is_whole)


def taken(record: MembershipRecord | None, identity: Identity) -> tuple[MembershipRecord, ...]:
    previous = {} if record is None else {CAMPAIGN: record}
    return take_identity(
        previous,
        identity,
        campaign_ids=[CAMPAIGN],
        tiers={CAMPAIGN: tier_map()},
        read_started_at=NEW_YEAR + timedelta(hours=9),
    )


def test_of_an_identitys_rows_the_one_that_entitles_counts_in_either_order() -> None:
    rows = (reading("ada", at=NEW_YEAR + timedelta(1)), reading("ada", membership_id=OTHER, **FORMER))
    for order in permutations(rows):
        for before in (None, known(), known(**FORMER), known(membership_id=OTHER, **FORMER)):
            (record,) = taken(before, told(*order))
            assert record.believed == rows[0]


def test_an_identity_that_names_only_the_former_row_leaves_the_known_one() -> None:
    before = known()
    assert taken(before, told(reading("ada", membership_id=OTHER, **FORMER), is_whole=False)) == (before,)


def test_on_v1_a_lighter_pledge_beside_a_gap_leaves_what_is_known() -> None:
    """The gap may be the pledge that counts: none has a lasting id."""
    before = known(membership_id=None)
    declined: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
    lighter = reading("ada", membership_id=None, at=NEW_YEAR + timedelta(1), **declined)
    assert taken(before, told(lighter, is_whole=False)) == (before,)
    (declining,) = taken(before, told(lighter))
    assert declining.believed == lighter
    same = reading("ada", membership_id=None, at=NEW_YEAR + timedelta(1))
    (renewed,) = taken(before, told(same, is_whole=False))
    assert renewed.believed == same


def test_an_identity_with_a_gap_proves_no_absence_on_either_version() -> None:
    for before in (known(), known(membership_id=None)):
        assert taken(before, told(is_whole=False)) == (before,)
    assert taken(None, told(is_whole=False)) == ()
    (gone,) = taken(known(membership_id=None), told())
    assert gone.memory.gone_since is not None
