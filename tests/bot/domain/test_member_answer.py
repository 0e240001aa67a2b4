"""What other programs may learn of a member, for each way to stand."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bot.domain.charge_status import ChargeStatus
from bot.domain.entitlement import Standing
from bot.domain.member_answer import MemberAnswer, MemberStanding, MemberTier, answer_member
from bot.domain.model import CampaignId, GrantState, TierId
from bot.domain.patron_status import PatronStatus
from tests.fakes.world import NEW_YEAR, ROLE, TIER, World

GOLD = (MemberTier(id=TIER["Gold"], title="Gold"),)
BEGAN = NEW_YEAR - timedelta(days=400)


def answer(world: World, name: str = "ada") -> MemberAnswer:
    return answer_member(world.facts(), world.people[name])


@pytest.fixture
def world() -> World:
    world = World()
    world.patron("ada", pledge_started_at=BEGAN)
    return world


def test_an_active_patron_with_their_roles(world: World) -> None:
    world.apply("ada")
    assert answer(world) == MemberAnswer(
        discord_user_id="1000",
        linked=True,
        standing=MemberStanding.ACTIVE,
        tiers=GOLD,
        roles=(str(ROLE["Gold"]), str(ROLE["Supporter"])),
        entitled_until=None,
        since=BEGAN,
        as_of=world.now,
    )


def test_as_json_ids_are_text_and_moments_are_utc(world: World) -> None:
    told = msgspec.json.decode(msgspec.json.encode(answer(world)))
    assert told == {
        "discord_user_id": "1000",
        "linked": True,
        "standing": "active",
        "tiers": [{"id": "3", "title": "Gold"}],
        "roles": [],
        "entitled_until": None,
        "since": "2024-11-27T12:00:00Z",
        "as_of": "2026-01-01T13:00:00Z",
    }


@pytest.mark.parametrize(
    ("reading", "standing"),
    [
        pytest.param({"is_gifted": True, "entitled_cents": 0}, MemberStanding.ACTIVE, id="gifted"),
        pytest.param(
            {"is_free_trial": True, "patron_status": PatronStatus.NEVER}, MemberStanding.ACTIVE, id="on a trial"
        ),
        pytest.param({"tiers": ("Free",), "patron_status": PatronStatus.NEVER}, MemberStanding.FREE, id="free"),
        pytest.param({"charge_status": ChargeStatus.REFUNDED}, MemberStanding.LAPSED, id="refunded"),
        pytest.param({"tiers": (), "patron_status": PatronStatus.FORMER}, MemberStanding.LAPSED, id="cancelled"),
    ],
)
def test_how_somebody_stands_is_the_planners_word(
    world: World, reading: dict[str, Any], standing: MemberStanding
) -> None:
    world.read("ada", **reading)
    told = answer(world)
    assert (told.standing, told.entitled_until) == (standing, None)


def test_a_pledge_that_is_cancelled_counts_to_the_end_of_its_period(world: World) -> None:
    until = world.now + timedelta(days=20)
    world.read("ada", patron_status=PatronStatus.FORMER, next_charge_at=until)
    told = answer(world)
    assert (told.standing, told.entitled_until, told.tiers) == (MemberStanding.ENDING, until, GOLD)


def test_a_declined_payment_has_its_grace_and_then_lapses(world: World) -> None:
    world.read("ada", patron_status=PatronStatus.DECLINED)
    told = answer(world)
    assert (told.standing, told.tiers) == (MemberStanding.GRACE, GOLD)
    assert told.entitled_until == world.now + timedelta(days=7)
    world.days_pass(8)
    told = answer(world)
    assert (told.standing, told.tiers, told.entitled_until) == (MemberStanding.LAPSED, (), None)


def test_what_patreon_blanks_is_waited_for(world: World) -> None:
    world.read("ada", tiers=())
    told = answer(world)
    assert (told.standing, told.tiers) == (MemberStanding.WAITING, GOLD)
    assert told.entitled_until == world.now + timedelta(hours=72)


def test_who_is_not_listed_any_more_has_lapsed_as_of_that_list(world: World) -> None:
    world.miss("ada")
    told = answer(world)
    assert (told.standing, told.as_of) == (MemberStanding.LAPSED, world.now)


def test_a_list_without_news_confirms_what_was_read(world: World) -> None:
    world.confirmed_at = world.now + timedelta(hours=3)
    assert answer(world).as_of == world.confirmed_at


def test_what_is_not_believed_yet_counts_where_nothing_else_is_known() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    assert answer(world).standing is MemberStanding.NONE
    world.read("ada", is_believed=False)
    assert (answer(world).standing, answer(world).tiers) == (MemberStanding.ACTIVE, GOLD)


def test_somebody_who_never_linked_or_unlinked_stands_nowhere(world: World) -> None:
    world.stranger("bo")
    world.comp("bo", "Bronze", days=-1)
    nothing = MemberAnswer(
        discord_user_id="1001",
        linked=False,
        standing=MemberStanding.NONE,
        tiers=(),
        roles=(),
        entitled_until=None,
        since=None,
        as_of=None,
    )
    assert answer(world, "bo") == nothing
    world.unlink("ada")
    assert answer(world) == replace(nothing, discord_user_id="1000")


def test_a_role_by_an_admins_word_entitles_without_a_pledge() -> None:
    world = World()
    world.stranger("bo")
    world.comp("bo", "Bronze", days=3)
    given_at = world.now
    world.days_pass(1)
    world.comp("bo", "Gold", days=9)
    told = answer(world, "bo")
    assert (told.linked, told.standing, told.tiers, told.as_of) == (False, MemberStanding.COMP, (), None)
    assert (told.since, told.entitled_until) == (given_at, world.now + timedelta(days=9)), "the last one's end"
    world.comp("bo", "Supporter")
    assert answer(world, "bo").entitled_until is None, "one has no end"


def test_a_comp_stands_behind_a_pledge_that_entitles_and_before_one_that_does_not(world: World) -> None:
    world.comp("ada", "Bronze", days=3)
    assert answer(world).standing is MemberStanding.ACTIVE
    world.miss("ada")
    told = answer(world)
    assert (told.standing, told.linked, told.as_of) == (MemberStanding.COMP, True, world.now)


def test_roles_are_those_that_the_ledger_says_are_held(world: World) -> None:
    for role, state in (("Gold", GrantState.HELD), ("Bronze", GrantState.REVOKING), ("Supporter", GrantState.GRANTING)):
        world.note("ada", role, state)
    assert answer(world).roles == (str(ROLE["Gold"]),)


def test_a_report_that_the_server_does_not_want_counts_for_who_has_a_role_by_it(world: World) -> None:
    world.trust_report("ada")
    assert answer(world).standing is MemberStanding.ACTIVE
    world.settings = replace(world.settings, zero_link=False)
    told = answer(world)
    assert (told.linked, told.standing, told.tiers) == (False, MemberStanding.NONE, ())
    world.note("ada", "Gold", GrantState.HELD)
    assert (answer(world).linked, answer(world).standing) == (True, MemberStanding.ACTIVE)


def test_of_several_campaigns_the_best_standing_counts_and_all_tiers_are_told(world: World) -> None:
    other = CampaignId("050")
    (record,) = world.people["ada"].records.values()
    assert record.believed is not None
    lesser = replace(
        record.believed, campaign_id=other, patron_status=PatronStatus.NEVER, tier_ids=(TierId("9"),), entitled_cents=0
    )
    records = {**world.people["ada"].records, other: replace(record, campaign_id=other, believed=lesser)}
    told = answer_member(world.facts(), replace(world.people["ada"], records=records))
    assert (told.standing, told.since) == (MemberStanding.ACTIVE, BEGAN)
    assert told.tiers == (MemberTier(id="9", title=""), *GOLD), "one that Patreon has not named yet has no title"


def test_each_standing_of_the_planner_has_a_word_of_its_own_in_the_same_order() -> None:
    assert [one for one in MemberStanding if one is not MemberStanding.COMP] == [*Standing]
    entitled = [one for one in MemberStanding if one.is_entitled]
    assert entitled == ["active", "ending", "grace", "waiting", "comp"]
