"""The table of `rows.py`, and what an identity's rows do to what is known."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from bot.model import ChargeStatus, Identity, Membership, MembershipId, MembershipRecord, PatreonUserId, PatronStatus
from bot.roles.record import take_absence, take_reading
from bot.roles.rows import choose, counts, is_another, latest_of, take_identity, weigh
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading

ADA = PatreonUserId("patreon-ada")
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": (), "entitled_cents": 0}
OTHER = MembershipId("other")

ORDER: list[dict[str, Any]] = [  # the one that entitles to more stands first
    {"tiers": ("Gold",)},
    {"tiers": ("Bronze",)},
    {"tiers": (), "entitled_cents": 300, "is_gifted": False},
    {"tiers": ("Bronze",), "entitled_cents": 0, "is_gifted": True, "patron_status": PatronStatus.NEVER},
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
    assert weigh(more) >= weigh(less)
    if weigh(more) > weigh(less):
        for rows in permutations((more, less)):
            assert choose(rows, less.membership_id) is more


@pytest.mark.parametrize(
    "facts",
    [{**FORMER, "charge_status": ChargeStatus.REFUNDED}, {"charge_status": ChargeStatus.FRAUD}, FORMER],
)
def test_what_was_taken_back_or_is_over_weighs_nothing(facts: dict[str, Any]) -> None:
    assert weigh(row(1, **facts))[0] == 0


def test_a_pledge_of_v1_without_reward_is_an_ordinary_one() -> None:
    assert weigh(reading(tiers=(), membership_id=None, entitled_cents=None)) == (6, 0)
    assert weigh(row(1, tiers=(), entitled_cents=0, patron_status=PatronStatus.UNKNOWN))[0] == 2


def test_between_equals_the_known_one_stays_and_else_the_choice_is_stable() -> None:
    for rows in permutations((row(1), row(2), row(3))):
        assert choose(rows, MembershipId("row-2")).membership_id == "row-2"
        assert choose(rows, None).membership_id == "row-3"


def known(**facts: Any) -> MembershipRecord:
    return take_reading(None, reading("ada", **facts))


def test_a_lighter_row_of_another_membership_does_not_count() -> None:
    assert not counts(known(), reading("ada", membership_id=OTHER, **FORMER))
    assert not counts(known(), reading("ada", membership_id=OTHER)), "nor one that is as good"
    assert counts(known(**FORMER), reading("ada", membership_id=OTHER))
    assert counts(known(), reading("ada", **FORMER)), "the membership itself says that it ended"
    assert counts(None, reading("ada", **FORMER))


def test_api_v1_names_no_membership_so_none_is_another() -> None:
    assert not is_another(known(membership_id=None), reading("ada"))
    assert not is_another(known(), reading("ada", membership_id=None))


def test_of_who_is_gone_nothing_stands_in_the_way_of_a_new_membership() -> None:
    gone = take_absence(known(), campaign_id=CAMPAIGN, patreon_user_id=ADA, read_started_at=NEW_YEAR + timedelta(1))
    assert latest_of(gone) is None
    assert counts(gone, reading("ada", membership_id=OTHER, **FORMER))
    later = take_reading(gone, reading("ada", at=NEW_YEAR + timedelta(2)), is_believed=False)
    assert latest_of(later) is later.unproven


def told(*rows: Membership, is_whole: bool = True) -> Identity:
    return Identity(patreon_user_id=ADA, full_name="Ada", memberships=rows, is_whole=is_whole)


def taken(record: MembershipRecord | None, identity: Identity) -> tuple[MembershipRecord, ...]:
    previous = {} if record is None else {CAMPAIGN: record}
    return take_identity(previous, identity, campaign_ids=[CAMPAIGN], read_started_at=NEW_YEAR + timedelta(hours=9))


def test_of_an_identitys_rows_the_one_that_entitles_counts_in_either_order() -> None:
    rows = (reading("ada", at=NEW_YEAR + timedelta(1)), reading("ada", membership_id=OTHER, **FORMER))
    for order in permutations(rows):
        for before in (None, known(), known(**FORMER), known(membership_id=OTHER, **FORMER)):
            (record,) = taken(before, told(*order))
            assert record.believed == rows[0]


def test_an_identity_that_names_only_the_former_row_leaves_the_known_one() -> None:
    before = known()
    assert taken(before, told(reading("ada", membership_id=OTHER, **FORMER), is_whole=False)) == (before,)


def test_an_identity_with_a_gap_proves_no_absence_on_either_version() -> None:
    for before in (known(), known(membership_id=None)):
        assert taken(before, told(is_whole=False)) == (before,)
    assert taken(None, told(is_whole=False)) == ()
    (gone,) = taken(known(membership_id=None), told())
    assert gone.memory.gone_since is not None
