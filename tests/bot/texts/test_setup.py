"""What the panel of `/patreon setup` says at each step."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.assignable import Block, Permission, Right
from bot.domain.doctor import DoctorCode, DoctorFinding
from bot.domain.model import Campaign, CampaignId, GuildId, RoleId, RoleRule, RuleId, RuleKind, Tier, TierId
from bot.domain.planned import GuildPlan
from bot.domain.reasons import RuleFacts, TierName
from bot.domain.rule_request import NamedRule
from bot.domain.setup import OFFERED, Policy, SetupDraft, SetupStep, SetupView, TierRow
from bot.texts import setup
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.setup import (
    FINDINGS_LENGTH,
    HEAD_LENGTH,
    LIVE_LENGTH,
    PREVIEW_LENGTH,
    TIER_LENGTH,
    greeting,
    setup_answer,
    setup_cancelled,
    setup_findings,
    setup_head,
    setup_label,
    setup_live,
    setup_page,
    setup_plan,
    setup_question,
    setup_role_reason,
    setup_tier,
    setup_use,
)
from tests.fakes.world import World

R = Renderer(ENGLISH, Medium.DISCORD)
GOLD = Tier(campaign_id=CampaignId("700"), tier_id=TierId("t1"), title="Gold", amount_cents=1000)
CAMPAIGN = Campaign(campaign_id=CampaignId("700"), name="Moth Tales", tiers=(GOLD,))
MOST_TEXT = 4000  # Discord takes no more in a message
FULL, BARE = TierRow(tier=GOLD, role_id=RoleId(31), role="Golden"), TierRow(tier=GOLD)
ABOVE = replace(FULL, block=Block.ABOVE_BOT)


def view(step: SetupStep, *rows: TierRow, **more: Any) -> SetupView:
    draft = SetupDraft(guild_id=GuildId(900), step=step)
    return SetupView(draft=draft, campaigns=(CAMPAIGN,), rows=rows, **{"campaign": CAMPAIGN, **more})


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        pytest.param(view(SetupStep.CAMPAIGN), "Which campaign's patrons", id="a campaign"),
        pytest.param(view(SetupStep.ROLES, FULL), "each tier of Moth Tales", id="roles"),
        pytest.param(view(SetupStep.ROLES), "Moth Tales has no paid tiers", id="no tiers"),
        pytest.param(view(SetupStep.ROLES, campaign=None), "no paid tiers", id="no campaign any more"),
        pytest.param(view(SetupStep.POLICIES, FULL), "You can change all of them later", id="policies"),
        pytest.param(view(SetupStep.PREVIEW, FULL), "Gold: **Golden**", id="what would be written"),
        pytest.param(view(SetupStep.PREVIEW, replace(FULL, role="")), "deleted role", id="a role that is gone"),
        pytest.param(view(SetupStep.PREVIEW, BARE), "**No tier has a role yet.**", id="nothing to write"),
        pytest.param(view(SetupStep.PREVIEW, BARE), "Without a role: Gold", id="what is left out"),
        pytest.param(view(SetupStep.PREVIEW, FULL, earlier_rules=2), "The 2 rules that this server", id="rules"),
        pytest.param(view(SetupStep.ROLES, FULL, is_outdated=True), "**Somebody else changed this", id="outdated"),
    ],
)
def test_each_step_says_what_is_to_be_done(shown: SetupView, said: str) -> None:
    assert said in setup_head(R, shown)


def test_without_a_campaign_the_creator_is_asked_for() -> None:
    draft = SetupDraft(guild_id=GuildId(900))
    assert "**Sign in to Patreon as the creator**" in setup_head(R, SetupView(draft=draft, campaigns=()))


def test_a_step_that_nobody_knows_is_a_defect_of_ours() -> None:
    unknown: Any = "unknown"
    with pytest.raises(AssertionError):
        setup._say_step(R, view(unknown))


def test_a_tier_says_its_price_its_role_and_what_is_in_the_way() -> None:
    shown = view(SetupStep.ROLES, FULL)
    dollars = setup_tier(R, shown, FULL)
    assert dollars.startswith("**Gold** (")
    assert dollars.endswith("$10.00)")
    assert setup_tier(R, replace(shown, campaign=None), FULL) == dollars
    assert "€10.00" in setup_tier(R, replace(shown, campaign=replace(CAMPAIGN, currency="EUR")), FULL)
    assert "No role yet" in setup_tier(R, shown, BARE)
    assert "drag my role above it" in setup_tier(R, shown, ABOVE)
    assert "has been deleted" in setup_tier(R, shown, replace(FULL, role="", block=Block.GONE))
    rights = (Right(Permission.KICK_MEMBERS),)
    assert "It has Kick Members." in setup_tier(R, shown, replace(FULL, block=Block.DANGEROUS, rights=rights))


def test_the_preview_names_who_gets_what_and_what_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for name in ("ada", "ben"):
        world.patron(name, tier="Gold")
        world.link(name)
    plan = GuildPlan(guild=world.facts(), plans=tuple(world.plan_of(name) for name in world.people))
    said = setup_plan(R, view(SetupStep.PREVIEW, FULL, plan=plan))
    assert said.startswith("**2 people get or lose a role at once.**")
    assert "<@" in said
    assert said.endswith("as soon as they type `/link`.")
    monkeypatch.setattr(setup, "PREVIEW_LINES", 0)
    assert "more line" in setup_plan(R, view(SetupStep.PREVIEW, FULL, plan=plan))
    blocked = setup_plan(R, view(SetupStep.PREVIEW, ABOVE, plan=plan))
    assert blocked.startswith("**I can't go live like this:**")
    assert "drag my role above it" in blocked
    assert setup_plan(R, view(SetupStep.PREVIEW, FULL)) == ""


@pytest.mark.parametrize("policy", Policy)
def test_each_policy_is_asked_in_plain_words_with_its_default(policy: Policy) -> None:
    assert "Default: " in setup_question(R, policy)
    answers = [setup_answer(R, policy, value) for value in OFFERED[policy]]
    assert len(set(answers)) == len(answers)
    assert all(len(one) <= 100 for one in answers)


def test_days_are_counted() -> None:
    assert setup_answer(R, Policy.KEEP_DAYS, "1") == "Keep it for 1 day"


def test_what_is_wrong_with_the_server_is_told_with_what_to_do() -> None:
    assert setup_findings(R, []) == ""
    one = DoctorFinding(code=DoctorCode.NO_MANAGE_ROLES)
    said = setup_findings(R, [one])
    assert "turn on Manage Roles" in said
    assert "more finding" not in said
    assert "There are 2 more findings" in setup_findings(R, [one] * 5)


def test_the_end_says_what_is_live_and_what_comes_next() -> None:
    rule = RoleRule(
        rule_id=RuleId(1),
        guild_id=GuildId(900),
        role_id=RoleId(31),
        campaign_id=CAMPAIGN.campaign_id,
        kind=RuleKind.TIER,
        tier_id=TierId("t1"),
    )
    named = NamedRule(
        rule=rule,
        role="Golden",
        facts=RuleFacts(kind=RuleKind.TIER, campaign="Moth Tales", tier=TierName(tier_id=TierId("t1"), title="Gold")),
    )
    said = setup_live(R, [named, replace(named, role="", facts=replace(named.facts, tier=None))])
    assert "Gold: **Golden**\nt1: **deleted role**" in said
    assert "/patreon preview" in said
    assert len(setup_live(R, [named] * 500)) < MOST_TEXT
    assert "/patreon setup" in setup_cancelled(R)


def test_labels_and_small_things_are_said() -> None:
    assert setup_label(R, "live") == "Go live"
    assert setup_use(R, "Moth Tales") == "Use Moth Tales"
    assert setup_page(R, 2, 3) == "-# Page 2 of 3"
    assert "ash" in setup_role_reason(R, "ash")
    assert "/patreon setup" in greeting(R, server="Emberwood")


def test_all_that_stands_in_one_message_fits() -> None:
    texts = HEAD_LENGTH + FINDINGS_LENGTH
    assert texts + 5 * TIER_LENGTH <= MOST_TEXT
    assert texts + PREVIEW_LENGTH <= MOST_TEXT
    assert LIVE_LENGTH < MOST_TEXT
    long = replace(FULL, tier=replace(GOLD, title="*" * 90), role="_" * 90, block=Block.DANGEROUS)
    assert len(setup_tier(R, view(SetupStep.ROLES), long)) <= TIER_LENGTH
    assert len(setup_head(R, view(SetupStep.PREVIEW, *[long] * 60))) <= HEAD_LENGTH
