"""What `/membership` says to the person, and `/patreon why` to the server's team."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bot.domain.model import Campaign, CampaignId, DiscordUserId, Link, LinkOrigin, PatreonUserId
from bot.domain.plan import GuildFacts, PersonPlan, told_to_team
from bot.domain.reasons import OldText
from bot.domain.role_news import RoleNews, RoleStatus
from bot.texts.card import Card
from bot.texts.catalogs import ENGLISH
from bot.texts.membership import (
    ServerPart,
    check_again_label,
    membership_card,
    not_linked_card,
    nothing_to_unlink_card,
    unlink_question_card,
    unlinked_card,
    unlinking_text,
    why_card,
)
from bot.texts.renderer import Medium, Renderer
from tests.fakes.world import GUILD, NEW_YEAR, World

R = Renderer(ENGLISH, Medium.PLAIN)
DISCORD = Renderer(ENGLISH, Medium.DISCORD)
ADA = DiscordUserId(1000)
LINK = Link(
    discord_user_id=ADA,
    patreon_user_id=PatreonUserId("2"),
    patreon_name="*Star* @everyone",
    origin=LinkOrigin.COMMAND,
    linked_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def why(world: World, *, is_told: bool = False) -> Card:
    plan = world.plan_of("ada")
    return why_card(R, ADA, told_to_team(plan) if is_told else plan, world.facts())


def membership(world: World, *, is_dm: bool = False) -> Card:
    part = ServerPart("Hollow", world.plan_of("ada"), world.facts())
    return membership_card(R, [part], owned=(), has_consent_ended=False, is_dm=is_dm)


@pytest.fixture
def world() -> World:
    """Return a world in which ada is a Gold patron without roles yet."""
    world = World()
    world.patron("ada")
    return world


def test_the_standing_is_said_once_and_each_role_has_a_short_line(world: World) -> None:
    card = membership(world)
    assert card.body.count("You're an active Gold patron of Moth Tales.") == 1
    assert "Checked 1 January 2026, 13:00 UTC in Patreon's member list." in card.body
    assert card.items == (
        "Gold: You'll get it in a moment. Requires the Gold tier of Moth Tales.",
        "Supporter: You'll get it in a moment. Requires any paid membership of Moth Tales.",
        "Bronze: You don't have it. Requires the Bronze tier of Moth Tales.",
    )


def test_a_role_that_rests_on_another_fact_says_it() -> None:
    """A read that nothing proves gives the role, and what is believed says nothing of her."""
    world = World()
    world.stranger("ada")
    world.link("ada")
    world.read("ada", is_believed=False)
    card = membership(world)
    assert "I haven't been able to check your membership of Moth Tales yet." in card.body
    assert "You're an active Gold patron of Moth Tales." in card.items[0]


def test_in_direct_messages_each_server_has_its_part_and_the_standing_stands_once(world: World) -> None:
    plan, facts = world.plan_of("ada"), world.facts()
    parts = [ServerPart("Hollow", plan, facts), ServerPart("Glade", plan, facts)]
    card = membership_card(R, parts, owned=(), has_consent_ended=False, is_dm=True)
    assert card.body.count("You're an active Gold patron") == 1
    assert [item for item in card.items if ":" not in item] == ["Hollow", "Glade"]


def test_creators_and_those_whose_consent_ended_are_told_so(world: World) -> None:
    part = ServerPart("Hollow", world.plan_of("ada"), world.facts())
    card = membership_card(R, [part], owned=["Moth Tales"], has_consent_ended=True, is_dm=False)
    assert "Creators aren't members of their own campaign, so you don't get roles for Moth Tales." in card.body
    assert "Type /link to give it again." in card.body


def test_a_server_without_rules_or_campaigns_says_so() -> None:
    plan = PersonPlan(discord_user_id=ADA, decisions=(), link=LINK)
    guild = GuildFacts(guild_id=GUILD, now=NEW_YEAR)
    card = membership_card(R, [ServerPart("Hollow", plan, guild)], owned=(), has_consent_ended=False, is_dm=False)
    for one in (card, why_card(R, ADA, plan, guild)):
        assert "This server doesn't follow a Patreon campaign yet." in one.body
        assert one.items == ("This server doesn't have roles for Patreon members yet.",)


def test_a_patron_with_marks_in_their_name_is_written_out() -> None:
    plan = PersonPlan(discord_user_id=ADA, decisions=(), link=LINK)
    card = why_card(DISCORD, ADA, plan, GuildFacts(guild_id=GUILD, now=NEW_YEAR))
    assert r"\*Star\* \@everyone" in card.body
    assert r"\*Star\*" in unlink_question_card(DISCORD, ADA, LINK.patreon_name).body


def test_each_campaign_of_the_server_has_its_line_with_source_and_age(world: World) -> None:
    """Ada is a patron of Moth Tales, and nothing is read of her in the second campaign."""
    owl = Campaign(campaign_id=CampaignId("200"), name="Owl Tales")
    facts = world.facts()
    guild = replace(facts, campaigns={**facts.campaigns, owl.campaign_id: owl})
    lines = why_card(R, ADA, world.plan_of("ada"), guild).body.splitlines()
    assert lines[2:4] == [
        "They're an active Gold patron of Moth Tales. Checked 1 January 2026, 13:00 UTC in Patreon's member list.",
        (
            "I haven't been able to check their membership of Owl Tales yet. "
            "Patreon's member list hasn't been read completely yet."
        ),
    ]


def test_whom_the_list_misses_is_told_by_the_list(world: World) -> None:
    world.miss("ada")
    assert why(world).body.splitlines()[2] == (
        "They haven't been a member of Moth Tales since 1 January 2026. "
        "Checked 1 January 2026, 14:00 UTC in Patreon's member list."
    )


def test_without_a_name_nothing_of_the_link_is_said() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    world.miss("ada")
    card = why(world, is_told=True)
    assert "They're not a member of Moth Tales." in card.body
    assert "Ada" not in card.description
    assert "inked" not in card.description


def test_amounts_are_for_the_servers_team_alone() -> None:
    world = World()
    world.patron("ada", entitled_cents=12000, cadence_months=12)
    said = "For rules about amounts, this counts as US$10.00 a month. Patreon says US$120.00."
    assert said in why(world).body.splitlines()
    assert "US$" not in membership(world).description


def test_what_is_not_proven_is_told_to_each_in_their_own_person() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    assert "I haven't been able to check their membership of Moth Tales yet" in why(world).body
    patrons = membership(world)
    assert "I haven't been able to check your membership of Moth Tales yet" in patrons.body
    assert "Not earned" not in patrons.description


@pytest.mark.parametrize("is_dm", [True, False])
def test_whoever_cannot_be_planned_is_told_that_their_roles_stay(world: World, is_dm: bool) -> None:
    plan = PersonPlan(discord_user_id=ADA, decisions=(), link=LINK, is_unplanned=True)
    part = ServerPart("Hollow", plan, world.facts())
    card = membership_card(R, [part], owned=(), has_consent_ended=False, is_dm=is_dm)
    assert card.items[-1] == "I couldn't work out your roles, so they stay as they are. I've told this server's team."


def test_somebody_without_a_link_is_told_how_to_get_one(world: World) -> None:
    assert "Type `/link`" in not_linked_card(DISCORD).body
    card = membership_card(R, [], owned=(), has_consent_ended=False, is_dm=True)
    assert card.body == "You aren't in any server that I can see right now."
    comped = ServerPart("Hollow", PersonPlan(discord_user_id=ADA, decisions=()), world.facts())
    card = membership_card(R, [comped], owned=(), has_consent_ended=False, is_dm=False)
    assert "follow a Patreon campaign" not in card.body, "it does, and a role without a pledge needs no link"


def test_the_team_is_told_who_cannot_be_planned_and_where_no_campaign_is(world: World) -> None:
    plan = PersonPlan(discord_user_id=ADA, decisions=(), link=LINK, is_unplanned=True)
    card = why_card(DISCORD, ADA, plan, replace(world.facts(), campaigns={}))
    assert "This server doesn't follow a Patreon campaign yet." in card.body
    assert card.items == ("I couldn't work out this person's roles, so they stay as they are. My log says more.",)


def test_an_admin_who_unlinks_somebody_reads_whom() -> None:
    assert nothing_to_unlink_card(DISCORD, ADA).body.startswith("<@1000> isn't linked")
    assert unlinking_text(DISCORD, ADA).startswith("I'm unlinking <@1000>.")
    assert unlinked_card(DISCORD, ADA, "Ada").body == "<@1000> is no longer linked to the Patreon account **Ada**."
    assert check_again_label(DISCORD) == "Check again"


ELSEWHERE = RoleNews(
    guild_id=GUILD, guild_name="", role_name="Moon", status=RoleStatus.KEPT, reason=OldText("as it was")
)


def test_roles_in_servers_that_are_not_seen_from_here_stand_below_the_others(world: World) -> None:
    part = ServerPart("Hollow", world.plan_of("ada"), world.facts())
    card = membership_card(DISCORD, [part], elsewhere=[ELSEWHERE], owned=(), has_consent_ended=False, is_dm=True)
    assert card.items[0] == "**Hollow**"
    assert card.items[-2] == "**Other servers**"
    assert "Moon" in card.items[-1]


def test_where_no_server_is_seen_from_here_the_others_are_told_all_the_same() -> None:
    card = membership_card(DISCORD, [], elsewhere=[ELSEWHERE], owned=(), has_consent_ended=False, is_dm=True)
    assert card.body == ""
    assert card.items[0] == "**Other servers**"
