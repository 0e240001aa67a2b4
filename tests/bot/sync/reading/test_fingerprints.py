"""When a reading that says the same is news by now."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from bot.domain.charge_status import ChargeStatus
from bot.domain.model import DiscordUserId, Membership, MembershipId, MembershipRecord
from bot.domain.new_reading import GONE, known_account, mark_of, miss_account, take_absence, take_reading
from bot.domain.patron_status import PatronStatus
from bot.sync.reading.fingerprints import KnownReadings
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading

PATRON = reading().patreon_user_id


def looks(*readings: Membership) -> tuple[KnownReadings, list[float]]:
    """Return after how many days from NEW_YEAR a second look is due."""
    record = None
    for one in readings:
        record = take_reading(record, one)
    assert record is not None
    known = KnownReadings()
    known.note([record])
    hours = range(30 * 24)
    due = [hour for hour in hours if PATRON in known.second_looks(NEW_YEAR + timedelta(hours=hour))]
    return known, [due[0] / 24] if due else []


def on(day: float, **facts: Any) -> Membership:
    return reading(at=NEW_YEAR + timedelta(days=day), **facts)


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        pytest.param([on(0)], [], id="nothing blank"),
        pytest.param([on(0), on(1, tiers=())], [4], id="tiers and money blank"),
        pytest.param([on(0), on(1, tiers=(), entitled_cents=1000)], [4], id="tiers blank"),
        pytest.param([on(0), on(1, entitled_cents=0)], [4], id="money blank"),
        pytest.param([on(0), on(1, tiers=()), on(4, tiers=())], [], id="looked at again"),
        pytest.param([on(0, entitled_cents=0), on(9, tiers=())], [12], id="a whole discount, then blank"),
        pytest.param([on(0), on(1, tiers=("Free",)), on(2, tiers=())], [4], id="blank, then more so"),
    ],
)
def test_a_blank_is_looked_at_again_three_days_after_it_began(
    chapters: list[Membership], expected: list[float]
) -> None:
    assert looks(*chapters)[1] == expected


FACTS = st.fixed_dictionaries(
    {
        "tiers": st.sampled_from([("Gold",), ("Bronze",), ("Free",), ()]),
        "patron_status": st.sampled_from(list(PatronStatus)),
        "charge_status": st.sampled_from(list(ChargeStatus)),
        "entitled_cents": st.sampled_from([1000, 0, None]),
        "discord_user_id": st.sampled_from([DiscordUserId(1), None]),
        "unknown_words": st.sampled_from([(), ("odd",)]),
        "unread": st.sampled_from([(), ("patron_status",)]),
        "membership_id": st.sampled_from([MembershipId("m"), None]),
        "declined_since": st.sampled_from([None, NEW_YEAR]),
    }
)


@given(st.lists(st.tuples(FACTS, st.sampled_from(["believed", "unproven", "absent", "lost"])), min_size=1, max_size=4))
def test_a_mark_says_all_that_is_remembered_of_whoever_has_one(chapters: list[tuple[dict[str, Any], str]]) -> None:
    record: MembershipRecord | None = None
    for day, (facts, how) in enumerate(chapters):
        at = NEW_YEAR + timedelta(days=day)
        if record is not None and how == "absent":
            record = take_absence(record, campaign_id=CAMPAIGN, patreon_user_id=PATRON, read_started_at=at)
        elif record is not None and how == "lost":
            record = miss_account(record, read_started_at=at)
        else:
            record = take_reading(record, reading(at=at, **facts), is_believed=how != "unproven")
    assert record is not None
    by_record, by_mark = KnownReadings(), KnownReadings()
    by_record.note([record])
    mark = mark_of(record)
    event("marked" if mark else "gone" if mark == GONE else "without a mark")
    if mark is not None:
        by_mark.note_ordinary(PATRON, mark, is_reported=known_account(record) is not None)
        assert remembered(by_mark) == remembered(by_record)


def remembered(known: KnownReadings) -> dict[str, object]:
    return {name: value for name, value in vars(known).items() if name != "pages"}
