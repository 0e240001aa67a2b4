"""A row that goes takes its number with it: nothing that still names it means the next row."""

from collections.abc import Callable
from datetime import datetime

from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    GuildId,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    TokenPair,
)
from bot.storage import Storage
from tests.fakes.stored import save_consent

GUILD, ADA = GuildId(900), PatreonUserId("p-ada")


async def test_a_consent_that_is_dropped_while_it_reads_is_not_mistaken_for_the_next_one(
    storage: Storage, pair: Callable[..., TokenPair], now: datetime
) -> None:
    """A campaign is disconnected while its list is read, and a patron links: the read's 401 is not the patron's."""
    creators = await save_consent(storage, PatreonUserId("p-mira"), pair(), at=now)
    seen = await storage.credentials.load(creators)
    assert await storage.credentials.drop_unneeded(creators)
    await save_consent(storage, ADA, pair(), at=now)
    assert not await storage.credentials.mark_dead(seen, now)
    stored = await storage.credentials.find_user(ADA)
    assert stored is not None
    assert stored.credential_id > creators
    assert stored.dead_at is None


async def test_the_number_of_a_removed_rule_removes_no_other(
    storage: Storage, campaign: Campaign, now: datetime
) -> None:
    async def add(role: int) -> RoleRule:
        rule = RoleRule(
            rule_id=RuleId(0),
            guild_id=GUILD,
            role_id=RoleId(role),
            campaign_id=CampaignId("700"),
            kind=RuleKind.PAYING,
        )
        return await storage.rules.add(rule, created_by=DiscordUserId(1), at=now)

    await storage.campaigns.save(campaign)
    first = await add(31)
    await storage.rules.remove(GUILD, first.rule_id)
    second = await add(32)
    assert await storage.rules.remove(GUILD, first.rule_id) is None
    assert await storage.rules.list_guild(GUILD) == (second,)
