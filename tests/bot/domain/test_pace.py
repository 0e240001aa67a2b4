"""However many send, and whenever they use what they took, the limit holds; and nobody waits for ever."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pace import Demand, Limit, Share, share_out

MINUTE = Limit(most=100, seconds=60)
SECOND = 1_000_000
SLICE, SLICES = MINUTE.slice_microseconds, MINUTE.slices


def wanting(slots: int) -> Demand:
    return Demand(limit=MINUTE, slots=slots)


def test_slots_are_good_until_the_end_of_their_slice() -> None:
    share, taken = share_out(wanting(10), {}, 7 * SLICE + SECOND)
    assert share == Share(slots=10, seconds=(SLICE - SECOND) / SECOND)
    assert taken == {7: 10}


def test_slots_of_one_slice_add_up() -> None:
    assert share_out(wanting(5), {7: 10}, 7 * SLICE)[1] == {7: 15}


def test_nobody_takes_more_than_is_left() -> None:
    share, taken = share_out(wanting(10), {6: 60, 7: 37}, 7 * SLICE)
    assert (share.slots, taken) == (3, {6: 60, 7: 40})


def test_whoever_finds_none_waits_for_the_oldest_slice_to_count_no_more() -> None:
    share, taken = share_out(wanting(10), {6: 60, 7: 40}, 8 * SLICE)
    assert share == Share(slots=0, seconds=(6 + SLICES - 8) * SLICE / SECOND)
    assert taken == {6: 60, 7: 40}
    later = 8 * SLICE + round(share.seconds * SECOND)
    assert share_out(wanting(10), taken, later)[0].slots == 10


def test_what_counts_no_more_is_forgotten() -> None:
    assert share_out(wanting(1), {6: 60}, (6 + SLICES) * SLICE)[1] == {6 + SLICES: 1}


def test_a_clock_that_was_set_back_gives_nobody_more() -> None:
    share, taken = share_out(wanting(10), {9: 99}, 3 * SLICE)
    assert (share.slots, taken) == (1, {9: 100})
    assert share_out(wanting(10), taken, 3 * SLICE)[0].slots == 0


@given(st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(1, 40), st.floats(0, 1)), max_size=60))
def test_no_window_of_the_limit_s_length_ever_sees_more(steps: list[tuple[int, int, float]]) -> None:
    now, taken, used = 0, dict[int, int](), list[float]()
    kept: Mapping[int, int] = taken
    for pause, wanted, when in steps:
        now += pause
        share, kept = share_out(wanting(wanted), kept, now)
        used += [now / SECOND + when * share.seconds * 0.999] * share.slots
    used.sort()
    for at, began in enumerate(used):
        assert sum(began <= other < began + 60 for other in used[at:]) <= MINUTE.most
