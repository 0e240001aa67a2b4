"""What strangers call themselves, their roles, campaigns and tiers is shown as it is, and does nothing."""

from datetime import UTC, datetime

from msgspec.structs import replace

from bot.domain.model import CampaignId, DiscordUserId, Link, LinkOrigin, PatreonUserId
from bot.domain.plan import PersonPlan
from bot.sync.applying.planning import Explanation
from bot.texts.blocks import Reader
from bot.texts.explanations import explanation_text, nameless_text
from bot.texts.names import Names
from tests.fakes.world import CAMPAIGN, World

LINK = Link(
    discord_user_id=DiscordUserId(1),
    patreon_user_id=PatreonUserId("2"),
    patreon_name="*Star* @everyone",
    origin=LinkOrigin.COMMAND,
    linked_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_a_patron_with_marks_in_their_name_is_written_out() -> None:
    plan = PersonPlan(discord_user_id=DiscordUserId(1), decisions=(), link=LINK)
    assert r"\*Star\* \@everyone" in explanation_text(Explanation(plan=plan, names=Names()), Reader.TEAM)


def test_a_server_that_follows_no_campaign_says_so() -> None:
    plan = PersonPlan(discord_user_id=DiscordUserId(1), decisions=(), link=LINK)
    said = explanation_text(Explanation(plan=plan, names=Names()), Reader.TEAM)
    assert "This server follows no Patreon campaign yet." in said


def test_each_campaign_of_the_server_has_its_line_with_source_and_age() -> None:
    """Ada is a patron of Moth Tales, which is not read of her second campaign."""
    world = World()
    world.patron("ada")
    names = replace(world.names(), campaigns={CAMPAIGN: "Moth Tales", CampaignId("200"): "Owl Tales"})
    lines = explanation_text(Explanation(plan=world.plan_of("ada"), names=names), Reader.TEAM).splitlines()
    assert lines[1:3] == [
        "Patreon says: active patron (Gold) of Moth Tales (Patreon's member list, read 2026-01-01 13:00).",
        "I haven't been able to check their membership of Owl Tales yet (not read yet).",
    ]


def test_whom_the_list_misses_is_told_by_the_list() -> None:
    world = World()
    world.patron("ada")
    world.miss("ada")
    lines = explanation_text(Explanation(plan=world.plan_of("ada"), names=world.names()), Reader.TEAM).splitlines()
    assert lines[1] == (
        "Patreon says: no longer listed as a member of Moth Tales, since 2026-01-01 14:00 "
        "(Patreon's member list, read 2026-01-01 14:00)."
    )


def test_without_a_name_nothing_of_the_link_is_said() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    world.miss("ada")
    said = nameless_text(Explanation(plan=world.plan_of("ada"), names=world.names()))
    assert said.startswith("Patreon does not list this patron in Moth Tales (")
    assert "Ada" not in said
    assert "inked" not in said


def test_amounts_are_for_the_servers_team_alone() -> None:
    world = World()
    world.patron("ada", entitled_cents=12000, cadence_months=12)
    explanation = Explanation(plan=world.plan_of("ada"), names=world.names())
    said = "Counts as 10.00 USD a month for rules on amounts; Patreon says 120.00 USD."
    assert said in explanation_text(explanation, Reader.TEAM).splitlines()
    assert "USD" not in explanation_text(explanation, Reader.PATRON)


def test_what_is_not_proven_is_told_to_each_in_their_own_person() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    explanation = Explanation(plan=world.plan_of("ada"), names=world.names())
    assert "I haven't been able to check their membership of Moth Tales yet" in explanation_text(
        explanation, Reader.TEAM
    )
    assert "I haven't been able to check your membership of Moth Tales yet" in explanation_text(
        explanation, Reader.PATRON
    )
    assert "not earned" not in explanation_text(explanation, Reader.PATRON)
