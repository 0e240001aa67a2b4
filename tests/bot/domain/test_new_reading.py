from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.charge_status import ChargeStatus
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Identity,
    Link,
    LinkOrigin,
    Membership,
    MembershipRecord,
    Memory,
    PatreonUserId,
)
from bot.domain.new_reading import (
    GONE,
    absent_since,
    believe,
    fingerprint,
    has_turned,
    is_declined,
    is_hollow,
    is_listed,
    is_tierless,
    known_account,
    mark_of,
    matters,
    miss_account,
    take_absence,
    take_reading,
    with_absence,
)
from bot.domain.patron_status import PatronStatus
from bot.domain.which_row_counts import take_identity
from tests.fakes.world import CAMPAIGN, NEW_YEAR, TIER, reading

ADA = PatreonUserId("patreon-ada")
DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
FREE_ONLY: dict[str, Any] = {"tiers": ("Free",)}


def at(hour: int) -> datetime:
    return NEW_YEAR + timedelta(hours=hour)


def after(*readings: Membership) -> MembershipRecord:
    record: MembershipRecord | None = None
    for one in readings:
        record = take_reading(record, one)
    assert record is not None
    return record


def absent(record: MembershipRecord | None, *, hour: int) -> MembershipRecord:
    return take_absence(record, campaign_id=CAMPAIGN, patreon_user_id=ADA, read_started_at=at(hour))


# --- what a reading is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"declined_since": NEW_YEAR, "membership_id": None}, True, id="v1 says since when"),
        pytest.param({"patron_status": PatronStatus.DECLINED}, True, id="declined patron"),
        pytest.param({"charge_status": ChargeStatus.DECLINED}, True, id="active, the last charge declined"),
        pytest.param({**FORMER, "charge_status": ChargeStatus.DECLINED}, False, id="former: Patreon gave up"),
        pytest.param({**DECLINED, "is_gifted": True}, False, id="gifted: an older pledge was declined"),
        pytest.param({**DECLINED, "is_gifted": True, "tiers": ()}, True, id="gifted, but no tier came of it"),
        pytest.param({"charge_status": ChargeStatus.PENDING}, False, id="pending"),
        pytest.param({}, False, id="paid"),
    ],
)
def test_declined_means_that_patreon_is_still_trying_to_charge(facts: dict[str, Any], expected: bool) -> None:
    assert is_declined(reading(**facts)) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"tiers": ()}, True, id="active, v2"),
        pytest.param({"tiers": (), "membership_id": None}, False, id="a v1 pledge without reward is ordinary"),
        pytest.param(FORMER, False, id="former"),
        pytest.param({}, False, id="with a tier"),
    ],
)
def test_tierless_means_an_active_patron_in_whom_v2_shows_no_tier(facts: dict[str, Any], expected: bool) -> None:
    assert is_tierless(reading(**facts)) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"tiers": ("Free",)}, True, id="the Free tier"),
        pytest.param(
            {"tiers": ("Gold",), "entitled_cents": 0}, True, id="a whole discount: the price is not known here"
        ),
        pytest.param({"tiers": ("Free",), "entitled_cents": None}, True, id="no money told"),
        pytest.param({"tiers": ()}, False, id="no tier"),
        pytest.param({}, False, id="money"),
        pytest.param({**FREE_ONLY, "is_gifted": True}, False, id="gifted"),
        pytest.param({**FREE_ONLY, "is_free_trial": True}, False, id="on trial"),
        pytest.param({**FREE_ONLY, "charge_status": ChargeStatus.FREE_TRIAL}, False, id="on trial, by the charge"),
        pytest.param({**FREE_ONLY, "membership_id": None}, False, id="a v1 pledge"),
        pytest.param({**FORMER, "tiers": ("Free",)}, False, id="former"),
    ],
)
def test_hollow_means_an_active_patron_in_whom_v2_shows_tiers_and_no_money(
    facts: dict[str, Any], expected: bool
) -> None:
    assert is_hollow(reading(**facts)) is expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(None, {}, True, id="a pledge began"),
        pytest.param(None, FORMER, False, id="somebody new without a pledge"),
        pytest.param({}, {"tiers": ("Bronze",)}, False, id="a pledge goes on"),
        pytest.param({}, DECLINED, False, id="a declined pledge goes on"),
        pytest.param({}, FORMER, True, id="a pledge ended"),
        pytest.param(FORMER, {}, True, id="a pledge began again"),
    ],
)
def test_a_reading_turns_when_a_pledge_began_or_ended(
    before: dict[str, Any] | None, now: dict[str, Any], expected: bool
) -> None:
    known = None if before is None else after(reading(at=at(1), **before))
    assert has_turned(known, reading(at=at(2), **now)) is expected


def test_a_turn_counts_from_the_last_reading_believed_or_not() -> None:
    doubted = take_reading(after(reading(at=at(1))), reading(at=at(2), **FORMER), is_believed=False)
    assert not has_turned(doubted, reading(at=at(3), **FORMER))


def test_a_fingerprint_tells_apart_all_but_when_and_how_something_was_read() -> None:
    keys = {"campaign_id", "patreon_user_id"}
    changed = {
        name: fingerprint(replace(reading(), **{name: ("changed",)})) != fingerprint(reading())
        for name in Membership.__struct_fields__
        if name not in keys
    }
    assert {name for name, is_seen in changed.items() if not is_seen} == {"source", "read_started_at"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, True, id="a patron"),
        pytest.param(DECLINED, True, id="declined"),
        pytest.param({"patron_status": PatronStatus.UNKNOWN, "tiers": ()}, True, id="an unknown word"),
        pytest.param({"patron_status": PatronStatus.FORMER}, True, id="former, still with a tier"),
        pytest.param(FORMER, False, id="former"),
        pytest.param({**FORMER, "discord_user_id": DiscordUserId(1)}, True, id="former, with a Discord account"),
        pytest.param({"patron_status": PatronStatus.NEVER, "tiers": ()}, False, id="a follower"),
        pytest.param({"patron_status": PatronStatus.NEVER, "tiers": ("Free",)}, False, id="a free member"),
        pytest.param(
            {"patron_status": PatronStatus.NEVER, "entitled_cents": 0, "is_gifted": True},
            True,
            id="a gift to a follower",
        ),
        pytest.param({"patron_status": PatronStatus.NEVER, "entitled_cents": None}, True, id="a tier, nobody says how"),
    ],
)
def test_someone_unknown_matters_who_is_a_patron_or_can_be_told_on_discord(
    facts: dict[str, Any], expected: bool
) -> None:
    assert matters(reading(**facts)) is expected


# --- believed readings ------------------------------------------------------------------------------------------


def test_the_first_reading_makes_the_record() -> None:
    assert take_reading(None, reading()) == MembershipRecord(
        campaign_id=CAMPAIGN,
        patreon_user_id=ADA,
        believed=reading(),
        memory=Memory(last_active_at=NEW_YEAR, last_active_tier_ids=(TIER["Gold"],), last_active_cents=1000),
    )


def test_a_newer_reading_replaces_an_older_one() -> None:
    assert after(reading(at=at(1)), reading(at=at(2), tiers=("Bronze",))).believed == reading(
        at=at(2), tiers=("Bronze",)
    )


def test_an_older_reading_that_arrives_late_changes_nothing() -> None:
    known = after(reading(at=at(2)))
    assert take_reading(known, reading(at=at(1), **FORMER)) is known


def test_the_reading_of_a_returned_patron_ends_their_absence() -> None:
    record = take_reading(absent(after(reading(at=at(1))), hour=2), reading(at=at(3)))
    assert record.memory.gone_since is None


def test_a_reading_from_before_an_absence_does_not_end_it() -> None:
    gone = absent(None, hour=2)
    assert take_reading(gone, reading(at=at(1))) is gone


# --- memory -----------------------------------------------------------------------------------------------------


def test_a_decline_is_remembered_from_our_first_read_of_it_and_retries_do_not_move_it() -> None:
    record = after(reading(at=at(1)), reading(at=at(2), **DECLINED), reading(at=at(50), **DECLINED))
    assert record.memory == Memory(
        declined_since=at(2), last_active_at=at(1), last_active_tier_ids=(TIER["Gold"],), last_active_cents=1000
    )


def test_on_v1_patreon_itself_says_since_when_the_payment_is_declined() -> None:
    record = after(reading(at=at(5), membership_id=None, declined_since=at(-90)))
    assert record.memory.declined_since == at(-90)


def test_a_retry_that_is_under_way_does_not_end_the_decline() -> None:
    retried = reading(at=at(2), charge_status=ChargeStatus.PENDING)
    assert after(reading(at=at(1), **DECLINED), retried).memory.declined_since == at(1)
    assert after(reading(at=at(1)), retried).memory.declined_since is None


def test_a_payment_that_went_through_ends_the_decline() -> None:
    assert after(reading(at=at(1), **DECLINED), reading(at=at(2))).memory.declined_since is None


def test_a_patron_without_tier_is_remembered_from_our_first_read_of_it() -> None:
    record = after(reading(at=at(1)), reading(at=at(2), tiers=()), reading(at=at(9), tiers=()))
    assert record.memory == Memory(
        tierless_since=at(2),
        centless_since=at(2),
        last_active_at=at(1),
        last_active_tier_ids=(TIER["Gold"],),
        last_active_cents=1000,
    )


def test_a_tier_that_shows_again_ends_the_wait() -> None:
    assert after(reading(at=at(1), tiers=()), reading(at=at(2))).memory.tierless_since is None


def test_tiers_without_money_are_remembered_beside_those_that_were_paid_for() -> None:
    """It may be the Free tier that shows where the paid one blanks out, or a whole discount: no price is known here."""
    record = after(reading(at=at(1)), reading(at=at(2), **FREE_ONLY), reading(at=at(9), **FREE_ONLY))
    both = tuple(sorted((TIER["Free"], TIER["Gold"])))
    assert record.memory == Memory(
        tierless_since=at(2),
        centless_since=at(2),
        last_active_at=at(1),
        last_active_tier_ids=both,
        last_active_cents=1000,
    )


def test_tiers_without_money_are_all_that_is_remembered_where_nothing_was_paid_before() -> None:
    memory = after(reading(at=at(1), **FREE_ONLY)).memory
    assert (memory.last_active_tier_ids, memory.last_active_cents) == ((TIER["Free"],), 0)


def test_a_tier_that_goes_within_a_blank_is_remembered_with_its_time() -> None:
    """Whether it was a whole discount, so that a new blank begins, or the Free tier only prices can tell."""
    discount = reading(at=at(1), entitled_cents=0)
    memory = after(discount, reading(at=at(90), **FREE_ONLY), reading(at=at(91), tiers=())).memory
    assert memory.tierless_since == at(1)
    assert memory.unlisted_since == {TIER["Gold"]: at(90), TIER["Free"]: at(91)}
    assert after(discount, reading(at=at(90), tiers=()), discount_again(91)).memory.unlisted_since == {}
    assert after(reading(at=at(1)), reading(at=at(2), tiers=())).memory.unlisted_since == {}


def discount_again(hour: int) -> Membership:
    return reading(at=at(hour), entitled_cents=0)


def test_money_that_is_blank_is_remembered_from_our_first_read_of_it() -> None:
    blank = [reading(at=at(hour), entitled_cents=cents) for hour, cents in ((2, 0), (3, None))]
    assert after(reading(at=at(1)), *blank).memory.centless_since == at(2)
    assert after(*blank, reading(at=at(4))).memory.centless_since is None
    assert after(*blank, reading(at=at(4), entitled_cents=0, is_gifted=True)).memory.centless_since is None
    assert after(*blank, reading(at=at(4), entitled_cents=0, membership_id=None)).memory.centless_since is None


def test_what_was_said_of_money_is_remembered() -> None:
    active = reading(at=at(1), will_pay_cents=500, cadence_months=12, is_free_trial=True)
    memory = after(active, reading(at=at(2), **FORMER)).memory
    assert (memory.last_active_will_pay_cents, memory.last_active_cadence_months) == (500, 12)
    assert memory.was_free_of_charge


def test_what_the_last_active_reading_gave_is_remembered_when_the_pledge_is_over() -> None:
    record = after(reading(at=at(1)), reading(at=at(2), tiers=("Bronze",)), reading(at=at(3), **FORMER))
    assert record.memory == Memory(last_active_at=at(2), last_active_tier_ids=(TIER["Bronze"],), last_active_cents=300)


def test_what_is_listed_while_a_payment_is_declined_was_not_paid_for() -> None:
    listed = reading(at=at(2), tiers=("Bronze",), charge_status=ChargeStatus.DECLINED)
    assert after(reading(at=at(1)), listed).memory.last_active_tier_ids == (TIER["Gold"],)


def test_what_the_next_charge_takes_is_part_of_the_fingerprint() -> None:
    assert fingerprint(reading()) != fingerprint(reading(will_pay_cents=500))


# --- unproven readings ------------------------------------------------------------------------------------------


def test_an_unproven_reading_stands_beside_the_believed_one_and_leaves_memory_alone() -> None:
    known = after(reading(at=at(1)))
    record = take_reading(known, reading(at=at(2), **DECLINED), is_believed=False)
    assert (record.believed, record.memory) == (known.believed, known.memory)
    assert record.unproven == reading(at=at(2), **DECLINED)


def test_newer_proof_takes_the_unproven_reading_away() -> None:
    doubted = take_reading(after(reading(at=at(1))), reading(at=at(2), **FORMER), is_believed=False)
    assert take_reading(doubted, reading(at=at(3))).unproven is None
    assert absent(doubted, hour=3).unproven is None


def test_older_proof_that_arrives_late_is_taken_and_leaves_the_unproven_reading() -> None:
    doubted = take_reading(after(reading(at=at(1))), reading(at=at(9)), is_believed=False)
    late = take_reading(doubted, reading(at=at(5), tiers=("Bronze",)))
    assert (late.believed, late.unproven) == (reading(at=at(5), tiers=("Bronze",)), reading(at=at(9)))
    assert absent(doubted, hour=5).unproven == reading(at=at(9))


def test_of_two_unproven_readings_the_newer_stays() -> None:
    first = take_reading(None, reading(at=at(2)), is_believed=False)
    assert take_reading(first, reading(at=at(1), **FORMER), is_believed=False) == first


def test_someone_gone_of_whom_a_doubted_read_spoke_is_gone_again_by_the_next_proof() -> None:
    gone = absent(after(reading(at=at(1))), hour=2)
    doubted = take_reading(gone, reading(at=at(3)), is_believed=False)
    assert absent(doubted, hour=4) == gone


def test_believing_turns_the_unproven_reading_into_proof() -> None:
    doubted = take_reading(absent(after(reading(at=at(1))), hour=2), reading(at=at(3)), is_believed=False)
    assert believe(doubted) == after(reading(at=at(1)), reading(at=at(3)))


def test_believing_where_nothing_is_unproven_changes_nothing() -> None:
    known = after(reading())
    assert believe(known) is known


# --- absence ----------------------------------------------------------------------------------------------------


def test_absence_keeps_the_last_reading_and_notes_since_when() -> None:
    known = after(reading(at=at(1)))
    gone = absent(known, hour=2)
    assert gone.believed == known.believed
    assert gone.memory.gone_since == at(2)


def test_the_absence_of_someone_never_seen_is_a_fact_too() -> None:
    assert absent(None, hour=2) == MembershipRecord(
        campaign_id=CAMPAIGN, patreon_user_id=ADA, memory=Memory(gone_since=at(2))
    )


def test_further_absence_does_not_move_its_beginning() -> None:
    gone = absent(None, hour=2)
    assert absent(gone, hour=3) == gone


def test_an_absence_from_before_the_last_reading_changes_nothing() -> None:
    known = after(reading(at=at(2)))
    assert absent(known, hour=1) is known


# --- who was never listed -------------------------------------------------------------------------------------


def linked(*, hour: int, read: int | None = None) -> Link:
    return Link(
        discord_user_id=DiscordUserId(1),
        patreon_user_id=ADA,
        patreon_name="Ada",
        origin=LinkOrigin.COMMAND,
        linked_at=at(hour),
        read_at=None if read is None else at(read),
    )


@pytest.mark.parametrize(
    ("link", "proven", "followed", "since"),
    [
        pytest.param(linked(hour=2), None, None, None, id="nothing was asked for"),
        pytest.param(linked(hour=2), 3, 1, 3, id="a list since they are linked"),
        pytest.param(linked(hour=2), 2, 1, 2, id="a list as they are linked"),
        pytest.param(linked(hour=2), 1, 1, None, id="a list from before: it stored no unlinked follower"),
        pytest.param(linked(hour=2, read=2), 1, 1, 2, id="their consent"),
        pytest.param(linked(hour=2, read=2), None, 3, None, id="a campaign that nobody followed when they consented"),
        pytest.param(linked(hour=2, read=2), None, None, None, id="a campaign that nobody follows"),
        pytest.param(linked(hour=2, read=4), 3, 1, 4, id="both: the newer one, their consent"),
        pytest.param(linked(hour=2, read=2), 3, 1, 3, id="both: the newer one, the list"),
    ],
)
def test_absence_of_who_was_never_listed_is_proven_by_the_newest_request_that_would_have_shown_them(
    link: Link, proven: int | None, followed: int | None, since: int | None
) -> None:
    found = absent_since(
        link,
        proven_at=None if proven is None else at(proven),
        followed_since=None if followed is None else at(followed),
    )
    assert found == (None if since is None else at(since))


def known_since(record: MembershipRecord | None, hour: int | None) -> MembershipRecord | None:
    since = None if hour is None else at(hour)
    return with_absence(record, campaign_id=CAMPAIGN, link=linked(hour=1), since=since)


def test_who_has_no_record_is_as_if_each_proof_had_stored_one() -> None:
    assert known_since(None, 3) == absent(None, hour=3)
    assert known_since(None, None) is None


def test_what_is_proven_of_somebody_says_more_than_that_others_are_not_listed() -> None:
    listed, gone = after(reading(at=at(1))), absent(after(reading(at=at(1))), hour=2)
    assert (known_since(listed, 3), known_since(gone, 3)) == (listed, gone)


def test_who_is_listed_for_the_first_time_by_a_doubted_read_was_not_before() -> None:
    doubted = take_reading(None, reading(at=at(3)), is_believed=False)
    known = known_since(doubted, 2)
    assert known is not None
    assert (known.unproven, known.memory.gone_since) == (doubted.unproven, at(2))


# --- identity ---------------------------------------------------------------------------------------------------


def test_an_identity_gives_a_record_for_each_campaign_asked_that_lists_them_and_for_no_other() -> None:
    elsewhere = replace(reading(at=at(1)), campaign_id=CampaignId("999"))
    identity = Identity(patreon_user_id=ADA, full_name="Ada", memberships=(reading(at=at(1)), elsewhere))
    records = take_identity({}, identity, campaign_ids=[CAMPAIGN, CampaignId("101")], tiers={}, read_started_at=at(1))
    assert [(one.campaign_id, one.believed, one.memory.gone_since) for one in records] == [
        (CAMPAIGN, reading(at=at(1)), None)
    ]


def test_an_identity_without_the_membership_proves_nothing() -> None:
    known = after(reading(at=at(1)))
    nobody = Identity(patreon_user_id=ADA, full_name="Ada")
    assert take_identity({CAMPAIGN: known}, nobody, campaign_ids=[CAMPAIGN], tiers={}, read_started_at=at(2)) == (
        known,
    )


def test_on_v1_an_identity_without_the_pledge_says_that_it_ended() -> None:
    known = after(replace(reading(at=at(1)), membership_id=None))
    nobody = Identity(patreon_user_id=ADA, full_name="Ada")
    (gone,) = take_identity({CAMPAIGN: known}, nobody, campaign_ids=[CAMPAIGN], tiers={}, read_started_at=at(2))
    assert gone == absent(known, hour=2)


def test_someone_is_listed_while_a_reading_shows_them() -> None:
    known = after(reading(at=at(1)))
    assert is_listed(known)
    assert not is_listed(absent(known, hour=2))
    assert not is_listed(absent(None, hour=2))
    assert is_listed(take_reading(absent(known, hour=2), reading(at=at(3)), is_believed=False))


def test_an_identity_read_before_what_we_know_changes_nothing() -> None:
    known = after(reading(at=at(5)))
    old = Identity(patreon_user_id=ADA, full_name="Ada", memberships=(reading(at=at(1), **FORMER),))
    assert take_identity({CAMPAIGN: known}, old, campaign_ids=[CAMPAIGN], tiers={}, read_started_at=at(1)) == (known,)


# --- Discord accounts -------------------------------------------------------------------------------------------

NAMED: dict[str, Any] = {"discord_user_id": DiscordUserId(7)}


def lost(record: MembershipRecord) -> tuple[int | None, datetime | None]:
    return record.memory.lost_account, record.memory.lost_since


def test_an_account_that_is_named_no_more_is_remembered() -> None:
    record = after(reading(at=at(0), **NAMED), reading(at=at(1)), reading(at=at(2)))
    assert lost(record) == (7, None)
    assert known_account(record) == 7
    assert known_account(take_reading(record, reading(at=at(3)), is_believed=False)) == 7


def test_an_account_that_was_never_named_is_not_missed() -> None:
    record = after(reading(at=at(0)))
    assert lost(record) == (None, None)
    assert known_account(record) is None
    assert miss_account(record, read_started_at=at(1)) == record


@pytest.mark.parametrize(
    ("hours", "account"),
    [([1], 7), ([1, 24], 7), ([1, 25], None), ([1, 2, 3, 26], None)],
    ids=["one list", "two within a day", "two a day apart", "the last a day after the first"],
)
def test_an_account_goes_with_a_second_whole_list_a_day_later(hours: list[int], account: int | None) -> None:
    record = after(reading(at=at(0), **NAMED), reading(at=at(1)))
    for hour in hours:
        record = miss_account(record, read_started_at=at(hour))
    assert lost(record) == (account, at(1) if account else None)


@pytest.mark.parametrize("account", [7, 8], ids=["the same again", "another one"])
def test_an_account_that_is_named_is_lost_no_more(account: int) -> None:
    record = miss_account(after(reading(at=at(0), **NAMED), reading(at=at(1))), read_started_at=at(1))
    record = take_reading(record, reading(at=at(2), discord_user_id=DiscordUserId(account)))
    assert lost(record) == (None, None)
    assert known_account(record) == account
    assert lost(take_reading(record, reading(at=at(3)))) == (account, None), "a new day"


def test_an_account_that_went_for_good_does_not_come_back_by_silence() -> None:
    record = after(reading(at=at(0), **NAMED), reading(at=at(1)))
    for hour in (1, 25):
        record = miss_account(record, read_started_at=at(hour))
    assert lost(take_reading(record, reading(at=at(26)))) == (None, None)


# --- order of arrival -------------------------------------------------------------------------------------------

KINDS = st.sampled_from(["active", "bronze", "declined", "former", "unproven"])


def arrive(record: MembershipRecord | None, kind: str, hour: int) -> MembershipRecord:
    facts: dict[str, dict[str, Any]] = {"declined": DECLINED, "former": FORMER, "bronze": {"tiers": ("Bronze",)}}
    if kind == "absent":
        return absent(record, hour=hour)
    return take_reading(record, reading(at=at(hour), **facts.get(kind, {})), is_believed=kind != "unproven")


@given(kinds=st.lists(KINDS, min_size=1, max_size=3), absent_at=st.none() | st.integers(0, 3))
def test_the_newest_reading_wins_whatever_the_order_of_arrival(kinds: list[str], absent_at: int | None) -> None:
    story = kinds if absent_at is None else [*kinds[:absent_at], "absent", *kinds[absent_at:]]
    outcomes = set()
    for order in permutations(enumerate(story)):
        record: MembershipRecord | None = None
        for hour, kind in order:
            record = arrive(record, kind, hour)
        assert record is not None
        is_gone = record.memory.gone_since is not None
        outcomes.add((None if is_gone else record.believed, is_gone, record.unproven))
    assert len(outcomes) == 1


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert fingerprint(reading()) == 2579172247470087285, "it is stored: another number makes everybody news, once"


BELIEVED = take_reading(None, reading())


@pytest.mark.parametrize(
    ("record", "mark"),
    [
        pytest.param(BELIEVED, fingerprint(reading()), id="ordinary"),
        pytest.param(replace(BELIEVED, memory=Memory(gone_since=NEW_YEAR)), GONE, id="gone"),
        pytest.param(replace(BELIEVED, believed=None), None, id="never listed"),
        pytest.param(replace(BELIEVED, unproven=reading()), None, id="doubted"),
        pytest.param(replace(BELIEVED, believed=reading(unread=("tiers",))), None, id="unread"),
        pytest.param(replace(BELIEVED, believed=reading(unknown_words=("odd",))), None, id="unknown word"),
        pytest.param(replace(BELIEVED, memory=Memory(declined_since=NEW_YEAR)), None, id="declined"),
        pytest.param(replace(BELIEVED, memory=Memory(tierless_since=NEW_YEAR)), None, id="no tier"),
        pytest.param(replace(BELIEVED, memory=Memory(centless_since=NEW_YEAR)), None, id="no money"),
        pytest.param(replace(BELIEVED, memory=Memory(unlisted_since={TIER["Gold"]: NEW_YEAR})), None, id="a tier less"),
        pytest.param(replace(BELIEVED, memory=Memory(lost_account=DiscordUserId(1))), None, id="lost account"),
        pytest.param(
            replace(BELIEVED, believed=reading(membership_id=None), memory=Memory(gone_since=NEW_YEAR)), None, id="v1"
        ),
    ],
)
def test_only_what_is_ordinary_is_known_by_its_mark(record: MembershipRecord, mark: int | None) -> None:
    assert mark_of(record) == mark
