"""What `/patreon sync` found and `/patreon preview` foresees, in words."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.assignable import Block
from bot.domain.errors import NeedsOwner, PatreonCode, PatreonUnavailable, Setup
from bot.domain.evidence import Anomaly
from bot.domain.model import Mode
from bot.domain.plan import PersonPlan
from bot.domain.planned import GuildPlan
from bot.domain.round_report import ReadReport, RoundReport
from bot.texts.card import Outcome
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.sync import preview_card, sync_card
from tests.fakes.world import ROLE, World

R = Renderer(ENGLISH, Medium.DISCORD)
NO_ANSWER = PatreonUnavailable(PatreonCode.TIMED_OUT)
NO_CAMPAIGN = NeedsOwner(Setup.CAMPAIGN_UNSET)


def report(**of_read: Any) -> RoundReport:
    read = {"campaign_id": "1", "name": "Tales", "is_complete": True, "patrons": 3, "changed": 0, **of_read}
    return RoundReport(campaigns=(ReadReport(**read),), queued=2, seconds=1.0)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param(report(), "I'm updating the roles of 2 people now.", id="changes"),
        pytest.param(report(), "**Tales**: 3 members, 0 changed since the last check.", id="a read"),
        pytest.param(report(is_complete=False), "was incomplete, so nobody loses a role", id="an incomplete list"),
        pytest.param(
            report(unattributed=2), "I can't tell who 2 entries belong to, so nobody loses a role", id="nobody's"
        ),
        pytest.param(
            report(doubts=(Anomaly.NO_TIERS,)),
            "No member has a tier. The list looks wrong, so I won't remove any roles for now.",
            id="doubts",
        ),
        pytest.param(
            report(is_by_consents=True), "checked with the consent of 3 linked patrons.", id="by the patrons' consent"
        ),
        pytest.param(report(error=NO_ANSWER), "so nobody loses a role. Patreon didn't answer in time.", id="not read"),
        pytest.param(report(name="*Tales*"), r"**\*Tales\***", id="a name with marks in it"),
        pytest.param(RoundReport(campaigns=(), queued=0, seconds=0), "`/patreon connect`", id="no campaign"),
        pytest.param(
            RoundReport(campaigns=(), queued=0, seconds=0, errors=(NO_CAMPAIGN,)),
            "`PATREON_CAMPAIGN_ID`",
            id="no campaign known",
        ),
    ],
)
def test_a_round_is_told_in_words(told: RoundReport, said: str) -> None:
    assert said in sync_card(R, told).description


def test_a_round_with_trouble_is_no_green_one() -> None:
    assert sync_card(R, report()).outcome is Outcome.DONE
    assert sync_card(R, report(error=NO_ANSWER)).outcome is Outcome.WAITING


def preview(world: World, **of_plan: Any) -> GuildPlan:
    plans = tuple(world.plan_of(name) for name in world.people)
    return GuildPlan(guild=world.facts(), plans=plans, is_of_everyone=True, **of_plan)


@pytest.fixture
def world() -> World:
    """Return a world in which ada is to get roles."""
    world = World()
    world.patron("ada")
    return world


def test_a_preview_counts_changes_and_says_each_with_its_reason(world: World) -> None:
    card = preview_card(R, preview(world))
    assert card.body.startswith("The next sync would make 2 changes.")
    assert card.items[0].startswith(
        "<@1000> · **Gold**: I'll assign it. Requires the Gold tier of Moth Tales. They're an active Gold patron"
    )
    assert "The member list of Moth Tales hasn't been read completely yet." in card.body
    world.confirmed_at = world.now
    assert "The member list of Moth Tales was last read completely <t:" in preview_card(R, preview(world)).body


def test_without_changes_that_is_said(world: World) -> None:
    world.apply("ada")
    card = preview_card(R, preview(world))
    assert card.body.startswith("Nothing would change")
    assert card.items == ()


def test_where_there_are_no_rules_a_preview_says_how_to_begin(world: World) -> None:
    world.apply("ada")
    empty = replace(world.facts(), rules=())
    card = preview_card(R, GuildPlan(guild=empty, plans=(), is_of_everyone=True))
    assert card.body.startswith("There are no rules yet, so nobody can earn a role. `/patreon setup` makes them")


def test_what_only_a_trouble_or_a_rail_stops_comes_below_its_title(world: World) -> None:
    world.holder("ben")
    world.settings = replace(world.settings, mode=Mode.GRANT_ONLY)
    world.read("ben", tiers=("Bronze",))
    world.blocked.clear()
    world.block("Supporter", Block.ABOVE_BOT)
    world.patron("cai")
    world.screen("cai", is_pending=True)
    items = preview_card(R, preview(world)).items
    titles = [item for item in items if item.startswith("**")]
    assert titles == ["**Waiting for an admin:**", "**Held back:**", "**Waiting for the person:**"]
    assert "drag my role above it" in items[items.index(titles[0]) + 1]
    assert items[items.index(titles[1]) + 1].startswith("<@1001> · **Gold**: Unchanged, because this server's `mode`")


def test_what_is_the_same_for_several_people_is_said_once(world: World) -> None:
    world.settings = replace(world.settings, mode=Mode.GRANT_ONLY)
    for name in ("ben", "cai"):
        world.holder(name)
    now = world.now
    for name in ("ben", "cai"):
        world.now = now  # one list showed it of both
        world.read(name, tiers=("Bronze",))
    items = preview_card(R, preview(world)).items
    said, people = items[items.index("**Held back:**") + 1 :][:2]
    assert said.startswith("**Gold**: Unchanged, because this server's `mode`")
    assert people == "<@1001> and <@1002>"


def test_what_discord_refused_is_no_change_but_waits(world: World) -> None:
    (ada,) = (one.discord_user_id for one in world.people.values())
    card = preview_card(R, preview(world, refused={ada: frozenset({ROLE["Gold"]})}))
    assert card.body.startswith("The next sync would make 1 change.")
    assert "Refused by Discord" in card.items[1]
    assert "**Gold**" in card.items[2]


def test_whoever_cannot_be_planned_and_a_halt_are_told(world: World) -> None:
    (ada,) = (one.discord_user_id for one in world.people.values())
    unplanned = PersonPlan(discord_user_id=ada, decisions=(), is_unplanned=True)
    plan = GuildPlan(guild=world.facts(), plans=(unplanned,), is_halted=True)
    halt, title, person = preview_card(R, plan).items
    assert halt.startswith("**All changes are waiting:** Discord isn't letting me change roles")
    assert "couldn't work" in title
    assert person == "<@1000>"


def test_a_creators_access_that_ended_is_told_with_what_to_do() -> None:
    said = sync_card(R, report(is_by_consents=True, is_token_dead=True)).description
    assert "checked with the consent of 3 linked patrons. Patreon no longer accepts the creator's access" in said
