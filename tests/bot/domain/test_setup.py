"""What a setup's draft is, step by step, and what it comes to."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain import setup
from bot.domain.assignable import MANAGE_ROLES, Block, Permission, Powers, Right, RoleLook
from bot.domain.doctor import DoctorCode, DoctorFinding
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import (
    Campaign,
    CampaignId,
    GuildId,
    GuildSettings,
    Mode,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Tier,
    TierId,
)
from bot.domain.plan import GuildFacts
from bot.domain.setup import (
    OFFERED,
    TIERS_ON_A_PAGE,
    Policies,
    Policy,
    SetupDraft,
    SetupStep,
    SetupView,
    as_if_live,
    at_hand,
    choose_campaign,
    choose_policy,
    choose_role,
    chosen,
    concerning,
    offered_tiers,
    policies_of,
    role_name,
    rows_of,
    rules_of,
    suggest_roles,
    with_policies,
    with_rules,
)
from tests.fakes.world import NEW_YEAR

GUILD, CAMPAIGN = GuildId(900), CampaignId("700")
BOT = Powers(top=RoleLook(role_id=RoleId(1), name="Bot", position=50), permissions=MANAGE_ROLES)
OWNER = Powers(top=RoleLook(role_id=RoleId(2), name="Owner", position=1), permissions=0, is_owner=True)
DRAFT = SetupDraft(guild_id=GUILD)


def tier(name: str, cents: int = 500, **more: Any) -> Tier:
    return Tier(campaign_id=CAMPAIGN, tier_id=TierId(f"t-{name}"), title=name, amount_cents=cents, **more)


def role(number: int, name: str, position: int = 5, **more: Any) -> RoleLook:
    return RoleLook(role_id=RoleId(number), name=name, position=position, **more)


def rule(role_id: int, of: str, **more: Any) -> RoleRule:
    told = {"rule_id": RuleId(7), "guild_id": GUILD, "role_id": RoleId(role_id), "campaign_id": CAMPAIGN}
    return RoleRule(**{**told, "kind": RuleKind.TIER, "tier_id": TierId(f"t-{of}"), **more})


def suggested(title: str, *roles: RoleLook, rules: tuple[RoleRule, ...] = (), **more: Any) -> RoleId | None:
    found = suggest_roles([tier(title, **more)], rules=rules, roles={one.role_id: one for one in roles}, bot=BOT)
    return found.get(TierId(f"t-{title}"))


def test_only_what_people_can_pay_for_is_offered() -> None:
    free, gone, gold = tier("Free", 0), tier("Old", is_published=False), tier("Gold")
    assert offered_tiers(Campaign(campaign_id=CAMPAIGN, name="C", tiers=(free, gone, gold))) == (gold,)


@pytest.mark.parametrize(
    ("title", "name"),
    [("Gold", "Gold"), ("gold", "GOLD"), ("Gold Tier", "Gold Patrons"), ("The Tier", "the tier"), ("★ Gold!", "Gold")],
)
def test_a_role_is_suggested_by_its_name(title: str, name: str) -> None:
    assert suggested(title, role(31, name), role(32, "Silver")) == 31


def test_nothing_is_suggested_where_no_role_is_called_so() -> None:
    assert suggested("Gold", role(31, "Golden"), role(32, "Silver")) is None


def test_the_role_of_a_rule_comes_before_that_of_patreons_bot_and_that_before_a_name() -> None:
    roles = (role(31, "Gold"), role(32, "VIP"), role(33, "Old"))
    assert suggested("Gold", *roles, rules=(rule(33, "Gold"),), discord_role_ids=(RoleId(32),)) == 33
    others = (rule(33, "Silver"), rule(33, "Gold", kind=RuleKind.PAYING))
    assert suggested("Gold", *roles, rules=others, discord_role_ids=(RoleId(32),)) == 32
    assert suggested("Gold", *roles, discord_role_ids=(RoleId(99),)) == 31, "that one is gone"


def test_what_can_be_given_is_suggested_first_and_then_the_highest() -> None:
    assert suggested("Gold", role(31, "Gold", 60), role(32, "Gold", 5)) == 32
    assert suggested("Gold", role(31, "Gold", 6), role(32, "Gold", 5)) == 31
    assert suggested("Gold", role(31, "Gold", 60)) == 31, "its place can be changed"
    assert suggested("Gold", role(31, "Gold", is_managed=True), role(32, "Gold", is_everyone=True)) is None


def test_a_campaign_brings_its_suggestions_and_keeps_what_was_chosen_in_it() -> None:
    campaign = Campaign(campaign_id=CAMPAIGN, name="C", tiers=(tier("Gold"), tier("Silver")))
    roles = {RoleId(31): role(31, "Gold"), RoleId(32): role(32, "Silver")}
    first = choose_campaign(DRAFT, campaign, rules=(), roles=roles, bot=BOT)
    assert (first.step, first.campaign_id) == (SetupStep.ROLES, CAMPAIGN)
    assert first.roles == {"t-Gold": 31, "t-Silver": 32}
    none = choose_role(first, TierId("t-Gold"), None)
    assert choose_campaign(none, campaign, rules=(), roles=roles, bot=BOT).roles == {"t-Gold": None, "t-Silver": 32}
    other = Campaign(campaign_id=CampaignId("701"), name="D", tiers=())
    assert choose_campaign(none, other, rules=(), roles=roles, bot=BOT).roles == {}


def test_a_role_is_called_as_its_tier_or_by_its_price() -> None:
    assert role_name(tier(" Gold ")) == "Gold"
    assert role_name(tier("", 550)) == "Patron 5.50"


@pytest.mark.parametrize(
    ("policy", "value", "expected"),
    [
        (Policy.MODE, "grant_only", Policies(mode=Mode.GRANT_ONLY)),
        (Policy.GRACE_DAYS, "30", Policies(grace_days=30)),
        (Policy.KEEP_DAYS, "3", Policies(keep_days=3)),
        (Policy.ZERO_LINK, "no", Policies(zero_link=False)),
    ],
)
def test_a_policy_is_chosen_from_what_is_offered(policy: Policy, value: str, expected: Policies) -> None:
    after = choose_policy(DRAFT, policy, value)
    assert after.policies == expected
    assert chosen(after.policies, policy) == value
    assert chosen(DRAFT.policies, policy) in OFFERED[policy], "the defaults are offered too"


@pytest.mark.parametrize(("policy", "value"), [("mode", "off"), ("grace_days", "8"), ("brake", "1"), ("zero_link", "")])
def test_what_is_not_offered_is_refused(policy: str, value: str) -> None:
    with pytest.raises(UserMistake) as refused:
        choose_policy(DRAFT, policy, value)
    assert refused.value.code is Mistake.BUTTON_OUTDATED


def test_policies_begin_with_the_servers_own_and_only_what_differs_is_changed() -> None:
    own = GuildSettings(mode=Mode.OFF, grace_days=2, zero_link=False)
    policies = policies_of(own)
    assert policies == Policies(mode=Mode.SYNC, grace_days=2, zero_link=False)
    assert with_policies(own, policies) == {"mode": Mode.SYNC}
    assert policies_of(GuildSettings(mode=Mode.GRANT_ONLY)).mode is Mode.GRANT_ONLY
    assert with_policies(own, Policies(mode=Mode.OFF)) == {"grace_days": 7, "zero_link": True}


def test_a_campaign_that_is_followed_no_more_leads_back_to_the_first_step() -> None:
    campaign = Campaign(campaign_id=CAMPAIGN, name="C")
    draft = SetupDraft(guild_id=GUILD, campaign_id=CAMPAIGN, step=SetupStep.PREVIEW)
    assert at_hand(draft, [Campaign(campaign_id=CampaignId("701"), name="D"), campaign]) == (draft, campaign)
    again, found = at_hand(draft, [])
    assert (again.step, found) == (SetupStep.CAMPAIGN, None)


def test_each_tier_says_whether_its_role_can_be_given_by_whoever_looks() -> None:
    names = ("None", "Gold", "Gone", "Legend", "Mod")
    campaign = Campaign(campaign_id=CAMPAIGN, name="C", tiers=tuple(map(tier, names)))
    looks = (role(31, "Gold"), role(33, "Legend", 60), role(34, "Mod", permissions=1 << 1))
    draft = SetupDraft(guild_id=GUILD, roles={TierId(f"t-{n}"): RoleId(30 + i) for i, n in enumerate(names) if i})
    roles = {one.role_id: one for one in looks}
    rows = rows_of(draft, campaign, roles=roles, bot=BOT, caller=OWNER)
    assert [(row.role, row.block) for row in rows] == [
        ("", None),
        ("Gold", None),
        ("", Block.GONE),
        ("Legend", Block.ABOVE_BOT),
        ("Mod", Block.DANGEROUS),
    ]
    assert rows[-1].rights == (Right(Permission.KICK_MEMBERS),)
    low = Powers(top=role(40, "Low", 1), permissions=MANAGE_ROLES)
    assert rows_of(draft, campaign, roles=roles, bot=BOT, caller=low)[1].block is Block.ABOVE_CALLER
    view = SetupView(draft=draft, campaigns=(campaign,), rows=rows)
    assert len(view.blocked_rows) == 3
    assert not view.is_ready
    assert SetupView(draft=draft, campaigns=(), rows=rows[:2]).is_ready
    assert not SetupView(draft=draft, campaigns=(), rows=rows[:1]).is_ready, "nobody would get anything"


def test_rules_are_those_of_the_tiers_that_have_a_role() -> None:
    campaign = Campaign(campaign_id=CAMPAIGN, name="C", tiers=(tier("Gold"), tier("Silver")))
    draft = choose_policy(choose_role(DRAFT, TierId("t-Gold"), RoleId(31)), Policy.KEEP_DAYS, "3")
    rows = rows_of(draft, campaign, roles={RoleId(31): role(31, "Gold")}, bot=BOT, caller=OWNER)
    asked = rules_of(draft, rows)
    assert asked == (rule(31, "Gold", rule_id=RuleId(0), keep_days=3),)
    standing = (rule(31, "Gold"), rule(32, "Silver"))
    assert with_rules(standing, asked) == (rule(31, "Gold", keep_days=3), rule(32, "Silver"))
    assert with_rules((), asked) == asked
    guild = GuildFacts(guild_id=GUILD, now=NEW_YEAR, rules=standing)
    live = as_if_live(guild, replace(draft, policies=Policies(mode=Mode.OFF)), rows)
    assert live.rules == with_rules(standing, rules_of(replace(draft, policies=Policies(mode=Mode.OFF)), rows))
    assert (live.settings.mode, guild.settings.mode) == (Mode.OFF, Mode.SYNC)


def test_more_tiers_than_a_message_holds_stand_on_pages() -> None:
    tiers = [tier(str(number)) for number in range(2 * TIERS_ON_A_PAGE + 1)]
    campaign = Campaign(campaign_id=CAMPAIGN, name="C", tiers=tuple(tiers))

    def view(page: int) -> SetupView:
        draft = SetupDraft(guild_id=GUILD, page=page)
        rows = rows_of(draft, campaign, roles={}, bot=BOT, caller=OWNER)
        return SetupView(draft=draft, campaigns=(), rows=rows)

    assert [len(view(page).shown_rows) for page in range(3)] == [TIERS_ON_A_PAGE, TIERS_ON_A_PAGE, 1]
    assert (view(0).pages, view(9).page, view(-1).page) == (3, 2, 0)
    assert SetupView(draft=DRAFT, campaigns=()).pages == 1


def test_what_the_setup_ends_itself_and_mere_notes_are_not_told_in_it() -> None:
    codes = (DoctorCode.NO_RULES, DoctorCode.NO_CAMPAIGN, DoctorCode.LOG_CHANNEL_UNSET, DoctorCode.NO_MANAGE_ROLES)
    told = concerning(DoctorFinding(code=code) for code in codes)
    assert [one.code for one in told] == [DoctorCode.NO_MANAGE_ROLES]


def test_a_policy_that_nobody_knows_is_a_defect_of_ours() -> None:
    unknown: Any = "unknown"
    with pytest.raises(AssertionError):
        chosen(Policies(), unknown)


def test_a_value_for_a_policy_that_nobody_knows_is_a_defect_of_ours() -> None:
    unknown: Any = "unknown"
    with pytest.raises(AssertionError):
        setup._read(unknown, "1")
