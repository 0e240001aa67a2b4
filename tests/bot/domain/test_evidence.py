from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.evidence import (
    Anomaly,
    PastRead,
    ReadSummary,
    Tally,
    Verdict,
    find_anomalies,
    is_complete,
    judge,
    says_the_same,
)
from bot.domain.model import DiscordUserId, Membership, MembershipId
from bot.domain.patron_status import PatronStatus
from bot.patreon.protocol.pages import MembershipPage
from tests.fakes.world import NEW_YEAR, reading

ORDINARY = ReadSummary(
    pages=2,
    rows=100,
    row_ids=100,
    patrons=100,
    with_discord=40,
    with_tier=60,
    paying=50,
    first_total=100,
    last_total=100,
    is_finished=True,
)
HALVED = replace(ORDINARY, paying=25)


def lost(missing: int, *, of: int) -> ReadSummary:
    return replace(ORDINARY, with_discord=of - missing, accounts_known=of, accounts_missing=missing)


TIERLESS = replace(ORDINARY, with_tier=0)


def hours(count: float) -> datetime:
    return NEW_YEAR + timedelta(hours=count)


def page(number: int, *names: str, total: int | None = None, userless: int = 0, **rest: Any) -> MembershipPage:
    return MembershipPage(
        number=number,
        memberships=tuple(reading(name) for name in names),
        total=total,
        row_ids=(*(f"member-{name}" for name in names), *(f"userless-{number}-{row}" for row in range(userless))),
        unattributed=userless,
        **rest,
    )


def tally(*pages: MembershipPage) -> Tally:
    counted = Tally()
    for one in pages:
        counted.see(one)
    return counted


# --- counting ---------------------------------------------------------------------------------------------------


def test_before_the_first_page_nothing_is_counted() -> None:
    assert Tally().summary == ReadSummary()


def test_a_read_is_counted_page_by_page() -> None:
    patrons: tuple[Membership, ...] = (
        reading("ada", discord_user_id=DiscordUserId(1)),
        reading("ben", tiers=()),
        reading("cleo", patron_status=PatronStatus.FORMER),
    )
    first = MembershipPage(number=1, memberships=patrons[:2], total=5, row_ids=("member-ada", "member-ben"))
    last = MembershipPage(
        number=2, memberships=patrons[2:], total=4, row_ids=("member-cleo", "8"), unattributed=1, is_last=True
    )
    counted = tally(first, last)
    assert counted.summary == ReadSummary(
        pages=2,
        rows=4,
        row_ids=4,
        patrons=3,
        rows_without_user=1,
        with_discord=1,
        with_tier=2,
        paying=2,
        first_total=5,
        last_total=4,
        is_finished=True,
    )
    assert counted.seen == {one.patreon_user_id for one in patrons}
    assert counted.named == {patrons[0].patreon_user_id}


def test_a_row_on_two_pages_counts_once_and_its_id_is_odd() -> None:
    summary = tally(page(1, "ada", "ben"), page(2, "ben", "cleo")).summary
    assert (summary.patrons, summary.paying, summary.with_tier, summary.row_ids) == (3, 3, 3, 3)
    assert summary.has_odd_ids


@pytest.mark.parametrize(
    ("row_ids", "is_odd"),
    [
        pytest.param(("a", "b"), False, id="two rows"),
        pytest.param(("a", "a"), True, id="one id twice on a page"),
        pytest.param(("a", ""), True, id="a lost id"),
        pytest.param((), False, id="an empty page"),
        pytest.param(("known",), True, id="an id of the page before"),
    ],
)
def test_an_id_that_is_lost_or_comes_twice_is_odd(row_ids: tuple[str, ...], is_odd: bool) -> None:
    pages = (
        MembershipPage(number=1, memberships=(), row_ids=("known",)),
        MembershipPage(number=2, memberships=(), row_ids=row_ids),
    )
    assert tally(*pages).summary.has_odd_ids is is_odd


def test_two_memberships_of_one_user_are_two_rows_and_one_patron_by_the_one_that_entitles() -> None:
    former = reading("ada", tiers=(), membership_id=MembershipId("old"), patron_status=PatronStatus.FORMER)
    for rows in permutations((former, reading("ada"))):
        both = MembershipPage(number=1, memberships=rows, total=2, row_ids=("old", "member-ada"), is_last=True)
        summary = tally(both).summary
        assert (summary.row_ids, summary.patrons, summary.paying, summary.with_tier) == (2, 1, 1, 1)
        assert is_complete(summary)


def test_one_user_with_two_paying_rows_on_a_page_counts_once() -> None:
    summary = tally(page(1, "ada", "ada", "ben")).summary
    assert (summary.rows, summary.patrons, summary.paying, summary.with_tier) == (3, 2, 2, 2)


# --- complete ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([page(1, "ada", "ben", total=2, is_last=True)], True, id="everybody on one page"),
        pytest.param([page(1, "ada", total=2), page(2, "ben", total=2, is_last=True)], True, id="everybody on two"),
        pytest.param([page(1, total=0, is_last=True)], True, id="a campaign without anybody"),
        pytest.param([page(1, "ada", userless=1, total=2, is_last=True)], True, id="one without a user"),
        pytest.param([page(1, "ada", total=1), page(2, "ben", total=2, is_last=True)], True, id="one joined meanwhile"),
        pytest.param([page(1, "ada", total=2), page(2, total=1, is_last=True)], True, id="one left meanwhile"),
        pytest.param([page(1, "ada", total=2), page(2, "ben", total=2)], False, id="the last page never came"),
        pytest.param(
            [page(1, "ada", total=2), page(2, "ada", total=2), page(3, "ben", total=2, is_last=True)],
            False,
            id="one page came twice",
        ),
        pytest.param([page(1, "ada"), page(2, "ben", total=2, is_last=True)], False, id="the first names no total"),
        pytest.param([page(1, "ada", total=2), page(2, "ben", is_last=True)], False, id="the last names no total"),
        pytest.param([page(1, "ada", total=2, is_last=True)], False, id="fewer than the total"),
        pytest.param([page(1, "ada", "ben", total=1, is_last=True)], False, id="more than the total"),
        pytest.param([page(1, "ada", "ada", total=1, is_last=True)], False, id="one id came twice"),
        pytest.param([page(1, "ada", "ada", total=2, is_last=True)], False, id="one id came in place of another"),
        pytest.param([], False, id="nothing came"),
    ],
)
def test_a_read_is_complete_when_it_lists_everybody(pages: list[MembershipPage], expected: bool) -> None:
    assert is_complete(tally(*pages).summary) is expected


# --- believable -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "believed", "expected"),
    [
        pytest.param(ORDINARY, ORDINARY, (), id="as before"),
        pytest.param(ORDINARY, None, (), id="the first read"),
        pytest.param(HALVED, None, (), id="the first read has nothing to differ from"),
        pytest.param(
            replace(ORDINARY, rows_without_user=100), None, (Anomaly.NO_USERS,), id="nobody has a user, even at first"
        ),
        pytest.param(replace(ORDINARY, rows_without_user=99), ORDINARY, (), id="somebody has a user"),
        pytest.param(ReadSummary(), ORDINARY, (), id="nothing came: a failure"),
        pytest.param(ReadSummary(pages=1, is_finished=True), ORDINARY, (Anomaly.EMPTY,), id="an empty list"),
        pytest.param(ReadSummary(pages=1, is_finished=True), ReadSummary(pages=1), (), id="empty as before"),
        pytest.param(lost(40, of=40), ORDINARY, (Anomaly.NO_DISCORD,), id="no Discord account left"),
        pytest.param(lost(21, of=40), ORDINARY, (Anomaly.NO_DISCORD,), id="more than half of them are gone"),
        pytest.param(lost(20, of=40), ORDINARY, (), id="half of them are gone"),
        pytest.param(lost(2, of=2), None, (Anomaly.NO_DISCORD,), id="both are gone, in a first read"),
        pytest.param(lost(1, of=1), ORDINARY, (), id="the only one is gone"),
        pytest.param(lost(0, of=0), ORDINARY, (), id="there never was a Discord account"),
        pytest.param(TIERLESS, ORDINARY, (Anomaly.NO_TIERS,), id="nobody has a tier left"),
        pytest.param(TIERLESS, TIERLESS, (), id="nobody ever had a tier"),
        pytest.param(
            replace(ORDINARY, paying=39), ORDINARY, (Anomaly.FEWER_PAYING,), id="more than a fifth fewer paying"
        ),
        pytest.param(replace(ORDINARY, paying=40), ORDINARY, (), id="a fifth fewer paying"),
        pytest.param(replace(ORDINARY, paying=0), replace(ORDINARY, paying=9), (), id="of nine, all may go"),
        pytest.param(
            replace(ORDINARY, paying=7),
            replace(ORDINARY, paying=10),
            (Anomaly.FEWER_PAYING,),
            id="of ten, three are many",
        ),
        pytest.param(
            replace(lost(40, of=40), rows_without_user=100, with_tier=0, paying=0),
            ORDINARY,
            (Anomaly.NO_USERS, Anomaly.NO_DISCORD, Anomaly.NO_TIERS, Anomaly.FEWER_PAYING),
            id="all at once",
        ),
    ],
)
def test_a_read_that_differs_as_patrons_do_not_is_an_anomaly(
    read: ReadSummary, believed: ReadSummary | None, expected: tuple[Anomaly, ...]
) -> None:
    assert find_anomalies(read, believed) == expected


@given(before=st.integers(10, 100_000), share=st.floats(0, 1))
def test_exactly_a_fifth_fewer_is_believed_whatever_the_number(before: int, share: float) -> None:
    after = int(before * share)
    found = find_anomalies(replace(ORDINARY, paying=after), replace(ORDINARY, paying=before))
    assert bool(found) is (after * 5 < before * 4)


# --- judged -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "presence", "absence"),
    [
        pytest.param(Verdict(is_complete=True), True, True, id="complete, believable"),
        pytest.param(Verdict(is_complete=False), True, False, id="a part, believable"),
        pytest.param(
            Verdict(is_complete=True, unattributed=1), True, False, id="complete, with a row that is nobody's"
        ),
        pytest.param(Verdict(is_complete=True, anomalies=(Anomaly.NO_TIERS,)), False, False, id="complete, anomalous"),
        pytest.param(Verdict(is_complete=False, anomalies=(Anomaly.NO_TIERS,)), False, False, id="a part, anomalous"),
        pytest.param(
            Verdict(is_complete=True, anomalies=(Anomaly.NO_TIERS,), is_confirmed=True), True, True, id="confirmed"
        ),
    ],
)
def test_a_verdict_says_what_a_read_proves(verdict: Verdict, presence: bool, absence: bool) -> None:
    assert (verdict.proves_presence, verdict.proves_absence) == (presence, absence)


def verdict_on(read: ReadSummary, *doubted: tuple[float, ReadSummary], at: float = 24) -> Verdict:
    return judge(
        read,
        started_at=hours(at),
        believed=ORDINARY,
        doubted=[PastRead(started_at=hours(hour), summary=summary) for hour, summary in doubted],
    )


def test_an_ordinary_read_proves_all() -> None:
    assert verdict_on(ORDINARY) == Verdict(is_complete=True)


def test_a_read_that_broke_off_is_not_short_of_patrons() -> None:
    assert verdict_on(replace(HALVED, is_finished=False)) == Verdict(is_complete=False)


def test_a_read_that_failed_before_its_first_page_is_no_anomaly() -> None:
    assert verdict_on(ReadSummary()) == Verdict(is_complete=False)


def test_a_part_in_which_nobody_has_a_tier_is_an_anomaly_all_the_same() -> None:
    assert verdict_on(replace(TIERLESS, is_finished=False)) == Verdict(is_complete=False, anomalies=(Anomaly.NO_TIERS,))


@pytest.mark.parametrize(("before", "expected"), [(1, ()), (2, (Anomaly.NO_DISCORD, Anomaly.NO_TIERS))])
def test_one_alone_may_well_have_gone(before: int, expected: tuple[Anomaly, ...]) -> None:
    past = replace(ORDINARY, with_tier=before)
    assert find_anomalies(replace(lost(before, of=before), with_tier=0), past) == expected


@pytest.mark.parametrize(
    ("read", "presence", "accounts"),
    [
        pytest.param(ORDINARY, True, True, id="as before"),
        pytest.param(lost(1, of=40), True, True, id="somebody took their account away"),
        pytest.param(lost(40, of=40), True, False, id="the accounts alone are gone"),
        pytest.param(replace(lost(40, of=40), with_tier=0), False, False, id="tiers are gone too"),
        pytest.param(replace(ORDINARY, is_finished=False), True, False, id="a part"),
    ],
)
def test_accounts_that_vanish_doubt_only_what_rests_on_them(read: ReadSummary, presence: bool, accounts: bool) -> None:
    verdict = verdict_on(read)
    assert (verdict.proves_presence, verdict.proves_accounts) == (presence, accounts)
    assert Anomaly.NO_DISCORD not in verdict.doubts
    assert verdict.doubts_accounts is (read.accounts_missing == 40)


def test_reads_may_agree_on_pledges_while_the_accounts_come_and_go() -> None:
    verdict = verdict_on(replace(lost(40, of=40), paying=25), (0, HALVED), (12, HALVED))
    assert verdict.is_confirmed
    assert (verdict.proves_absence, verdict.proves_accounts) == (True, False)


def test_accounts_that_vanish_are_never_confirmed_by_themselves() -> None:
    gone = lost(40, of=40)
    verdict = verdict_on(gone, (0, gone), (12, gone))
    assert (verdict.is_confirmed, verdict.proves_accounts) == (False, False)


def test_an_admin_hears_of_a_part_only_what_no_part_should_show() -> None:
    assert verdict_on(replace(TIERLESS, is_finished=False)).doubts == ()
    assert verdict_on(TIERLESS).doubts == (Anomaly.NO_TIERS,)
    userless = ReadSummary(pages=1, rows=5, rows_without_user=5, first_total=40, last_total=40)
    assert verdict_on(userless).doubts == (Anomaly.NO_USERS,)
    assert Verdict(is_complete=True, anomalies=(Anomaly.NO_TIERS,), is_confirmed=True).doubts == ()


@pytest.mark.parametrize(
    ("doubted", "is_confirmed"),
    [
        pytest.param([(0, HALVED), (12, HALVED)], True, id="three reads over a day agree"),
        pytest.param([(0, HALVED), (1, HALVED), (2, HALVED), (23, HALVED)], True, id="so do more than three"),
        pytest.param([(0, TIERLESS), (0.5, HALVED), (12, HALVED)], False, id="the picture changed since"),
        pytest.param([(-9, TIERLESS), (0, HALVED), (12, HALVED)], True, id="it changed, but a day ago"),
        pytest.param([(0, HALVED), (6, TIERLESS), (12, HALVED)], False, id="one between disagrees"),
        pytest.param([(0, HALVED)], False, id="two reads are not enough"),
        pytest.param([(0.01, HALVED), (12, HALVED)], False, id="not a whole day yet"),
        pytest.param([], False, id="the first time"),
    ],
)
def test_an_anomaly_is_believed_once_three_reads_over_a_day_agree(
    doubted: list[tuple[float, ReadSummary]], is_confirmed: bool
) -> None:
    assert verdict_on(HALVED, *doubted) == Verdict(
        is_complete=True, anomalies=(Anomaly.FEWER_PAYING,), is_confirmed=is_confirmed
    )


def test_a_list_that_names_nobody_is_never_believed_by_itself() -> None:
    nobody = replace(ORDINARY, patrons=0, rows_without_user=ORDINARY.rows, with_tier=0, with_discord=0, paying=0)
    verdict = verdict_on(nobody, (0, nobody), (12, nobody))
    assert Anomaly.NO_USERS in verdict.anomalies
    assert not verdict.is_confirmed


def test_a_part_confirms_nothing() -> None:
    broken = replace(TIERLESS, is_finished=False)
    assert not verdict_on(broken, (0, TIERLESS), (12, TIERLESS)).is_confirmed


@pytest.mark.parametrize("part", ["paying", "with_tier", "rows_without_user"])
@pytest.mark.parametrize(
    ("past", "present", "agrees"),
    [
        pytest.param(200, 210, True, id="within a twentieth"),
        pytest.param(200, 211, False, id="beyond a twentieth"),
        pytest.param(2, 3, True, id="one person is never a disagreement"),
        pytest.param(2, 4, False, id="two of four are"),
    ],
)
def test_reads_agree_while_real_patrons_come_and_go(part: str, past: int, present: int, agrees: bool) -> None:
    crowd = replace(ORDINARY, rows=1000, paying=300, with_tier=300, with_discord=300)
    earlier, now = replace(crowd, **{part: past}), replace(crowd, **{part: present})
    doubted = [PastRead(started_at=hours(hour), summary=earlier) for hour in (0, 12)]
    now = replace(now, first_total=0, last_total=10_000)
    much_more = replace(crowd, paying=1000)
    assert judge(now, started_at=hours(24), believed=much_more, doubted=doubted).is_confirmed is agrees


@pytest.mark.parametrize(
    ("read", "verdict", "is_same"),
    [
        pytest.param(ORDINARY, Verdict(is_complete=True), True, id="the same again"),
        pytest.param(replace(ORDINARY, paying=51), Verdict(is_complete=True), False, id="one patron more"),
        pytest.param(ORDINARY, Verdict(is_complete=False), False, id="cut"),
        pytest.param(ORDINARY, Verdict(is_complete=True, anomalies=(Anomaly.NO_DISCORD,)), False, id="lost accounts"),
        pytest.param(
            ORDINARY, Verdict(is_complete=True, anomalies=(Anomaly.NO_TIERS,), is_confirmed=True), False, id="confirmed"
        ),
    ],
)
def test_a_read_that_differs_in_nothing_says_the_same(read: ReadSummary, verdict: Verdict, is_same: bool) -> None:
    assert says_the_same(read, verdict, before=ORDINARY) is is_same
