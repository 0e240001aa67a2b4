"""How long somebody rests whose writes Discord refuses."""

import pytest

from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.sync.applying.refusals import Refusals

GOLD, BRONZE = RoleId(7), RoleId(8)
ADA, BOB = (GuildId(1), DiscordUserId(2)), (GuildId(1), DiscordUserId(3))


class Watch:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_each_refusal_in_a_row_makes_the_rest_twice_as_long_up_to_an_hour(watch: Watch) -> None:
    refusals = Refusals(watch)
    noted = [refusals.note(ADA, {GOLD}) for _ in range(12)]
    assert [count for count, _ in noted] == list(range(1, 13))
    assert [seconds for _, seconds in noted] == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


def test_who_was_refused_rests_and_nobody_else(watch: Watch) -> None:
    refusals = Refusals(watch)
    refusals.note(ADA, {GOLD})
    assert refusals.resting(ADA) == {GOLD}
    assert not refusals.resting(BOB)
    watch.seconds += 5
    assert not refusals.resting(ADA)


def test_a_write_that_goes_through_ends_the_row(watch: Watch) -> None:
    refusals = Refusals(watch)
    refusals.note(ADA, {GOLD})
    assert not refusals.end(ADA), "the admin heard nothing yet"
    for _ in range(3):
        refusals.note(ADA, {GOLD})
    assert refusals.end(ADA)
    assert not refusals.resting(ADA)
    assert refusals.note(ADA, {GOLD}) == (1, 5)
    assert not refusals.end(BOB)


def test_whoever_is_woken_is_tried_at_once_and_rests_longer_than_before(watch: Watch) -> None:
    refusals = Refusals(watch)
    refusals.note(ADA, {GOLD})
    refusals.wake(ADA[0])
    assert not refusals.resting(ADA)
    assert refusals.refused(ADA[0]) == {ADA[1]: {GOLD}}
    assert refusals.note(ADA, {BRONZE}) == (2, 10)
    refusals.wake(GuildId(9))
    assert refusals.resting(ADA) == {BRONZE}
