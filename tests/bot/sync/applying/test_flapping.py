from datetime import timedelta

from bot.domain.model import DiscordUserId
from bot.sync.applying.flapping import MOST_TIMES, Flapping
from tests.fakes.world import GUILD, NEW_YEAR

ADA, BEN = DiscordUserId(1), DiscordUserId(2)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_a_hand_that_takes_again_and_again_is_given_way_to_for_a_while() -> None:
    fights = Flapping()
    assert [fights.note(GUILD, ADA, NEW_YEAR + seconds(number)) for number in range(MOST_TIMES)] == [False, False, True]
    assert fights.is_on(GUILD, ADA, NEW_YEAR + seconds(59))
    assert not fights.is_on(GUILD, ADA, NEW_YEAR + seconds(60))
    assert not fights.is_on(GUILD, BEN, NEW_YEAR + seconds(5))


def test_a_hand_that_takes_now_and_then_is_answered_each_time() -> None:
    fights = Flapping()
    assert not any(fights.note(GUILD, ADA, NEW_YEAR + seconds(31 * number)) for number in range(10))


def test_who_is_at_peace_is_forgotten() -> None:
    fights = Flapping()
    for number in range(100):
        fights.note(GUILD, DiscordUserId(number), NEW_YEAR + seconds(number))
    assert len(fights._times) <= 60
