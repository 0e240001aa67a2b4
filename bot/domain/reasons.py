"""Why a role is given, kept, taken or held back, in codes and facts: what is stored of a decision, and put into words.

A reason stands on its own: the names in it are those of its time, and nothing of what is known today is asked. Pure.

What Patreon says of a person in one campaign, in the order in which it is asked:

    no reading, and a read missed them   UNLISTED       linked, and no member there
    no reading                           UNREAD         linked, and not read yet
    ACTIVE                               ACTIVE
    ENDING                               ENDING         cancelled or paused, and paid to the end of the period
    GRACE                                DECLINED, or VANISHED where v1 lists the pledge no more
    WAITING, no tier                     TIERLESS       believed after a second look
    WAITING, the Free tier alone         HOLLOW         believed after a second look
    WAITING, a status we do not know     UNCLEAR
    FREE                                 FREE
    LAPSED, a read missed them           GONE
    LAPSED, nothing was ever charged     NEVER_CHARGED
    LAPSED                               LAPSED
"""

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import assert_never

import msgspec

from bot.domain.assignable import Block
from bot.domain.comps import Comp
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import Campaign, CampaignId, DiscordUserId, Membership, RoleRule, RuleKind, Source, Tier, TierId
from bot.domain.new_reading import is_declined, is_hollow, is_tierless
from bot.domain.plan import Action, Bond, Decision, GuildFacts, PersonPlan, Rail
from bot.domain.pledge_terms import Term, charge_terms, lapse_terms, never_began, pledge_terms
from bot.domain.rules import Wanted


class Status(enum.StrEnum):
    """What Patreon says of a person in one campaign."""

    ACTIVE = "active"
    ENDING = "ending"
    DECLINED = "declined"
    VANISHED = "vanished"
    TIERLESS = "tierless"
    HOLLOW = "hollow"
    UNCLEAR = "unclear"
    FREE = "free"
    GONE = "gone"
    NEVER_CHARGED = "never charged"
    LAPSED = "lapsed"
    UNLISTED = "unlisted"
    UNREAD = "unread"


class TierName(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What a tier is called: by its price where it has no title, as in campaigns that charge for each creation."""

    tier_id: TierId
    title: str = ""
    amount_cents: int | None = None  # None: Patreon never told of this tier
    currency: str = ""


class RuleFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What a rule asks for."""

    kind: RuleKind
    campaign: str
    tier: TierName | None = None  # of a TIER rule
    amount_cents: int | None = None  # of an AMOUNT or LIFETIME rule
    currency: str = ""
    months: int | None = None  # of a MONTHS rule
    keep_days: int = 0


class PatronFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What Patreon says of a person in one campaign, by which source, and when it was asked. Never an amount."""

    campaign: str
    status: Status
    tiers: tuple[TierName, ...] = ()  # that count
    until: datetime | None = None  # when that ends, or ended
    gone_since: datetime | None = None  # since when the campaign lists them no more
    terms: tuple[Term, ...] = ()
    cadence_months: int | None = None  # of CADENCE
    unknown_words: tuple[str, ...] = ()  # of UNKNOWN_WORDS, as Patreon sent them
    source: Source | None = None
    read_at: datetime | None = None


class CompFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A role by an admin's word, and whether that has ended."""

    reason: str
    given_by: DiscordUserId
    until: datetime | None = None
    is_over: bool = False


class RoleReason(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="role"):
    """What was decided about one role of one person, and the facts that decided."""

    role: str  # "" where the role is gone
    action: Action
    wanted: Wanted
    has_role: bool = False
    bond: Bond = Bond.LINKED
    rule: RuleFacts | None = None  # None: no rule names the role any more
    patron: PatronFacts | None = None  # in the rule's campaign; None where no account is linked, or no rule is there
    comp: CompFacts | None = None  # that gives the role, or gave it
    block: Block | None = None
    rail: Rail | None = None
    taken_at: datetime | None = None  # of SUPPRESSED: when we saw that somebody took the role away
    kept_until: datetime | None = None  # of SPARE and LINGER
    outranked_by: str | None = None  # the role of its exclusive group that takes its place; "" where that is gone
    is_undone: bool = False  # an admin undid that it was removed (wanted), or that it was assigned


class OldText(msgspec.Struct, frozen=True, tag="text"):
    """A reason of before reasons were codes: it is shown as it was written."""

    text: str


def reason_of(decision: Decision, guild: GuildFacts) -> RoleReason:
    """Return the facts behind a decision that was made with these facts of the guild."""
    rule, outranked_by = decision.claim.rule, decision.claim.outranked_by
    patron = None
    if rule is not None and decision.bond is Bond.LINKED:
        entitlement = decision.claim.entitlement or Entitlement(standing=Standing.NONE)
        patron = _patron_facts(entitlement, rule.campaign_id, decision.gone_since, guild)
    return RoleReason(
        role=guild.roles.get(decision.role_id, ""),
        action=decision.action,
        wanted=decision.claim.wanted,
        has_role=decision.has_role,
        bond=decision.bond,
        rule=None if rule is None else rule_facts(rule, guild.campaigns),
        patron=patron,
        comp=None if decision.claim.comp is None else comp_facts(decision.claim.comp, guild.now),
        block=decision.block,
        rail=decision.rail,
        taken_at=decision.taken_at,
        kept_until=decision.kept_until,
        outranked_by=None if outranked_by is None else guild.roles.get(outranked_by, ""),
        is_undone=decision.claim.is_undone,
    )


def comp_facts(comp: Comp, now: datetime) -> CompFacts:
    """Return what an admin said of a role."""
    return CompFacts(reason=comp.reason, given_by=comp.given_by, until=comp.until, is_over=comp.is_over(now))


def rule_facts(rule: RoleRule, campaigns: Mapping[CampaignId, Campaign]) -> RuleFacts:
    """Return what a rule asks for, with the names of today."""
    campaign = campaigns.get(rule.campaign_id)
    return RuleFacts(
        kind=rule.kind,
        campaign=_campaign_name(rule.campaign_id, campaign),
        tier=None if rule.tier_id is None else _tier_name(rule.tier_id, campaign),
        amount_cents=rule.amount_cents,
        currency="" if rule.amount_cents is None or campaign is None else campaign.currency,
        months=rule.months,
        keep_days=rule.keep_days,
    )


def tier_names(tier_ids: Iterable[TierId], campaign: Campaign | None) -> tuple[TierName, ...]:
    """Return what tiers are called, in the order of their titles."""
    return tuple(sorted((_tier_name(one, campaign) for one in tier_ids), key=lambda tier: (tier.title, tier.tier_id)))


def patron_facts(plan: PersonPlan, guild: GuildFacts) -> tuple[PatronFacts, ...]:
    """Return what Patreon says of a linked person, of each campaign that the guild follows."""
    is_linked = plan.is_link_hidden or (plan.link is not None and plan.link.ended_at is None)
    if not is_linked:
        return ()
    known = {one.reading.campaign_id: one for one in plan.standings if one.reading is not None}
    nothing = Entitlement(standing=Standing.NONE)
    return tuple(
        _patron_facts(known.get(campaign_id, nothing), campaign_id, plan.gone_since.get(campaign_id), guild)
        for campaign_id in sorted(guild.campaigns, key=lambda one: one not in known)
    )


def _patron_facts(
    entitlement: Entitlement, campaign_id: CampaignId, gone_since: datetime | None, guild: GuildFacts
) -> PatronFacts:
    reading, confirmed_at = entitlement.reading, guild.confirmed_at.get(campaign_id)
    campaign = guild.campaigns.get(campaign_id)
    name = _campaign_name(campaign_id, campaign)
    source, read_at = find_source(reading, gone_since=gone_since, confirmed_at=confirmed_at)
    if reading is None:
        return PatronFacts(
            campaign=name,
            status=Status.UNREAD if gone_since is None else Status.UNLISTED,
            gone_since=gone_since,
            source=source,
            read_at=read_at,
        )
    status = _find_status(entitlement, reading, gone_since)
    terms = _find_terms(status, entitlement, reading, guild.tiers.get(campaign_id, {}))
    return PatronFacts(
        campaign=name,
        status=status,
        tiers=tier_names(entitlement.tier_ids, campaign),
        until=entitlement.until,
        gone_since=gone_since,
        terms=terms,
        cadence_months=reading.cadence_months if Term.CADENCE in terms else None,
        unknown_words=reading.unknown_words if Term.UNKNOWN_WORDS in terms else (),
        source=source,
        read_at=read_at,
    )


def _campaign_name(campaign_id: CampaignId, campaign: Campaign | None) -> str:
    return campaign_id if campaign is None else campaign.name


def _tier_name(tier_id: TierId, campaign: Campaign | None) -> TierName:
    tier = next((one for one in campaign.tiers if one.tier_id == tier_id), None) if campaign is not None else None
    if campaign is None or tier is None:
        return TierName(tier_id=tier_id)
    title = tier.title.strip()
    return TierName(tier_id=tier_id, title=title, amount_cents=tier.amount_cents, currency=campaign.currency)


def _find_status(entitlement: Entitlement, reading: Membership, gone_since: datetime | None) -> Status:
    match entitlement.standing:
        case Standing.ACTIVE:
            return Status.ACTIVE
        case Standing.ENDING:
            return Status.ENDING
        case Standing.GRACE:
            return Status.DECLINED if is_declined(reading) else Status.VANISHED
        case Standing.WAITING:
            if is_tierless(reading):
                return Status.TIERLESS
            return Status.HOLLOW if is_hollow(reading) else Status.UNCLEAR
        case Standing.FREE:
            return Status.FREE
        case Standing.LAPSED | Standing.NONE:
            if gone_since is not None:
                return Status.GONE
            return Status.NEVER_CHARGED if never_began(reading) else Status.LAPSED
        case _:
            assert_never(entitlement.standing)


def _find_terms(
    status: Status, entitlement: Entitlement, reading: Membership, tiers: Mapping[TierId, Tier]
) -> tuple[Term, ...]:
    match status:
        case Status.ACTIVE | Status.ENDING:
            return pledge_terms(reading, tiers)
        case Status.UNCLEAR | Status.FREE:
            return charge_terms(reading)
        case Status.LAPSED | Status.NEVER_CHARGED:
            return lapse_terms(entitlement, reading)
        case Status.DECLINED | Status.VANISHED | Status.TIERLESS | Status.HOLLOW | Status.GONE:
            return ()
        case Status.UNLISTED | Status.UNREAD:
            return ()
        case _:
            assert_never(status)


def find_source(
    reading: Membership | None, *, gone_since: datetime | None, confirmed_at: datetime | None
) -> tuple[Source | None, datetime | None]:
    """Return which request a fact rests on, and when it was made: a list that found no news stores none."""
    if gone_since is not None:
        return _find_absence(reading, gone_since, confirmed_at)
    if confirmed_at is not None and (reading is None or confirmed_at > reading.read_started_at):
        return Source.BULK, confirmed_at
    return (None, None) if reading is None else (reading.source, reading.read_started_at)


def _find_absence(
    reading: Membership | None, gone_since: datetime, confirmed_at: datetime | None
) -> tuple[Source, datetime]:
    """Return the read that missed them: on v2 a consent's silence proves nothing against a membership once seen."""
    is_v2 = reading is not None and reading.membership_id is not None
    if is_v2 or (confirmed_at is not None and confirmed_at >= gone_since):
        return Source.BULK, max(gone_since, confirmed_at or gone_since)
    return Source.IDENTITY, gone_since
