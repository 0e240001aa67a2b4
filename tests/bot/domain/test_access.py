"""Where roles and pledges part: each decision of the planner that shows it, and what is counted of many."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.access import LACKING, MOST_NAMED, SURPLUS, Access, Adoptable, Case, Gap, Tally, find_gaps
from bot.domain.adoption import Fate
from bot.domain.assignable import Block
from bot.domain.model import DiscordUserId, GrantState, Mode
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import told_to_team
from tests.fakes.world import ROLE, World

FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
Story = Callable[[World], object]


def off(world: World) -> None:
    world.settings = replace(world.settings, mode=Mode.OFF)


def keep(world: World, days: int) -> None:
    world.rules["Gold"] = replace(world.rules["Gold"], keep_days=days)


def given(world: World) -> None:
    """Somebody gave Ada the role by hand, and she pays for less."""
    world.patron("ada", tier="Bronze")
    world.give("ada", "Gold")


def lapsed(world: World) -> None:
    """Ada held the role, and pays no more."""
    world.holder("ada")
    world.read("ada", **FORMER)


CASES: list[tuple[str, Gap | None, list[Story]]] = [
    ("a stranger has it", Gap.STRANGER, [lambda w: w.stranger("ada"), lambda w: w.give("ada", "Gold")]),
    ("a former patron has it from someone else", Gap.FORMER, [given, lambda w: w.read("ada", **FORMER)]),
    ("a patron of another tier has it from someone else", Gap.OTHER_PLEDGE, [given]),
    ("ours is about to go", Gap.LEAVING, [lapsed]),
    ("ours stays some days", Gap.KEPT, [lapsed, lambda w: keep(w, 3)]),
    ("ours stays still", Gap.KEPT, [lambda w: keep(w, 3), lapsed, lambda w: w.apply("ada")]),
    ("ours is held", Gap.HELD, [lapsed, off]),
    ("ours cannot be removed", Gap.STUCK, [lapsed, lambda w: w.block("Gold", Block.ABOVE_BOT)]),
    ("it is about to come", Gap.COMING, [lambda w: w.patron("ada")]),
    ("it waits", Gap.WAITING, [lambda w: w.patron("ada"), off]),
    ("it cannot be assigned", Gap.UNASSIGNABLE, [lambda w: w.patron("ada"), lambda w: w.block("Gold", Block.MANAGED)]),
    ("screening", Gap.SCREENING, [lambda w: w.patron("ada"), lambda w: w.screen("ada", is_pending=True)]),
    (
        "somebody took it away",
        Gap.SUPPRESSED,
        [lambda w: w.patron("ada"), lambda w: w.note("ada", "Gold", GrantState.SUPPRESSED)],
    ),
    ("it is there and earned", None, [lambda w: w.holder("ada")]),
    ("an admin gave it without a pledge", None, [given, lambda w: w.comp("ada", "Gold")]),
    ("neither", None, [lambda w: w.stranger("ada")]),
    ("nobody knows", None, [lambda w: w.stranger("ada"), lambda w: w.link("ada"), lambda w: w.give("ada", "Gold")]),
    ("they have left", None, [lambda w: w.patron("ada"), lambda w: w.leave("ada")]),
]


@pytest.mark.parametrize(("gap", "stories"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_decision_shows_its_gap(gap: Gap | None, stories: list[Story]) -> None:
    world = World()
    for story in stories:
        story(world)
    assert find_gaps(told_to_team(world.plan_of("ada"))).get(ROLE["Gold"]) is gap


def test_who_is_known_elsewhere_alone_is_a_stranger() -> None:
    world = World()
    world.patron("ada")
    world.miss("ada")
    world.give("ada", "Gold")
    world.people["ada"] = replace(
        world.people["ada"],
        records={id_: replace(one, believed=None) for id_, one in world.people["ada"].records.items()},
    )
    plan = told_to_team(world.plan_of("ada"))
    assert plan.is_link_hidden
    assert find_gaps(plan) == {ROLE["Gold"]: Gap.STRANGER}


def test_every_gap_is_one_of_the_two_kinds() -> None:
    assert sorted((*SURPLUS, *LACKING)) == sorted(Gap)


def test_a_person_counts_once_for_each_gap_and_the_first_are_named() -> None:
    tally, people = Tally(), [DiscordUserId(number) for number in range(1, MOST_NAMED + 3)]
    for person in people:
        tally.add([Gap.STRANGER, Gap.STRANGER, Gap.COMING], person)
    tally.add([Gap.NO_ACCOUNT])
    many = Case(people=len(people), named=tuple(people[:MOST_NAMED]))
    assert tally.cases == {Gap.STRANGER: many, Gap.COMING: many, Gap.NO_ACCOUNT: Case(people=1)}


def test_what_can_be_adopted_is_counted_by_what_becomes_of_it() -> None:
    held = [(1, Fate.ENTITLED), (1, Fate.UNLINKED), (2, Fate.UNENTITLED)]
    access = Access(
        adoptable=tuple(
            Adoptable(discord_user_id=DiscordUserId(person), role_id=ROLE["Gold"], fate=fate) for person, fate in held
        )
    )
    assert access.count({Fate.UNLINKED, Fate.UNENTITLED}) == 2
    assert access.count({Fate.UNSURE}) == 0
