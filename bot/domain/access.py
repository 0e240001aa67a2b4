"""Where roles and pledges part: who has a pledge role and is not entitled, who is entitled without it, and why. Pure.

Each is read off a decision of the planner, so that it says what the bot would do too:

    has the role  wanted  decision             gap
    yes           no      REVOKE               LEAVING
    yes           no      SPARE, LINGER        KEPT
    yes           no      HELD_BACK            HELD
    yes           no      BLOCKED              STUCK
    yes           no      NONE                 by another hand: STRANGER, FORMER or OTHER_PLEDGE
    no            yes     GRANT                COMING
    no            yes     HELD_BACK            WAITING
    no            yes     BLOCKED              UNASSIGNABLE
    no            yes     SCREENING            SCREENING
    no            yes     SUPPRESSED           SUPPRESSED
    a patron whose account is not in the server  NO_ACCOUNT

What is not proven is no gap.
"""

import enum
from collections.abc import Collection, Mapping

import msgspec

from bot.domain.adoption import Fate
from bot.domain.model import DiscordUserId, Mode, RoleId
from bot.domain.plan import Action, Bond, Decision, PersonPlan
from bot.domain.rules import Wanted

MOST_NAMED = 5


class Gap(enum.StrEnum):
    """Why somebody has a pledge role and is not entitled, or is and has it not."""

    # has it, and is not entitled
    STRANGER = "stranger"  # no patron of the server's campaigns, as far as its team may know
    FORMER = "former"
    OTHER_PLEDGE = "other_pledge"
    LEAVING = "leaving"
    KEPT = "kept"
    HELD = "held"
    STUCK = "stuck"
    # is entitled, and has it not
    COMING = "coming"
    WAITING = "waiting"
    UNASSIGNABLE = "unassignable"
    SCREENING = "screening"
    SUPPRESSED = "suppressed"
    NO_ACCOUNT = "no_account"


SURPLUS = (Gap.STRANGER, Gap.FORMER, Gap.OTHER_PLEDGE, Gap.LEAVING, Gap.KEPT, Gap.HELD, Gap.STUCK)
LACKING = (Gap.COMING, Gap.WAITING, Gap.UNASSIGNABLE, Gap.SCREENING, Gap.SUPPRESSED, Gap.NO_ACCOUNT)
_SURPLUS = {
    Action.REVOKE: Gap.LEAVING,
    Action.SPARE: Gap.KEPT,
    Action.LINGER: Gap.KEPT,
    Action.HELD_BACK: Gap.HELD,
    Action.BLOCKED: Gap.STUCK,
}
_LACKING = {
    Action.GRANT: Gap.COMING,
    Action.HELD_BACK: Gap.WAITING,
    Action.BLOCKED: Gap.UNASSIGNABLE,
    Action.SCREENING: Gap.SCREENING,
    Action.SUPPRESSED: Gap.SUPPRESSED,
}


def find_gap(decision: Decision, plan: PersonPlan) -> Gap | None:
    """Return the gap that a decision of this plan shows; None where role and pledge agree, or nothing is proven."""
    if not decision.has_role:
        return _LACKING.get(decision.action) if decision.claim.wanted is Wanted.YES else None
    if decision.claim.wanted is not Wanted.NO:
        return None
    if decision.action is not Action.NONE:
        return _SURPLUS.get(decision.action)
    if decision.bond is not Bond.LINKED or plan.is_link_hidden:
        return Gap.STRANGER
    entitlement = decision.claim.entitlement
    return Gap.OTHER_PLEDGE if entitlement is not None and entitlement.is_paying else Gap.FORMER


def find_gaps(plan: PersonPlan) -> dict[RoleId, Gap]:
    """Return the gaps of a person, by role."""
    found = ((decision.role_id, find_gap(decision, plan)) for decision in plan.decisions)
    return {role_id: gap for role_id, gap in found if gap is not None}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """How many people one gap is about, and the first of them by name."""

    people: int
    named: tuple[DiscordUserId, ...] = ()


class Adoptable(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A pledge role that somebody has by another hand than ours, and what would become of it."""

    discord_user_id: DiscordUserId
    role_id: RoleId
    fate: Fate


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who may and who has, in one server."""

    cases: Mapping[Gap, Case] = {}
    adoptable: tuple[Adoptable, ...] = ()
    left_out: tuple[str, ...] = ()  # pledge roles that whoever asks could not adopt, by name
    by_command: int = 0  # people of the server who are linked because they said so
    by_report: int = 0  # ... by Patreon's report alone
    mode: Mode = Mode.SYNC
    is_live: bool = True  # False: by the rules of a setup that is under way
    sees_everyone: bool = True  # False: without the members intent, we see linked people only

    def count(self, fates: Collection[Fate]) -> int:
        """Count the roles by other hands that would end so."""
        return sum(one.fate in fates for one in self.adoptable)


class Tally:
    """Counts gaps, person by person; names the first few of each."""

    def __init__(self) -> None:
        self._people = dict.fromkeys(Gap, 0)
        self._named: dict[Gap, list[DiscordUserId]] = {gap: [] for gap in Gap}

    def add(self, gaps: Collection[Gap], person: DiscordUserId | None = None) -> None:
        """Take one person, once for each kind of gap; whom the team may not know by account is counted alone."""
        for gap in set(gaps):
            self._people[gap] += 1
            if person is not None and len(self._named[gap]) < MOST_NAMED:
                self._named[gap].append(person)

    @property
    def cases(self) -> dict[Gap, Case]:
        """What was counted, without what was never met."""
        return {gap: Case(people=many, named=tuple(self._named[gap])) for gap, many in self._people.items() if many}
