"""What is told of a hold: how much it holds, and each reason once."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.holds import Hold, HoldItem, HoldState, summarise
from bot.domain.model import DiscordUserId, HoldId, RoleId, RuleKind
from bot.domain.plan import Action
from bot.domain.reasons import OldText, PatronFacts, RoleReason, RuleFacts, Status
from bot.domain.rules import Wanted
from tests.fakes.world import GUILD, NEW_YEAR, ROLE

LAPSED = PatronFacts(campaign="Moth Tales", status=Status.LAPSED, read_at=NEW_YEAR)
GOLD = RoleReason(
    role="Gold",
    action=Action.REVOKE,
    wanted=Wanted.NO,
    rule=RuleFacts(kind=RuleKind.PAYING, campaign="Moth Tales"),
    patron=LAPSED,
)


def item(person: int, reason: RoleReason | OldText) -> HoldItem:
    return HoldItem(
        hold_id=HoldId(7),
        guild_id=GUILD,
        discord_user_id=DiscordUserId(person),
        role_id=RoleId(ROLE["Gold"]),
        state=HoldState.OPEN,
        mark="",
        reason=reason,
    )


def hold(*items: HoldItem) -> Hold:
    return Hold(hold_id=HoldId(7), guild_id=GUILD, opened_at=NEW_YEAR, items=items)


@pytest.mark.parametrize(
    ("state", "while_the_same", "afterwards"),
    [
        (HoldState.OPEN, False, False),
        (HoldState.APPROVED, True, True),
        (HoldState.DISCARDED, True, False),
        (HoldState.RETURNED, True, False),
    ],
)
def test_an_answer_that_keeps_a_role_holds_while_the_facts_are_the_same(
    state: HoldState, *, while_the_same: bool, afterwards: bool
) -> None:
    answer = replace(item(11, GOLD), state=state, mark="then")
    assert (answer.holds_for("then"), answer.holds_for("now")) == (while_the_same, afterwards)


def test_roles_and_people_are_counted() -> None:
    told = summarise(hold(item(2, GOLD), item(2, replace(GOLD, role="Bronze")), item(1, GOLD)))
    assert (told.roles, told.people) == (3, 2)


def test_a_hold_says_whether_a_restore_opened_it() -> None:
    assert not summarise(hold(item(1, GOLD))).is_after_restore
    assert summarise(replace(hold(item(1, GOLD)), is_after_restore=True)).is_after_restore


def test_the_people_of_a_hold_are_named_once_and_in_order() -> None:
    assert hold(item(2, GOLD), item(1, GOLD), item(2, GOLD)).people == (1, 2)


def test_reasons_that_differ_in_their_moments_alone_are_one() -> None:
    later = replace(GOLD, patron=replace(LAPSED, read_at=NEW_YEAR + timedelta(hours=1)))
    (group,) = summarise(hold(item(1, GOLD), item(2, later))).groups
    assert (group.reason, group.people) == (GOLD, (1, 2))


def test_the_reason_of_most_people_comes_first() -> None:
    told = summarise(hold(item(1, OldText("an earlier sentence")), item(2, GOLD), item(3, GOLD)))
    assert [group.people for group in told.groups] == [(2, 3), (1,)]
