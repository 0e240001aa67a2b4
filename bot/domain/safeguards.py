"""Rails on a plan: what keeps a planned change from happening. Pure; has no say in who earns what.

    rail        grants     revokes
    mode        off        off and grant_only
    hold        -          each (person, role) of a hold that nobody has answered
    discard     -          each that an admin chose to keep, until that person's facts change
    report      each       each of a person to whom a grant is due, by a link that rests on Patreon's report, where the
                           guild does not want such links
    blocked     -          each of a person who pays, while another role that they earn cannot be given

The last two keep an upgrade from ending with nothing.
The brake opens a hold when more than `brake_percent` of a guild's held roles would go within 24 hours, from five up.
What somebody did on purpose does not count: /unlink, a rule that an admin removed, a hold that an admin applied, a tier
change that leaves the person another pledge role, the end of a comp, a higher role of an exclusive group, an undo. Nor
does a hold keep a role from somebody who unlinked, or one that goes by an admin's word: no rule names it any more, its
comp has ended, another role of its group takes its place, or its grant was undone. A comp rests on no report of
Patreon's and replaces no pledge role.
After a restore each revoke that the plan doubts opens a hold too, however few there are, a tier change as well, and a
higher role of its group does not answer it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import assert_never

import msgspec

from bot.domain.holds import HoldItem, HoldState
from bot.domain.model import CampaignId, GuildSettings, Link, LinkOrigin, MembershipRecord, Mode, RoleId
from bot.domain.plan import WRITES, Action, Decision, PersonFacts, PersonPlan, Rail
from bot.domain.rules import Wanted

_LOSSES = frozenset({Action.REVOKE, Action.SPARE, Action.LINGER})
BRAKE_WINDOW = timedelta(hours=24)
BRAKE_FROM = 5  # below that a few cancellations of one day are a large share of a small server


class Brake(msgspec.Struct, frozen=True, kw_only=True):
    """What went and what is there: revokes that count of the last 24 hours, and roles of ours held now."""

    recent: int
    held: int
    percent: int  # 100: off

    def must_hold(self, planned: int) -> bool:
        """Tell whether so many more revokes are too many."""
        gone = self.recent + planned
        return gone >= BRAKE_FROM and gone * 100 > self.percent * (self.recent + self.held)


def rein_in(
    plan: PersonPlan, settings: GuildSettings, *, items: Mapping[RoleId, HoldItem] | None = None, mark: str = ""
) -> PersonPlan:
    """Return the plan with what a rail forbids held back. `mark` is the person's facts, as `facts_mark` says them."""
    if not plan.is_change:  # nearly always
        return plan
    held = {role_id: one for role_id, one in (items or {}).items() if not plan.has_unlinked}
    decisions = tuple(_rein_in(one, settings, held.get(one.role_id), mark) for one in plan.decisions)
    if is_unwanted(plan.link, settings) and any(one.claim.comp is None for one in plan.having(Action.GRANT)):
        decisions = tuple(_hold_back(one, Rail.REPORT) if _rests_on_report(one) else one for one in decisions)
    if any(one.claim.wanted is Wanted.YES and one.claim.rule is not None for one in plan.having(Action.BLOCKED)):
        decisions = tuple(_hold_back(one, Rail.BLOCKED) if _is_swap(one) else one for one in decisions)
    return plan if decisions == plan.decisions else msgspec.structs.replace(plan, decisions=decisions)


def is_unwanted(link: Link | None, settings: GuildSettings) -> bool:
    """Tell whether a link rests on a report of Patreon's that the guild does not want: nothing new comes of it."""
    return link is not None and link.origin is LinkOrigin.PATREON and not settings.zero_link


def counted_revokes(plan: PersonPlan, items: Mapping[RoleId, HoldItem]) -> tuple[Decision, ...]:
    """Return the revokes that count for the brake."""
    revokes = plan.having(Action.REVOKE)
    if not revokes:
        return ()
    doubted = doubted_revokes(plan, items)
    if not doubted and (plan.has_unlinked or any(map(_is_left, plan.decisions))):
        return ()
    return tuple(one for one in revokes if not _is_own_proof(one) and not _is_approved(items.get(one.role_id)))


def doubted_revokes(plan: PersonPlan, items: Mapping[RoleId, HoldItem]) -> tuple[Decision, ...]:
    """Return the revokes that no admin has answered yet since a restore: not one of them happens unasked."""
    revokes = plan.having(Action.REVOKE)
    return tuple(one for one in revokes if one.is_doubted and not _is_approved(items.get(one.role_id)))


def _is_own_proof(decision: Decision) -> bool:
    """Tell whether a revoke follows from an admin's word.

    No rule names the role any more, its comp has ended, another of its group takes its place, or its grant is undone.
    """
    claim = decision.claim
    is_outranked = claim.outranked_by is not None and not decision.is_doubted
    return claim.rule is None or claim.comp is not None or is_outranked or claim.is_undone


def _rests_on_report(decision: Decision) -> bool:
    return decision.action in WRITES and decision.claim.comp is None


def _is_left(decision: Decision) -> bool:
    """Tell whether a pledge leaves the person this role: one for former or generous patrons is no tier change."""
    entitlement = decision.claim.entitlement
    is_there = decision.action in {Action.GRANT, Action.KEEP, Action.EARNED_AGAIN, Action.LEAVE}
    is_earned = decision.claim.wanted is Wanted.YES and not decision.claim.is_undone
    return is_there and is_earned and entitlement is not None and entitlement.is_paying


def lost_by(before: PersonPlan, after: PersonPlan) -> tuple[Decision, ...]:
    """Return the revokes that only the second plan has, also those that come when the days of a rule are over."""
    lost_anyway = {one.role_id for one in before.decisions if one.action in _LOSSES}
    return tuple(one for one in after.decisions if one.action in _LOSSES and one.role_id not in lost_anyway)


def outdated_items(plan: PersonPlan, items: Mapping[RoleId, HoldItem]) -> tuple[HoldItem, ...]:
    """Return what a hold says of this person and the plan no longer does."""
    if plan.is_unplanned:
        return ()
    still = {
        one.role_id
        for one in plan.decisions
        if one.action in {Action.REVOKE, Action.HELD_BACK} or (one.claim.is_undone and one.claim.wanted is Wanted.YES)
    }
    return tuple(item for role_id, item in items.items() if role_id not in still)


def returned_roles(items: Iterable[HoldItem], records: Mapping[CampaignId, MembershipRecord]) -> frozenset[RoleId]:
    """Return the roles of a person whose removal an admin undid while these facts were the same."""
    returned = [item for item in items if item.state is HoldState.RETURNED]
    mark = records_mark(records) if returned else ""
    return frozenset(item.role_id for item in returned if item.holds_for(mark))


def facts_mark(person: PersonFacts) -> str:
    """Return a short text that changes when the facts do on which this person's roles rest."""
    return records_mark(person.records)


def records_mark(records: Mapping[CampaignId, MembershipRecord]) -> str:
    """Return the same, of what their campaigns say of them."""
    facts = [
        [
            record.campaign_id,
            record.memory.gone_since is not None,
            record.believed
            and [
                record.believed.patron_status,
                record.believed.charge_status,
                record.believed.tier_ids,
                record.believed.entitled_cents,
                record.believed.is_gifted,
            ],
        ]
        for _, record in sorted(records.items())
    ]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:16]


def _rein_in(decision: Decision, settings: GuildSettings, item: HoldItem | None, mark: str) -> Decision:
    rail = _find_rail(decision, settings, item, mark)
    return decision if rail is None else _hold_back(decision, rail)


def _hold_back(decision: Decision, rail: Rail) -> Decision:
    return msgspec.structs.replace(decision, action=Action.HELD_BACK, rail=rail)


def _is_swap(decision: Decision) -> bool:
    """Tell whether this takes a role from somebody who goes on to pay."""
    rule, entitlement = decision.claim.rule, decision.claim.entitlement
    return decision.action is Action.REVOKE and rule is not None and entitlement is not None and entitlement.is_paying


def _find_rail(decision: Decision, settings: GuildSettings, item: HoldItem | None, mark: str) -> Rail | None:
    if decision.action not in WRITES:
        return None
    if _is_barred(decision.action, settings.mode):
        return Rail.MODE
    if decision.action is Action.GRANT or item is None or _is_own_proof(decision):
        return None
    match item.state:
        case HoldState.OPEN:
            return Rail.HOLD
        case HoldState.APPROVED | HoldState.RETURNED:  # while the latter's facts are the same, nothing is to go
            return None
        case HoldState.DISCARDED:
            return Rail.DISCARD if item.holds_for(mark) else None
        case _:
            assert_never(item.state)


def _is_barred(action: Action, mode: Mode) -> bool:
    match mode:
        case Mode.SYNC:
            return False
        case Mode.GRANT_ONLY:
            return action is Action.REVOKE
        case Mode.OFF:
            return True
        case _:
            assert_never(mode)


def _is_approved(item: HoldItem | None) -> bool:
    return item is not None and item.state is HoldState.APPROVED
