"""A role that Discord refused costs one call, until somebody has reason to think that it may work."""

from datetime import timedelta

import pytest

from bot.domain.assignable import Block
from bot.domain.model import GuildId, RoleId
from bot.sync.applying.breakers import REFUSED_FOR, Breakers
from tests.fakes.clock import StoppedClock

HERE, THERE, GOLD, SILVER = GuildId(900), GuildId(901), RoleId(1), RoleId(2)


@pytest.fixture
def breakers(clock: StoppedClock) -> Breakers:
    breakers = Breakers(clock)
    breakers.open(HERE, GOLD)
    return breakers


def test_a_refused_role_is_blocked_in_its_guild_alone(breakers: Breakers) -> None:
    assert breakers.block(HERE, GOLD) is Block.REFUSED
    assert (breakers.block(HERE, SILVER), breakers.block(THERE, GOLD)) == (None, None)
    assert len(breakers) == 1


def test_after_an_hour_it_is_on_trial(breakers: Breakers, clock: StoppedClock) -> None:
    clock.time += REFUSED_FOR - timedelta(seconds=1)
    assert breakers.on_trial(HERE) == frozenset()
    clock.move(seconds=1)
    assert (breakers.block(HERE, GOLD), len(breakers)) == (None, 0)
    assert breakers.on_trial(HERE) == {GOLD}


def test_an_admin_puts_it_on_trial_at_once_and_another_refusal_ends_that(breakers: Breakers) -> None:
    breakers.retry(THERE)
    assert breakers.block(HERE, GOLD) is Block.REFUSED
    breakers.retry(HERE)
    assert breakers.block(HERE, GOLD) is None
    assert breakers.on_trial(HERE) == {GOLD}
    breakers.open(HERE, GOLD)
    assert breakers.on_trial(HERE) == frozenset()


@pytest.mark.parametrize("is_taken", [True, False], ids=["a write was taken", "the roles changed"])
def test_a_write_that_was_taken_or_a_change_of_the_roles_ends_it(breakers: Breakers, is_taken: bool) -> None:
    if is_taken:
        breakers.close(HERE, GOLD)
    else:
        breakers.reset(HERE)
    assert breakers.block(HERE, GOLD) is None
    assert breakers.on_trial(HERE) == frozenset()


def test_two_factor_authentication_blocks_a_guild_until_it_is_tried_again(breakers: Breakers) -> None:
    breakers.open_guild(HERE)
    assert {breakers.block(HERE, role) for role in (GOLD, SILVER)} == {Block.OWNER_NEEDS_2FA}
    assert (breakers.reset_guild(HERE), breakers.reset_guild(HERE)) == (True, False)
    assert breakers.block(HERE, SILVER) is None


def test_a_clock_that_was_set_back_keeps_nothing_blocked(breakers: Breakers, clock: StoppedClock) -> None:
    clock.move(minutes=-1)
    assert breakers.block(HERE, GOLD) is None
