"""What an admin may type for a group, and which role of one outranks which; the rest is in `test_plan.py`."""

import pytest

from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import GuildId, RoleId
from bot.domain.role_groups import MOST_ROLES, RoleGroup, keep_highest, read_roles
from bot.domain.rules import Claim, Wanted

GOLD, SILVER, BRONZE = RoleId(1), RoleId(2), RoleId(3)
GROUP = RoleGroup(guild_id=GuildId(900), role_ids=(GOLD, SILVER, BRONZE))


@pytest.mark.parametrize("typed", ["<@&1> <@&2>", "<@&1><@&2>", " <@&1>,<@&2> ", "1 2"])
def test_roles_are_read_in_the_order_of_their_mentions(typed: str) -> None:
    assert read_roles(typed) == (GOLD, SILVER)


@pytest.mark.parametrize("typed", ["", " ", "Gold", "<@&1> Silver", "<@1> <@&2>", "<@&1> <@&1>", "<@&>", "9" * 20])
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(UserMistake) as refused:
        read_roles(typed)
    assert refused.value.code is Mistake.GROUP_UNREADABLE


def test_a_group_has_an_end() -> None:
    assert len(read_roles(" ".join(map(str, range(MOST_ROLES))))) == MOST_ROLES
    with pytest.raises(UserMistake) as refused:
        read_roles(" ".join(map(str, range(MOST_ROLES + 1))))
    assert refused.value.code is Mistake.GROUP_TOO_LARGE


def test_a_role_that_no_rule_names_any_more_is_passed_over() -> None:
    claims = {role_id: Claim(role_id=role_id, wanted=Wanted.YES) for role_id in (SILVER, BRONZE)}
    answers, settled = keep_highest(claims, [GROUP], lambda _: True)
    assert [(one.wanted, one.outranked_by) for one in answers.values()] == [(Wanted.YES, None), (Wanted.NO, SILVER)]
    assert settled == {GOLD, SILVER, BRONZE}


def test_without_one_that_may_be_the_highest_nothing_is_settled() -> None:
    claims = {role_id: Claim(role_id=role_id, wanted=Wanted.YES) for role_id in (GOLD, SILVER)}
    assert keep_highest(claims, [GROUP], lambda _: False) == (claims, frozenset())
