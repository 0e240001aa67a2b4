"""A rule with the names of its time."""

from bot.domain.model import Campaign, CampaignId, GuildId, RoleId, RoleRule, RuleId, RuleKind, Tier, TierId
from bot.domain.reasons import RuleFacts, TierName, rule_facts

MOTHS = CampaignId("71")
GOLD = Tier(campaign_id=MOTHS, tier_id=TierId("3"), title=" Gold ", amount_cents=1000)
CAMPAIGNS = {MOTHS: Campaign(campaign_id=MOTHS, name="Moth Tales", currency="EUR", tiers=(GOLD,))}
RULE = RoleRule(
    rule_id=RuleId(1),
    guild_id=GuildId(2),
    role_id=RoleId(3),
    campaign_id=MOTHS,
    kind=RuleKind.TIER,
    tier_id=GOLD.tier_id,
)


def test_a_rule_names_its_campaign_and_its_tier() -> None:
    tier = TierName(tier_id=GOLD.tier_id, title="Gold", amount_cents=1000, currency="EUR")
    assert rule_facts(RULE, CAMPAIGNS) == RuleFacts(kind=RuleKind.TIER, campaign="Moth Tales", tier=tier)


def test_what_nobody_knows_any_more_is_named_by_its_id() -> None:
    assert rule_facts(RULE, {}) == RuleFacts(kind=RuleKind.TIER, campaign="71", tier=TierName(tier_id=GOLD.tier_id))
