"""What was done about one role: whether Discord was asked, and whether it was done."""

import pytest

from bot.domain.changes import Outcome, RoleChange
from bot.domain.plan import Action, Decision
from bot.domain.rules import Claim, Wanted
from tests.fakes.world import ROLE

GOLD = Claim(role_id=ROLE["Gold"], wanted=Wanted.YES)


@pytest.mark.parametrize(
    ("action", "outcome", "is_write", "is_done"),
    [
        (Action.GRANT, Outcome.DONE, True, True),
        (Action.REVOKE, Outcome.REFUSED, True, False),
        (Action.FORGET, Outcome.DONE, False, False),
    ],
)
def test_only_a_write_that_discord_took_is_done(
    action: Action, outcome: Outcome, is_write: bool, is_done: bool
) -> None:
    change = RoleChange(decision=Decision(role_id=ROLE["Gold"], action=action, claim=GOLD), outcome=outcome)
    assert (change.is_write, change.is_done) == (is_write, is_done)
