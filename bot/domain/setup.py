"""Setting a server up step by step: the draft that is kept until Go live, and what each tier would get.

Pure. A draft is a fact: which campaign, which role for each tier, which policies, and where it was left. Its generation
grows with each change and is never used twice in a server, so a panel that shows an older one is known by it.
"""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

import msgspec

from bot.domain.assignable import Block, Powers, Right, RoleLook, find_block, find_refusal
from bot.domain.doctor import DoctorCode, DoctorFinding, Harm
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import (
    Campaign,
    CampaignId,
    GuildId,
    GuildSettings,
    Mode,
    RoleId,
    RoleRule,
    RuleKind,
    Tier,
    TierId,
)
from bot.domain.plan import GuildFacts
from bot.domain.planned import GuildPlan
from bot.domain.rule_request import UNSTORED

TIERS_ON_A_PAGE = 5  # of at most five components each: Discord takes 40 in a message
DAYS = (0, 3, 7, 14, 30)  # that are offered for either policy that counts days
_FILLERS = frozenset({"patron", "patrons", "tier", "member", "members", "supporter", "supporters", "the"})
# It is there to end the first two, and the last one is normal in a server's first minutes.
_OF_THE_SETUP = frozenset({DoctorCode.NO_RULES, DoctorCode.NO_CAMPAIGN, DoctorCode.WEBHOOK_MISSING})


class SetupStep(enum.StrEnum):
    """Where a setup stands."""

    CAMPAIGN = "campaign"
    ROLES = "roles"
    POLICIES = "policies"
    PREVIEW = "preview"


class Policy(enum.StrEnum):
    """What an admin is asked beside the roles."""

    MODE = "mode"
    GRACE_DAYS = "grace_days"
    KEEP_DAYS = "keep_days"
    ZERO_LINK = "zero_link"


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """The answers."""

    mode: Mode = Mode.SYNC
    grace_days: int = 7
    keep_days: int = 0  # of each rule
    zero_link: bool = True


class SetupDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen so far. A tier that is not in `roles` was not looked at yet; None: it gets no role."""

    guild_id: GuildId
    generation: int = 0
    step: SetupStep = SetupStep.CAMPAIGN
    page: int = 0  # of the tiers
    campaign_id: CampaignId | None = None
    roles: Mapping[TierId, RoleId | None] = msgspec.field(default_factory=dict)
    policies: Policies = Policies()


class TierRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tier with the role that its patrons would get."""

    tier: Tier
    role_id: RoleId | None = None
    role: str = ""  # its name; "" where there is none, or it is gone
    block: Block | None = None  # why it cannot be given, or not by whoever looks
    rights: tuple[Right, ...] = ()  # of a DANGEROUS one


class SetupView(msgspec.Struct, frozen=True, kw_only=True):
    """What a panel shows."""

    draft: SetupDraft
    campaigns: tuple[Campaign, ...]
    campaign: Campaign | None = None
    rows: tuple[TierRow, ...] = ()
    findings: tuple[DoctorFinding, ...] = ()
    plan: GuildPlan | None = None  # of the preview
    earlier_rules: int = 0  # that the server has already
    is_outdated: bool = False  # somebody else changed the draft meanwhile: nothing was done

    @property
    def pages(self) -> int:
        """Return on how many pages the tiers are."""
        return max(1, -(-len(self.rows) // TIERS_ON_A_PAGE))

    @property
    def page(self) -> int:
        """Return which of them is shown, counted from 0."""
        return min(max(self.draft.page, 0), self.pages - 1)

    @property
    def shown_rows(self) -> tuple[TierRow, ...]:
        """Return the tiers of that page."""
        start = self.page * TIERS_ON_A_PAGE
        return self.rows[start : start + TIERS_ON_A_PAGE]

    @property
    def given_rows(self) -> tuple[TierRow, ...]:
        """Return the tiers that have a role."""
        return tuple(row for row in self.rows if row.role_id is not None)

    @property
    def blocked_rows(self) -> tuple[TierRow, ...]:
        """Return the tiers whose role cannot be given."""
        return tuple(row for row in self.rows if row.block is not None)

    @property
    def is_ready(self) -> bool:
        """Tell whether it may go live."""
        return bool(self.given_rows) and not self.blocked_rows


def policies_of(settings: GuildSettings) -> Policies:
    """Return what a server has now. One that is turned off is set up in order to be turned on."""
    mode = Mode.SYNC if settings.mode is Mode.OFF else settings.mode
    return Policies(mode=mode, grace_days=settings.grace_days, zero_link=settings.zero_link)


def offered_tiers(campaign: Campaign) -> tuple[Tier, ...]:
    """Return the tiers that people pay for and can get, the cheapest first."""
    return tuple(tier for tier in campaign.tiers if tier.is_published and tier.amount_cents > 0)


def choose_campaign(
    draft: SetupDraft, campaign: Campaign, *, rules: Sequence[RoleRule], roles: Mapping[RoleId, RoleLook], bot: Powers
) -> SetupDraft:
    """Take a campaign; its tiers begin with the roles that are suggested."""
    roles_before = draft.roles if draft.campaign_id == campaign.campaign_id else {}
    suggested = suggest_roles(offered_tiers(campaign), rules=rules, roles=roles, bot=bot)
    return msgspec.structs.replace(
        draft,
        step=SetupStep.ROLES,
        page=0,
        campaign_id=campaign.campaign_id,
        roles={**suggested, **roles_before},
    )


def suggest_roles(
    tiers: Iterable[Tier], *, rules: Sequence[RoleRule], roles: Mapping[RoleId, RoleLook], bot: Powers
) -> dict[TierId, RoleId]:
    """Return a role for each tier that has a likely one.

    That is, first, the one of a rule that there is; then the one that Patreon's own bot gives for the tier; then one
    that is called alike. Of several of them one that can be given comes first, and then the highest.
    """
    suggested: dict[TierId, RoleId] = {}
    for tier in tiers:
        in_rules = [rule.role_id for rule in rules if rule.kind is RuleKind.TIER and rule.tier_id == tier.tier_id]
        alike = [one.role_id for one in roles.values() if _key(one.name) == _key(tier.title)]
        for role_ids in (in_rules, tier.discord_role_ids, alike):
            known = [roles[one] for one in role_ids if one in roles and not _is_another_bots(roles[one])]
            likely = max(known, key=lambda one: (find_block(one, bot=bot) is None, one.rank), default=None)
            if likely is not None:
                suggested[tier.tier_id] = likely.role_id
                break
    return suggested


def _is_another_bots(role: RoleLook) -> bool:
    return role.is_managed or role.is_everyone


def _key(name: str) -> tuple[str, ...]:
    """Return the words of a name that tell it from others; all of them where there are no such."""
    words = re.findall(r"\w+", name.casefold())
    return tuple(word for word in words if word not in _FILLERS) or tuple(words)


def choose_role(draft: SetupDraft, tier_id: TierId, role_id: RoleId | None) -> SetupDraft:
    """Take a role for a tier, or none."""
    return msgspec.structs.replace(draft, roles={**draft.roles, tier_id: role_id})


def role_name(tier: Tier) -> str:
    """Return what a role is called that is made for a tier; not every tier has a title."""
    return tier.title.strip() or f"Patron {tier.amount_cents / 100:.2f}"


def choose_policy(draft: SetupDraft, policy: str, value: str) -> SetupDraft:
    """Take an answer as a menu gives it. Raises UserMistake for one that no menu of ours offers."""
    if policy not in set(Policy) or value not in OFFERED[Policy(policy)]:
        raise UserMistake(Mistake.BUTTON_OUTDATED)
    policies = msgspec.structs.replace(draft.policies, **{policy: _read(Policy(policy), value)})
    return msgspec.structs.replace(draft, policies=policies)


OFFERED: Mapping[Policy, tuple[str, ...]] = {
    Policy.MODE: (Mode.SYNC, Mode.GRANT_ONLY),
    Policy.GRACE_DAYS: tuple(map(str, DAYS)),
    Policy.KEEP_DAYS: tuple(map(str, DAYS)),
    Policy.ZERO_LINK: ("yes", "no"),
}


def chosen(policies: Policies, policy: Policy) -> str:
    """Return an answer as a menu gives it."""
    match policy:
        case Policy.MODE:
            return policies.mode
        case Policy.GRACE_DAYS:
            return str(policies.grace_days)
        case Policy.KEEP_DAYS:
            return str(policies.keep_days)
        case Policy.ZERO_LINK:
            return "yes" if policies.zero_link else "no"
        case _:
            assert_never(policy)


def _read(policy: Policy, value: str) -> Mode | int | bool:
    match policy:
        case Policy.MODE:
            return Mode(value)
        case Policy.GRACE_DAYS | Policy.KEEP_DAYS:
            return int(value)
        case Policy.ZERO_LINK:
            return value == "yes"
        case _:
            assert_never(policy)


def at_hand(draft: SetupDraft, campaigns: Iterable[Campaign]) -> tuple[SetupDraft, Campaign | None]:
    """Return a draft with its campaign; where the server does not follow that any more, one begins there anew."""
    for campaign in campaigns:
        if campaign.campaign_id == draft.campaign_id:
            return draft, campaign
    return msgspec.structs.replace(draft, step=SetupStep.CAMPAIGN), None


def rows_of(
    draft: SetupDraft, campaign: Campaign, *, roles: Mapping[RoleId, RoleLook], bot: Powers, caller: Powers
) -> tuple[TierRow, ...]:
    """Return each tier with its role, and whether `bot` can give it on behalf of `caller`."""
    return tuple(_row(tier, draft.roles.get(tier.tier_id), roles, bot, caller) for tier in offered_tiers(campaign))


def _row(tier: Tier, role_id: RoleId | None, roles: Mapping[RoleId, RoleLook], bot: Powers, caller: Powers) -> TierRow:
    if role_id is None:
        return TierRow(tier=tier)
    role = roles.get(role_id)
    if role is None:
        return TierRow(tier=tier, role_id=role_id, block=Block.GONE)
    refusal = find_refusal(role, bot=bot, caller=caller)
    if refusal is None:
        return TierRow(tier=tier, role_id=role_id, role=role.name)
    return TierRow(tier=tier, role_id=role_id, role=role.name, block=refusal.block, rights=refusal.rights)


def rules_of(draft: SetupDraft, rows: Iterable[TierRow]) -> tuple[RoleRule, ...]:
    """Return the rules that Go live would write."""
    return tuple(
        RoleRule(
            rule_id=UNSTORED,
            guild_id=draft.guild_id,
            role_id=row.role_id,
            campaign_id=row.tier.campaign_id,
            kind=RuleKind.TIER,
            tier_id=row.tier.tier_id,
            keep_days=draft.policies.keep_days,
        )
        for row in rows
        if row.role_id is not None
    )


def with_rules(rules: Sequence[RoleRule], asked: Iterable[RoleRule]) -> tuple[RoleRule, ...]:
    """Return a server's rules after Go live: one that asks the same takes the new one's days."""
    after = {(one.role_id, one.campaign_id, one.kind, one.tier_id, one.amount_cents, one.months): one for one in rules}
    for one in asked:
        key = (one.role_id, one.campaign_id, one.kind, one.tier_id, one.amount_cents, one.months)
        before = after.get(key)
        after[key] = one if before is None else msgspec.structs.replace(before, keep_days=one.keep_days)
    return tuple(after.values())


def with_policies(settings: GuildSettings, policies: Policies) -> dict[str, object]:
    """Return the settings that Go live would change, by their names."""
    wanted: dict[str, object] = {
        "mode": policies.mode,
        "grace_days": policies.grace_days,
        "zero_link": policies.zero_link,
    }
    return {name: value for name, value in wanted.items() if getattr(settings, name) != value}


def as_if_live(guild: GuildFacts, draft: SetupDraft, rows: Iterable[TierRow]) -> GuildFacts:
    """Return what would hold of a server after Go live."""
    settings = msgspec.structs.replace(guild.settings, **with_policies(guild.settings, draft.policies))
    return msgspec.structs.replace(guild, settings=settings, rules=with_rules(guild.rules, rules_of(draft, rows)))


def concerning(findings: Iterable[DoctorFinding]) -> tuple[DoctorFinding, ...]:
    """Return what is wrong with a server beyond what its setup ends itself."""
    return tuple(one for one in findings if one.code not in _OF_THE_SETUP and one.code.harm is not Harm.NOTE)
