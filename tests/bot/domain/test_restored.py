"""After a restore nothing is certain before it is learnt anew, and no role goes on the backup's word alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.model import CampaignId, GrantState
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import Action, PersonPlan, plan_person
from bot.domain.restored import DOUBTED, Restored, may_be_used_up
from bot.domain.safeguards import counted_revokes, doubted_revokes
from tests.fakes.world import CAMPAIGN, NEW_YEAR, ROLE, World, changes

DAY = timedelta(days=1)
GOLD = ROLE["Gold"]


@dataclass
class Again(World):
    """A world whose database is from a backup: of a day ago."""

    restored: Restored | None = None

    def plan_of(self, name: str) -> PersonPlan:
        self.look(name)
        return plan_person(replace(self.facts(), restored=self.restored), self.people[name])

    def restore(self) -> None:
        """A day after the backup was made it is restored."""
        taken_at = self.now
        self.days_pass(1)
        self.restored = Restored(taken_at=taken_at, began_at=self.now)

    def read_all(self) -> None:
        """The campaign's list is read whole."""
        assert self.restored is not None
        self.now += timedelta(minutes=1)
        self.restored = replace(self.restored, read_at={CAMPAIGN: self.now})


@pytest.fixture
def world() -> Again:
    world = Again()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    return world


def test_before_patreon_was_read_no_role_is_given_and_none_goes(world: Again) -> None:
    world.patron("new")
    world.holder("lapsed")
    world.read("lapsed", patron_status=PatronStatus.FORMER, tiers=())
    world.restore()
    assert world.plan("new") == changes(none=["Gold"])
    assert world.plan("lapsed") == changes(unproven=["Gold"])
    world.read_all()
    assert world.plan("new") == changes(grant=["Gold"])
    assert world.plan("lapsed") == changes(revoke=["Gold"])


def test_whoever_is_read_alone_is_certain_before_the_others(world: Again) -> None:
    for name in ("read", "other"):
        world.patron(name)
    world.restore()
    world.read("read")
    assert world.plan("read") == changes(grant=["Gold"])
    assert world.plan("other") == changes(none=["Gold"])


def test_whoever_links_again_or_is_missed_is_certain_too(world: Again) -> None:
    world.holder("ada")
    world.restore()
    world.link("ada")
    assert world.plan("ada") == changes(keep=["Gold"])
    world.holder("bo")
    world.restore()
    world.miss("bo")
    assert world.plan("bo") == changes(revoke=["Gold"])


def test_a_consent_that_told_all_is_certain(world: Again) -> None:
    world.holder("ada")
    world.restore()
    link = world.people["ada"].link
    assert link is not None
    assert world.restored is not None
    assert not world.restored.is_learnt(CAMPAIGN, None, link)
    assert world.restored.is_learnt(CAMPAIGN, None, replace(link, read_at=world.now))
    assert not world.restored.is_learnt(CAMPAIGN, None, None)


def test_whoever_unlinks_after_the_restore_loses_their_roles_at_once(world: Again) -> None:
    world.holder("ada")
    world.restore()
    world.unlink("ada")
    plan = world.plan_of("ada")
    (revoke,) = plan.having(Action.REVOKE)
    assert not revoke.is_doubted
    assert doubted_revokes(plan, {}) == counted_revokes(plan, {}) == ()


Twist = Callable[[Again], None]


def test_who_would_lose_a_role_is_asked_about_for_a_day(world: Again) -> None:
    world.holder("ada")
    world.restore()
    world.days_pass(5)  # nothing could be read
    world.read_all()
    world.read("ada", patron_status=PatronStatus.FORMER, tiers=())
    plan = world.plan_of("ada")
    assert [one.role_id for one in doubted_revokes(plan, {})] == [GOLD]
    assert [one.role_id for one in counted_revokes(plan, {})] == [GOLD]
    world.days_pass(DOUBTED / DAY)
    later = world.plan_of("ada")
    assert later.having(Action.REVOKE)
    assert doubted_revokes(later, {}) == ()


def test_a_tier_change_is_asked_about_too() -> None:
    world = Again()
    world.holder("ada")
    world.restore()
    world.read_all()
    world.read("ada", tiers=("Bronze",))
    plan = world.plan_of("ada")
    assert [one.role_id for one in plan.having(Action.REVOKE)] == [GOLD]
    assert [one.role_id for one in counted_revokes(plan, {})] == [GOLD]


def test_a_group_of_the_backup_takes_no_role_unasked() -> None:
    world = Again()
    world.drop_rule("Bronze")
    world.holder("ada")
    world.groups = (("Supporter", "Gold"),)  # perhaps the admin ended it since
    world.restore()
    world.read_all()
    plan = world.plan_of("ada")
    (revoke,) = plan.having(Action.REVOKE)
    assert revoke.claim.outranked_by == ROLE["Supporter"]
    assert counted_revokes(plan, {}) == (revoke,)


@pytest.mark.parametrize(
    "twist",
    [
        pytest.param(lambda world: world.drop_rule("Gold"), id="the admin ends its rule"),
        pytest.param(lambda world: world.undo_grant("ada", "Gold"), id="the admin undoes the grant"),
    ],
)
def test_what_an_admin_does_after_the_restore_needs_no_second_word(world: Again, twist: Twist) -> None:
    world.holder("ada")
    world.restore()
    world.read_all()
    twist(world)
    plan = world.plan_of("ada")
    assert plan.having(Action.REVOKE)
    assert doubted_revokes(plan, {}) == ()


def test_the_end_of_a_comp_needs_no_second_word(world: Again) -> None:
    world.stranger("guest")
    world.comp("guest", "Gold", days=2)
    world.apply("guest")
    world.restore()
    world.days_pass(2)
    plan = world.plan_of("guest")
    assert plan.having(Action.REVOKE)
    assert doubted_revokes(plan, {}) == ()


def test_a_role_that_is_gone_was_taken_unless_the_pledge_is_a_new_one(world: Again) -> None:
    long_ago = NEW_YEAR - timedelta(days=300)
    for name in ("taken", "anew", "unknown"):
        world.patron(name, pledge_started_at=long_ago)
        world.apply(name)
    world.restore()
    for name in ("taken", "anew", "unknown"):
        world.take(name, "Gold")
        assert world.plan(name) == changes(none=["Gold"]) or world.plan(name) == changes(unproven=["Gold"])
    world.read_all()
    world.read("anew", pledge_started_at=world.now)
    world.read("unknown", pledge_started_at=None)
    assert world.plan("taken") == changes(suppressed=["Gold"])
    assert world.plan("anew") == changes(grant=["Gold"])
    assert world.plan("unknown") == changes(suppressed=["Gold"])


def test_what_was_taken_before_the_backup_stays_away(world: Again) -> None:
    world.holder("ada")
    world.take("ada", "Gold")
    world.look("ada")
    world.restore()
    world.read_all()
    world.read("ada", pledge_started_at=world.now)
    assert world.people["ada"].grants[GOLD].state is GrantState.SUPPRESSED
    assert world.plan("ada") == changes(suppressed=["Gold"])


def test_of_a_backup_without_a_date_a_pledge_is_new_that_began_after_the_role_came(world: Again) -> None:
    world.holder("ada")
    grant = world.people["ada"].grants[GOLD]
    world.restore()
    assert world.restored is not None
    dateless = replace(world.restored, taken_at=None)
    gone = replace(grant, state=GrantState.SUPPRESSED, since=world.now)
    assert dateless.is_new_pledge(gone, world.now)
    assert not dateless.is_new_pledge(gone, NEW_YEAR - DAY)
    assert not dateless.is_new_pledge(replace(gone, granted_at=None), world.now)


def test_a_hold_of_the_first_day_is_told_from_the_brakes() -> None:
    restored = Restored(taken_at=None, began_at=NEW_YEAR, read_at={CAMPAIGN: NEW_YEAR + 2 * DAY})
    assert not restored.is_of_first_day(NEW_YEAR - DAY)
    assert restored.is_of_first_day(NEW_YEAR + 2.5 * DAY)
    assert not restored.is_of_first_day(NEW_YEAR + 4 * DAY)


def test_a_role_of_two_campaigns_is_doubted_until_a_day_after_the_later_read() -> None:
    other = CampaignId("101")
    restored = Restored(taken_at=None, began_at=NEW_YEAR, read_at={CAMPAIGN: NEW_YEAR, other: NEW_YEAR + 3 * DAY})
    assert not restored.is_doubted([CAMPAIGN], NEW_YEAR + 2 * DAY)
    assert restored.is_doubted([CAMPAIGN, other], NEW_YEAR + 2 * DAY)


def test_a_pair_is_used_up_once_the_bot_would_have_refreshed_it() -> None:
    ends = NEW_YEAR + timedelta(days=30)
    assert not may_be_used_up(obtained_at=NEW_YEAR, expires_at=ends, now=NEW_YEAR + timedelta(days=19))
    assert may_be_used_up(obtained_at=NEW_YEAR, expires_at=ends, now=NEW_YEAR + timedelta(days=21))
