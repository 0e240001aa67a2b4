"""The panel of `/patreon setup` as Discord takes it, however much there is to say."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.assignable import Block, Permission, Right
from bot.domain.doctor import DoctorCode, DoctorFinding
from bot.domain.model import Campaign, CampaignId, GuildId, RoleId, Secret, Tier, TierId
from bot.domain.setup import Policies, SetupDraft, SetupStep, SetupView, TierRow
from bot.texts.card import Outcome
from bot.texts.catalogs import LANGUAGES, Language
from bot.texts.renderer import Medium, Renderer
from bot.texts.setup import setup_cancelled
from cogs.admin.setup_panel import closing, generation_of, panel
from sandbox.discord.forms.components import walk
from sandbox.discord.forms.messages import read_form

LONG = "*" * 90
TIERS = tuple(
    Tier(campaign_id=CampaignId("700"), tier_id=TierId(str(number)), title=LONG, amount_cents=500)
    for number in range(12)
)
CAMPAIGN = Campaign(campaign_id=CampaignId("700"), name=LONG, tiers=TIERS)
MANY = tuple(replace(CAMPAIGN, campaign_id=CampaignId(str(number))) for number in range(14))
RIGHTS = (Right(Permission.KICK_MEMBERS),)
ROWS = {
    "none has a role": TierRow(tier=TIERS[0]),
    "all are gone": TierRow(tier=TIERS[0], role_id=RoleId(31), block=Block.GONE),
    "all are dangerous": TierRow(tier=TIERS[0], role_id=RoleId(31), role=LONG, block=Block.DANGEROUS, rights=RIGHTS),
    "all are fine": TierRow(tier=TIERS[0], role_id=RoleId(31), role=LONG),
}


def drawn(language: Language, row: TierRow, step: SetupStep, campaigns: tuple[Campaign, ...], page: int) -> list[str]:
    """Draw a step, let the stand-in judge it, and return its ids."""
    draft = SetupDraft(guild_id=GuildId(900), generation=7, step=step, page=page, policies=Policies(grace_days=9))
    view = SetupView(
        draft=draft,
        campaigns=campaigns,
        campaign=CAMPAIGN,
        rows=tuple(replace(row, tier=tier) for tier in TIERS),
        findings=(DoctorFinding(code=DoctorCode.NO_MANAGE_ROLES),) * 5,
        earlier_rules=3,
        is_outdated=True,
    )
    connect = None if campaigns else Secret("https://example.org/authorize")
    layout: Any = panel(Renderer(language, Medium.DISCORD), Renderer(language, Medium.PLAIN), view, connect=connect)
    components = layout.to_components()
    read_form({"flags": 1 << 15, "components": components}, [])
    return [one["custom_id"] for one in walk(components) if one.get("custom_id")]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.tag)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_discord_takes_every_step_however_long_its_words_are(row: TierRow, language: Language) -> None:
    for step in SetupStep:
        for campaigns in ((), (CAMPAIGN,), MANY):
            for page in range(3):
                assert "setup:cancel" in drawn(language, row, step, campaigns, page)


def test_tiers_are_paged_and_the_last_page_leads_on() -> None:
    pages = [drawn(LANGUAGES["en"], ROWS["all are fine"], SetupStep.ROLES, (CAMPAIGN,), page) for page in range(3)]
    menus = [[one for one in ids if one.startswith("setup:role:")] for ids in pages]
    assert list(map(len, menus)) == [5, 5, 2]
    steps = [[one for one in ids if not one.startswith("setup:role:")] for ids in pages]
    assert steps == [
        ["setup:back:campaign:0", "setup:back:roles:1", "setup:cancel"],
        ["setup:back:roles:0", "setup:back:roles:2", "setup:cancel"],
        ["setup:back:roles:1", "setup:policies", "setup:cancel"],
    ]


def test_only_what_is_ready_can_go_live() -> None:
    fine = drawn(LANGUAGES["en"], ROWS["all are fine"], SetupStep.PREVIEW, (CAMPAIGN,), 0)
    assert fine == ["setup:back:policies:0", "setup:live", "setup:cancel"]
    gone = drawn(LANGUAGES["en"], ROWS["all are gone"], SetupStep.PREVIEW, (CAMPAIGN,), 0)
    assert gone == ["setup:back:policies:0", "setup:back:roles:0", "setup:cancel"]


def test_a_campaign_is_taken_by_its_own_button_where_there_are_several() -> None:
    one = drawn(LANGUAGES["en"], ROWS["all are fine"], SetupStep.CAMPAIGN, (CAMPAIGN,), 0)
    assert one == ["setup:campaign", "setup:cancel"]
    several = drawn(LANGUAGES["en"], ROWS["all are fine"], SetupStep.CAMPAIGN, MANY, 0)
    assert several[:2] == ["setup:campaign:0", "setup:campaign:1"]
    assert drawn(LANGUAGES["en"], ROWS["all are fine"], SetupStep.CAMPAIGN, (), 0) == ["setup:campaign", "setup:cancel"]


def test_the_end_has_nothing_to_press_and_shows_no_draft() -> None:
    layout: Any = closing(setup_cancelled(Renderer(LANGUAGES["en"], Medium.DISCORD)), Outcome.INFO)
    read_form({"flags": 1 << 15, "components": layout.to_components()}, [])
    assert [one for one in walk(layout.to_components()) if one.get("custom_id")] == []
    assert generation_of(None) is None
