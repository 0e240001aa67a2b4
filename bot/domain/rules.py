"""Which roles a person's entitlements earn, and by which rule. Pure; knows nothing of what the person has now.

Several rules for one role are alternatives. Tiers are compared by id, for their prices stand in other currencies.
"""

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import assert_never

import msgspec

from bot.domain.charge_status import TAKEN_BACK
from bot.domain.comps import Comp
from bot.domain.entitlement import Entitlement, Standing, entitle, entitle_unproven
from bot.domain.model import CampaignId, MembershipRecord, RoleId, RoleRule, RuleKind, Tier, TierId
from bot.domain.new_reading import is_declined, is_in_doubt


class Wanted(enum.StrEnum):
    """Whether a role is earned."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"  # nothing says yes, but not every rule of the role has a fact that says no


class Claim(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The answer for one role with the rule and the fact that decided it; no rule: none names the role any more.

    A comp that runs decides too, beside a rule that is met or alone; one that has ended says by what the role came.
    """

    role_id: RoleId
    wanted: Wanted
    rule: RoleRule | None = None
    entitlement: Entitlement | None = None
    comp: Comp | None = None
    outranked_by: RoleId | None = None  # the role of its exclusive group that takes its place
    is_undone: bool = False  # an admin undid that the role was taken (wanted), or that it was given


class Account(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One campaign's word on one person: what is believed, and what a read not yet believed would give on top."""

    believed: Entitlement
    unproven: Entitlement | None = None
    is_proven: bool = True

    @property
    def told(self) -> Entitlement:
        """What is believed; where nothing is yet, what was read last."""
        if self.believed.reading is None and self.unproven is not None:
            return self.unproven
        return self.believed


def settle_accounts(
    records: Mapping[CampaignId, MembershipRecord],
    *,
    tiers: Mapping[CampaignId, Mapping[TierId, Tier]],
    now: datetime,
    grace_days: int,
) -> dict[CampaignId, Account]:
    """Work out each campaign's word on the person whose `records` these are, by its own tiers."""
    return {
        campaign_id: _settle(record, tiers=tiers.get(campaign_id, {}), now=now, grace_days=grace_days)
        for campaign_id, record in records.items()
    }


def find_best(accounts: Mapping[CampaignId, Account]) -> tuple[CampaignId | None, Entitlement]:
    """Return with which campaign the person stands best, and how; with none where none is known."""
    found = [(campaign_id, account.told) for campaign_id, account in sorted(accounts.items())]
    return min(found, key=lambda one: _BEST.index(one[1].standing), default=(None, _NONE))


def _settle(record: MembershipRecord, *, tiers: Mapping[TierId, Tier], now: datetime, grace_days: int) -> Account:
    return Account(
        believed=entitle(record, tiers=tiers, now=now, grace_days=grace_days),
        unproven=entitle_unproven(record, tiers=tiers, now=now, grace_days=grace_days),
        is_proven=_is_proven(record, tiers),
    )


def _is_proven(record: MembershipRecord, tiers: Mapping[TierId, Tier]) -> bool:
    """Tell whether something says that what is not earned is not earned.

    Of a reading in doubt nothing does, nor of a tier that Patreon never named: it brings each beside its members.
    """
    if record.memory.gone_since is not None:
        return True
    reading = record.believed
    return reading is not None and not is_in_doubt(reading) and tiers.keys() >= set(reading.tier_ids)


def claim_roles(rules: Iterable[RoleRule], accounts: Mapping[CampaignId, Account]) -> dict[RoleId, Claim]:
    """Answer for each role that the rules name; a rule that is met decides, else one that is unsure, else the first."""
    claims: dict[RoleId, Claim] = {}
    for rule in rules:
        claim = _claim(rule, accounts.get(rule.campaign_id))
        known = claims.get(rule.role_id)
        if known is None or _RANK[claim.wanted] > _RANK[known.wanted]:
            claims[rule.role_id] = claim
    return claims


def with_comp(claim: Claim, comp: Comp, now: datetime) -> Claim:
    """Return the answer for a role with an admin's word beside the rules'.

    pledge   comp     wanted
    yes      runs     yes        by both: neither takes what the other gives
    no       runs     yes        by the comp alone
    unsure   runs     yes        by the comp alone
    yes      ended    yes        by the pledge
    no       ended    no         and its end is why
    unsure   ended    unsure
    """
    is_earned = claim.wanted is Wanted.YES
    if comp.is_over(now):
        return claim if is_earned else msgspec.structs.replace(claim, comp=comp)
    if is_earned:
        return msgspec.structs.replace(claim, comp=comp)
    return Claim(role_id=claim.role_id, wanted=Wanted.YES, comp=comp)


_RANK = {Wanted.NO: 0, Wanted.UNSURE: 1, Wanted.YES: 2}
_BEST = tuple(Standing)  # as they stand there, the best first
_NONE = Entitlement(standing=Standing.NONE)


def _claim(rule: RoleRule, account: Account | None) -> Claim:
    if account is None:
        return Claim(role_id=rule.role_id, wanted=Wanted.UNSURE, rule=rule, entitlement=_NONE)
    for entitlement in (account.believed, account.unproven):
        if entitlement is not None and is_met(rule, entitlement):
            return Claim(role_id=rule.role_id, wanted=Wanted.YES, rule=rule, entitlement=entitlement)
    wanted = Wanted.NO if account.is_proven and is_told(rule, account.believed) else Wanted.UNSURE
    return Claim(role_id=rule.role_id, wanted=wanted, rule=rule, entitlement=account.believed)


def days_kept(rules: Iterable[RoleRule], accounts: Mapping[CampaignId, Account]) -> dict[RoleId, int]:
    """Return how many days each role stays that is no longer earned: by the longest of its rules.

    That is for a pledge that ended, or became a smaller one. A declined charge has its own grace and no days more;
    money that was taken back has neither.
    """
    days: dict[RoleId, int] = {}
    for rule in rules:
        account = accounts.get(rule.campaign_id) if rule.keep_days else None
        if account is not None and _has_ended_well(account.believed):
            days[rule.role_id] = max(rule.keep_days, days.get(rule.role_id, 0))
    return days


def _has_ended_well(entitlement: Entitlement) -> bool:
    reading = entitlement.reading
    return reading is not None and not is_declined(reading) and reading.charge_status not in TAKEN_BACK


def is_met(rule: RoleRule, entitlement: Entitlement) -> bool:
    """Tell whether the entitlement satisfies the rule."""
    match rule.kind:
        case RuleKind.TIER:
            return rule.tier_id in entitlement.tier_ids
        case RuleKind.PAYING:
            return entitlement.is_paying
        case RuleKind.AMOUNT:
            return entitlement.is_paying and entitlement.cents >= (rule.amount_cents or 0)
        case RuleKind.LIFETIME:
            return (entitlement.lifetime_cents or 0) >= (rule.amount_cents or 1)
        case RuleKind.MONTHS:
            return entitlement.is_paying and (entitlement.months or 0) >= (rule.months or 1)
        case RuleKind.FREE:
            return entitlement.is_free_member
        case RuleKind.FORMER:
            return entitlement.standing is Standing.LAPSED and entitlement.has_paid
        case _:
            assert_never(rule.kind)


def is_told(rule: RoleRule, entitlement: Entitlement) -> bool:
    """Tell whether Patreon said what the rule asks about.

    API v1 may leave out what was paid altogether, and says pledges in the patron's currency, which we cannot compare.
    """
    match rule.kind:
        case RuleKind.AMOUNT:
            reading = entitlement.reading
            return not entitlement.is_paying or reading is None or reading.entitled_cents is not None
        case RuleKind.LIFETIME:
            return entitlement.reading is None or entitlement.lifetime_cents is not None
        case RuleKind.MONTHS:
            return not entitlement.is_paying or entitlement.months is not None
        case RuleKind.FORMER:
            is_over = entitlement.standing is Standing.LAPSED and entitlement.reading is not None
            return not is_over or entitlement.lifetime_cents is not None
        case RuleKind.TIER | RuleKind.PAYING | RuleKind.FREE:
            return True
        case _:
            assert_never(rule.kind)
