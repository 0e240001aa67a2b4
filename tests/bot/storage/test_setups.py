from datetime import datetime, timedelta

import msgspec

from bot.domain.changes import Trigger
from bot.domain.model import Campaign, CampaignId, DiscordUserId, GuildId, RoleId, RoleRule, RuleId, RuleKind, TierId
from bot.domain.setup import Policies, SetupDraft, SetupStep
from bot.storage import Storage
from bot.storage.due import EVERYONE

GUILD, OTHER = GuildId(900), GuildId(901)
ASH, WREN = DiscordUserId(5), DiscordUserId(6)
DRAFT = SetupDraft(guild_id=GUILD)


def rule(role_id: int) -> RoleRule:
    return RoleRule(
        rule_id=RuleId(0),
        guild_id=GUILD,
        role_id=RoleId(role_id),
        campaign_id=CampaignId("700"),
        kind=RuleKind.TIER,
        tier_id=TierId(f"t{role_id}"),
    )


async def test_a_draft_is_kept_until_it_ends_and_each_change_has_a_number_of_its_own(
    storage: Storage, now: datetime
) -> None:
    assert await storage.setups.load(GUILD) is None
    first = await storage.setups.begin(DRAFT, by=ASH, at=now)
    assert await storage.setups.begin(DRAFT, by=WREN, at=now) == first, "there is one already"
    wanted = msgspec.structs.replace(
        first,
        step=SetupStep.ROLES,
        campaign_id=CampaignId("700"),
        roles={TierId("t1"): RoleId(31), TierId("t2"): None},
        policies=Policies(keep_days=3),
    )
    second = await storage.setups.change(wanted, by=ASH, at=now)
    assert second == msgspec.structs.replace(wanted, generation=first.generation + 1)
    assert await storage.setups.load(GUILD) == second
    assert await storage.setups.load(OTHER) is None
    assert await storage.setups.end(GUILD, second.generation, by=ASH, at=now)
    assert await storage.setups.load(GUILD) is None
    assert (await storage.setups.begin(DRAFT, by=ASH, at=now)).generation > second.generation


async def test_only_the_newest_draft_is_changed_turned_and_ended(storage: Storage, now: datetime) -> None:
    first = await storage.setups.begin(DRAFT, by=ASH, at=now)
    second = await storage.setups.change(msgspec.structs.replace(first, page=1), by=ASH, at=now)
    assert second is not None
    assert await storage.setups.change(msgspec.structs.replace(first, page=2), by=WREN, at=now) is None
    await storage.setups.turn_to(msgspec.structs.replace(first, page=3))
    assert not await storage.setups.end(GUILD, first.generation, by=WREN, at=now)
    assert await storage.setups.go_live(first, [rule(31)], {}, by=WREN, at=now) is None
    assert await storage.setups.load(GUILD) == second
    assert await storage.rules.list_guild(GUILD) == ()
    turned = msgspec.structs.replace(second, step=SetupStep.PREVIEW)
    await storage.setups.turn_to(turned)
    assert await storage.setups.load(GUILD) == turned, "which is no change"


async def test_going_live_writes_rules_and_settings_and_ends_the_draft(storage: Storage, now: datetime) -> None:
    await storage.campaigns.save(Campaign(campaign_id=CampaignId("700"), name="Emberwood"))
    draft = await storage.setups.begin(DRAFT, by=ASH, at=now)
    await storage.rules.list_guild(GUILD)  # what was read before is not kept
    await storage.guilds.settings(GUILD)
    added = await storage.setups.go_live(draft, [rule(31), rule(32)], {"grace_days": 14}, by=ASH, at=now)
    assert added is not None
    assert [one.role_id for one in added] == [31, 32]
    assert await storage.rules.list_guild(GUILD) == added
    assert (await storage.guilds.settings(GUILD)).grace_days == 14
    assert await storage.setups.load(GUILD) is None
    (due,) = await storage.due.list_guild(GUILD)
    assert (due.discord_user_id, due.trigger) == (EVERYONE, Trigger.RULE_ADDED)
    assert await storage.setups.go_live(draft, [rule(33)], {}, by=WREN, at=now) is None, "once"
    again = await storage.setups.begin(DRAFT, by=ASH, at=now)
    (same,) = await storage.setups.go_live(again, [rule(31)], {}, by=ASH, at=now) or ()
    assert same == added[0], "a rule that is there is not written twice"


async def test_an_invitation_is_answered_once(storage: Storage, now: datetime) -> None:
    assert await storage.setups.note_invitation(GUILD, now)
    assert not await storage.setups.note_invitation(GUILD, now)
    assert await storage.setups.load(GUILD) is None
    draft = await storage.setups.begin(DRAFT, by=ASH, at=now)
    assert await storage.setups.note_invitation(GUILD, now + timedelta(days=9)), "it was invited again"
    assert await storage.setups.load(GUILD) == draft
    assert await storage.setups.note_invitation(OTHER, now)
