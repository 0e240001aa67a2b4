"""What strangers call themselves, their roles, campaigns and tiers is shown as it is, and does nothing."""

from datetime import UTC, datetime

from bot.model import CampaignId, DiscordUserId, Link, LinkOrigin, PatreonUserId, RoleId, Tier, TierId
from bot.roles.plan import PersonPlan
from bot.roles.reconcile import Explanation
from bot.roles.report import Names
from cogs.shown import explanation_text, harmless

NAMES = Names(
    roles={RoleId(1): "_Gold_"},
    campaigns={CampaignId("2"): "<@3>"},
    tiers={TierId("4"): Tier(campaign_id=CampaignId("2"), tier_id=TierId("4"), title="[x](https://example.org)")},
)


def test_names_that_look_like_markup_are_written_out() -> None:
    shown = harmless(NAMES)
    assert shown.role(RoleId(1)) == r"\_Gold\_"
    assert shown.campaign(CampaignId("2")).startswith(r"\<\@")
    assert shown.tier(TierId("4")).startswith(r"\[x\]\(")


def test_a_patron_with_marks_in_their_name_is_written_out() -> None:
    link = Link(
        discord_user_id=DiscordUserId(1),
        patreon_user_id=PatreonUserId("2"),
        patreon_name="*Star* @everyone",
        origin=LinkOrigin.COMMAND,
        linked_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    plan = PersonPlan(discord_user_id=DiscordUserId(1), decisions=(), link=link)
    assert r"\*Star\* \@everyone" in explanation_text(Explanation(plan=plan, names=NAMES))
