from datetime import datetime

import pytest
from msgspec.structs import replace

from bot.domain.changes import Trigger
from bot.domain.model import Campaign, CampaignId, DiscordUserId, GuildId, RoleId, RoleRule, RuleId, RuleKind, TierId
from bot.storage import Storage

CAMPAIGN = CampaignId("700")
GUILD = GuildId(900)
GOLD, SILVER = RoleId(31), RoleId(32)
GOLD_TIER = TierId("t-gold")


@pytest.fixture(autouse=True)
async def known_campaign(storage: Storage, campaign: Campaign) -> None:
    await storage.campaigns.save(campaign)


async def add(
    storage: Storage, now: datetime, role: RoleId = GOLD, guild: GuildId = GUILD, tier_id: TierId | None = None
) -> RoleRule:
    kind = RuleKind.PAYING if tier_id is None else RuleKind.TIER
    rule = RoleRule(rule_id=RuleId(0), guild_id=guild, role_id=role, campaign_id=CAMPAIGN, kind=kind, tier_id=tier_id)
    return await storage.rules.add(rule, created_by=DiscordUserId(1), at=now)


async def test_a_rule_comes_back_as_it_was_asked_for(storage: Storage, now: datetime) -> None:
    rule = await add(storage, now, tier_id=GOLD_TIER)
    assert rule == RoleRule(
        rule_id=rule.rule_id,
        guild_id=GUILD,
        role_id=GOLD,
        campaign_id=CAMPAIGN,
        kind=RuleKind.TIER,
        tier_id=GOLD_TIER,
    )
    assert await storage.rules.list_guild(GUILD) == (rule,)


async def test_the_same_rule_is_stored_once(storage: Storage, now: datetime) -> None:
    assert await add(storage, now) == await add(storage, now)
    assert await add(storage, now, tier_id=GOLD_TIER) == await add(storage, now, tier_id=GOLD_TIER)
    assert len(await storage.rules.list_all()) == 2


async def test_the_same_rule_with_other_days_changes_those(storage: Storage, now: datetime) -> None:
    rule = await add(storage, now, tier_id=GOLD_TIER)
    kept = replace(rule, keep_days=14)
    asked = replace(kept, rule_id=RuleId(0))
    assert await storage.rules.add(asked, created_by=DiscordUserId(1), at=now) == kept
    assert await storage.rules.list_all() == (kept,)


async def test_a_rule_is_changed_in_its_own_guild_only(storage: Storage, now: datetime) -> None:
    rule = await add(storage, now, tier_id=GOLD_TIER)
    other = await add(storage, now, SILVER)
    edited = replace(rule, role_id=SILVER, tier_id=TierId("t-silver"), keep_days=3)
    assert not await storage.rules.edit(replace(edited, guild_id=GuildId(901)))
    assert not await storage.rules.edit(replace(edited, rule_id=RuleId(99)))
    await storage.due.end(await storage.due.list_guild(GUILD))
    assert await storage.rules.edit(edited)
    assert await storage.rules.list_guild(GUILD) == (edited, other)
    (due,) = await storage.due.list_guild(GUILD)
    assert due.trigger is Trigger.RULE_EDITED


async def test_a_guild_sees_its_own_rules_only(storage: Storage, now: datetime) -> None:
    own = await add(storage, now)
    other = await add(storage, now, guild=GuildId(901))
    assert await storage.rules.list_guild(GUILD) == (own,)
    assert await storage.rules.list_all() == (own, other)


async def test_a_rule_is_removed_in_its_own_guild_only(storage: Storage, now: datetime) -> None:
    rule = await add(storage, now)
    assert await storage.rules.remove(GuildId(901), rule.rule_id) is None
    assert await storage.rules.remove(GUILD, RuleId(rule.rule_id + 1)) is None
    assert await storage.rules.remove(GUILD, rule.rule_id) == rule
    assert await storage.rules.list_all() == ()


async def test_the_rules_of_a_role_that_is_gone_are_dropped(storage: Storage, now: datetime) -> None:
    gone = await add(storage, now), await add(storage, now, tier_id=GOLD_TIER)
    kept = await add(storage, now, role=SILVER)
    assert await storage.rules.drop_role(GUILD, GOLD) == gone
    assert await storage.rules.list_all() == (kept,)
