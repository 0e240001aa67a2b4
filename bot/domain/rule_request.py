"""From what an admin typed to a role rule. Pure: knows the campaigns of the guild, and asks nobody.

Where an option offers choices, a typed id or name is as good.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import Campaign, GuildId, RoleId, RoleRule, RuleId, RuleKind, Tier
from bot.domain.reasons import RuleFacts

UNSTORED = RuleId(0)
MOST_CENTS = 100_000_000
MOST_MONTHS = 600
MOST_KEEP_DAYS = 90
WITH_AMOUNT = frozenset({RuleKind.AMOUNT, RuleKind.LIFETIME})


class RuleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `/patreon rule add`, as typed."""

    role_id: RoleId
    kind: RuleKind
    tier: str | None = None
    amount: str | None = None
    months: int | None = None
    keep_days: int | None = None
    campaign: str | None = None


class NamedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, with what its role and all that it asks for are called."""

    rule: RoleRule
    role: str  # "" where the role is gone
    facts: RuleFacts


def resolve(wish: RuleRequest, campaigns: Sequence[Campaign], *, guild_id: GuildId) -> RoleRule:
    """Return the rule that was wished for. Raises UserMistake."""
    _refuse_strays(wish)
    campaign, tier = _pick(wish, campaigns)
    return RoleRule(
        rule_id=UNSTORED,
        guild_id=guild_id,
        role_id=wish.role_id,
        campaign_id=campaign.campaign_id,
        kind=wish.kind,
        tier_id=None if tier is None else tier.tier_id,
        amount_cents=read_amount(wish.amount) if wish.kind in WITH_AMOUNT else None,
        months=_read_months(wish.months) if wish.kind is RuleKind.MONTHS else None,
        keep_days=read_keep_days(wish.keep_days),
    )


def find_same(rule: RoleRule, rules: Iterable[RoleRule]) -> RoleRule | None:
    """Return another rule that asks the same, for however many days its role stays: two such are one."""
    asked = _asked(rule)
    return next((one for one in rules if _asked(one) == asked and one.rule_id != rule.rule_id), None)


def _asked(rule: RoleRule) -> RoleRule:
    return msgspec.structs.replace(rule, rule_id=UNSTORED, keep_days=0)


def read_amount(typed: str | None) -> int:
    """Return an amount like 5, 5.00 or 5,00 in cents. Raises UserMistake."""
    if typed is None:
        raise UserMistake(Mistake.AMOUNT_MISSING)
    found = re.fullmatch(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?", typed.strip())
    cents = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
    if not 0 < cents <= MOST_CENTS:
        raise UserMistake(Mistake.AMOUNT_UNREADABLE)
    return cents


def read_keep_days(typed: int | None) -> int:
    """Return how many days the role stays when it is no longer earned. Raises UserMistake."""
    days = typed or 0
    if not 0 <= days <= MOST_KEEP_DAYS:
        raise UserMistake(Mistake.KEEP_DAYS_OUT_OF_RANGE, most=MOST_KEEP_DAYS)
    return days


def _read_months(typed: int | None) -> int:
    if typed is None:
        raise UserMistake(Mistake.MONTHS_MISSING)
    if not 1 <= typed <= MOST_MONTHS:
        raise UserMistake(Mistake.MONTHS_OUT_OF_RANGE, most=MOST_MONTHS)
    return typed


def _refuse_strays(wish: RuleRequest) -> None:
    """An option that the kind does not ask for is a misunderstanding, so it is no rule."""
    strays = {
        "tier": wish.tier is not None and wish.kind is not RuleKind.TIER,
        "amount": wish.amount is not None and wish.kind not in WITH_AMOUNT,
        "months": wish.months is not None and wish.kind is not RuleKind.MONTHS,
    }
    for option, is_stray in strays.items():
        if is_stray:
            raise UserMistake(Mistake.OPTION_NOT_OF_KIND, option=option, kind=str(wish.kind))


def _pick(wish: RuleRequest, campaigns: Sequence[Campaign]) -> tuple[Campaign, Tier | None]:
    if not campaigns:
        raise UserMistake(Mistake.NO_CAMPAIGN)
    chosen = [_pick_campaign(campaigns, wish.campaign)] if wish.campaign is not None else list(campaigns)
    if wish.kind is RuleKind.TIER:
        return _pick_tier(chosen, wish.tier)
    if len(chosen) > 1:
        raise UserMistake(Mistake.CAMPAIGN_AMBIGUOUS)
    return chosen[0], None


def _pick_campaign(campaigns: Sequence[Campaign], typed: str) -> Campaign:
    for campaign in campaigns:
        if typed.strip().casefold() in {campaign.campaign_id, campaign.name.casefold()}:
            return campaign
    raise UserMistake(Mistake.CAMPAIGN_UNKNOWN)


def _pick_tier(campaigns: Sequence[Campaign], typed: str | None) -> tuple[Campaign, Tier]:
    if typed is None:
        raise UserMistake(Mistake.TIER_MISSING)
    wanted = typed.strip().casefold()
    offered = [(campaign, tier) for campaign in campaigns for tier in campaign.tiers]
    found = [one for one in offered if one[1].tier_id == wanted] or [
        one for one in offered if one[1].title.casefold() == wanted
    ]
    if not found:
        raise UserMistake(Mistake.TIER_UNKNOWN)
    if len(found) > 1:
        raise UserMistake(Mistake.TIER_AMBIGUOUS)
    return found[0]
