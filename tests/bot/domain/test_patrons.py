"""The rows of the list of patrons, and who is wanted."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.access import Gap
from bot.domain.entitlement import Standing
from bot.domain.model import Campaign, CampaignId, GrantState, LinkOrigin, PatreonUserId, Tier, TierId
from bot.domain.patron_status import PatronStatus
from bot.domain.patrons import (
    SOON,
    Kind,
    PageStart,
    PatronRow,
    Place,
    Show,
    Wish,
    account_row,
    earned_roles,
    fits,
    is_here,
    offered_tiers,
    patron_row,
    plan_without_account,
    read_place,
    read_wish,
    row_tiers,
)
from bot.domain.plan import told_to_team
from bot.domain.reasons import Status, TierName, patron_facts
from tests.fakes.world import CAMPAIGN, NEW_YEAR, ROLE, TIER, World

ADA = PatreonUserId("patreon-ada")
HERE = Place(Kind.PATRON, "17")


def row_of(world: World, name: str = "ada", *, is_here: bool = True) -> PatronRow:
    plan = told_to_team(world.plan_of(name))
    person = world.people[name]
    here = (person, plan) if is_here else None
    return patron_row(world.facts(), PatreonUserId(f"patreon-{name}"), person.records, here=here)


@pytest.fixture
def world() -> World:
    world = World()
    world.patron("ada")
    return world


def test_a_row_says_who_it_is_and_how_they_stand(world: World) -> None:
    world.apply("ada")
    assert row_of(world) == PatronRow(
        place=Place(Kind.PATRON, ADA),
        name="Ada",
        patreon_user_id=ADA,
        discord_user_id=world.people["ada"].discord_user_id,
        origin=LinkOrigin.COMMAND,
        is_member=True,
        standing=Standing.ACTIVE,
        campaign_id=CAMPAIGN,
        tier_ids=frozenset({TIER["Gold"]}),
        cents=1000,
    )


def test_a_row_without_an_account_tells_none_and_what_they_would_have(world: World) -> None:
    row = row_of(world, is_here=False)
    assert (row.discord_user_id, row.origin, row.is_member) == (None, None, False)
    assert row.gaps == dict.fromkeys((ROLE["Gold"], ROLE["Supporter"]), Gap.NO_ACCOUNT)
    assert earned_roles(world.facts(), world.people["ada"].records) == row.gaps.keys()


def test_what_is_not_believed_yet_counts_where_nothing_else_is_known() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    world.read("ada", is_believed=False)
    assert row_of(world).standing is Standing.ACTIVE
    world.read("ada")
    world.read("ada", is_believed=False, patron_status=PatronStatus.FORMER, tiers=())
    assert row_of(world).standing is Standing.ACTIVE


def test_of_several_campaigns_the_best_standing_counts(world: World) -> None:
    other = CampaignId("050")
    world.read("ada")
    (record,) = world.people["ada"].records.values()
    assert record.believed is not None
    lesser = replace(record.believed, campaign_id=other, patron_status=PatronStatus.FORMER, tier_ids=())
    records = {CAMPAIGN: record, other: replace(record, campaign_id=other, believed=lesser)}
    row = patron_row(world.facts(), ADA, records, here=None)
    assert (row.campaign_id, row.standing) == (CAMPAIGN, Standing.ACTIVE)
    assert patron_row(world.facts(), ADA, {}, here=None) == PatronRow(
        place=Place(Kind.PATRON, ADA), patreon_user_id=ADA
    )


def test_the_first_thing_to_end_is_told(world: World) -> None:
    until = world.now + timedelta(days=20)
    world.read("ada", patron_status=PatronStatus.FORMER, next_charge_at=until)
    assert row_of(world).ends_at == until
    world.comp("ada", "Bronze", days=3)
    assert row_of(world).ends_at == world.now + timedelta(days=3)
    world.days_pass(4)
    assert row_of(world).ends_at == until, "a comp that is over ends no more"


def test_a_lapsed_pledge_is_not_about_to_end(world: World) -> None:
    world.settings = replace(world.settings, grace_days=1)
    world.read("ada", patron_status=PatronStatus.DECLINED)
    assert row_of(world).ends_at is not None
    world.days_pass(2)
    assert (row_of(world).standing, row_of(world).ends_at) == (Standing.LAPSED, None)


def test_an_account_with_a_role_of_ours_and_no_patron_has_a_row_of_its_own(world: World) -> None:
    world.stranger("bo")
    world.comp("bo", "Gold", days=5)
    plan = told_to_team(world.plan_of("bo"))
    row = account_row(world.facts(), world.people["bo"], plan)
    person = world.people["bo"].discord_user_id
    assert row is not None
    assert (row.place, row.name, row.discord_user_id) == (Place(Kind.ACCOUNT, str(person)), "", person)
    assert (row.standing, row.gaps) == (Standing.NONE, {ROLE["Gold"]: Gap.COMING})
    assert account_row(world.facts(), world.people["ada"], told_to_team(world.plan_of("ada"))) is None
    world.trust_report("ada", has_ended=True)
    assert account_row(world.facts(), world.people["ada"], told_to_team(world.plan_of("ada"))) is not None


def test_an_account_is_known_here_in_the_server_or_by_a_role_of_ours(world: World) -> None:
    assert is_here(world.people["ada"])
    world.leave("ada")
    assert not is_here(world.people["ada"])
    world.comp("ada", "Gold")
    assert is_here(world.people["ada"])
    world.patron("bo")
    world.note("bo", "Gold", GrantState.HELD)
    world.leave("bo")
    assert is_here(world.people["bo"])


def test_of_a_patron_without_an_account_it_is_said_how_they_stand(world: World) -> None:
    plan = plan_without_account(world.facts(), world.people["ada"].records)
    (told,) = patron_facts(plan, world.facts())
    assert (told.status, plan.link, plan.decisions) == (Status.ACTIVE, None, ())
    world.miss("ada")
    (told,) = patron_facts(plan_without_account(world.facts(), world.people["ada"].records), world.facts())
    assert told.status is Status.GONE


def test_tiers_are_offered_the_dearest_first_and_what_is_withdrawn_last(world: World) -> None:
    world.tiers[TierId("9")] = Tier(
        campaign_id=CAMPAIGN, tier_id=TierId("9"), title="Old", amount_cents=9000, is_published=False
    )
    assert [tier.title for tier in offered_tiers(world.facts())] == ["Gold", "Bronze", "Free", "Old"]


def test_each_tier_is_named_by_its_own_campaign(world: World) -> None:
    other = Campaign(campaign_id=CampaignId("050"), name="Owl Tales", currency="EUR")
    song = Tier(campaign_id=other.campaign_id, tier_id=TierId("9"), title="Song", amount_cents=300)
    other = replace(other, tiers=(song,))
    facts = replace(
        world.facts(),
        campaigns={CAMPAIGN: world.campaign(), other.campaign_id: other},
        tiers={CAMPAIGN: world.tiers, other.campaign_id: {song.tier_id: song}},
    )
    row = replace(ROW, campaign_id=CAMPAIGN, tier_ids=frozenset({TIER["Gold"], TIER["Bronze"], song.tier_id}))
    assert [name.title for name in row_tiers(row, facts)] == ["Bronze", "Gold", "Song"]
    unheard = replace(row, tier_ids=frozenset({TierId("77")}))
    assert [name.tier_id for name in row_tiers(unheard, facts)] == ["77"]
    assert row_tiers(replace(unheard, campaign_id=None), facts) == (TierName(tier_id=TierId("77")),)


ROW = PatronRow(
    place=HERE,
    origin=LinkOrigin.PATREON,
    is_member=True,
    standing=Standing.ENDING,
    tier_ids=frozenset({TIER["Gold"]}),
    ends_at=NEW_YEAR + SOON,
    gaps={ROLE["Gold"]: Gap.COMING},
)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(), True),
        (Wish(tier_id=TIER["Gold"], standing=Standing.ENDING), True),
        (Wish(tier_id=TIER["Bronze"]), False),
        (Wish(standing=Standing.ACTIVE), False),
        (Wish(shows=frozenset({Show.REPORT})), True),
        (Wish(shows=frozenset({Show.COMMAND, Show.REPORT})), True),
        (Wish(shows=frozenset({Show.COMMAND, Show.UNLINKED})), False),
        (Wish(shows=frozenset({Show.REPORT, Show.ABSENT})), False),
        (Wish(shows=frozenset({Show.REPORT, Show.MEMBER, Show.MISMATCH, Show.ENDING})), True),
    ],
)
def test_who_is_wanted(wish: Wish, *, expected: bool) -> None:
    assert fits(ROW, wish, NEW_YEAR) is expected


def test_what_a_row_has_not_is_not_shown() -> None:
    bare = PatronRow(place=HERE, gaps={ROLE["Gold"]: Gap.NO_ACCOUNT})
    for show in (Show.MISMATCH, Show.ENDING, Show.MEMBER):
        assert not fits(bare, Wish(shows=frozenset({show})), NEW_YEAR)
    assert fits(bare, Wish(shows=frozenset({Show.UNLINKED, Show.ABSENT})), NEW_YEAR)
    assert not fits(ROW, Wish(shows=frozenset({Show.ENDING})), NEW_YEAR - timedelta(days=1))


@pytest.mark.parametrize(
    "wish",
    [
        Wish(),
        Wish(tier_id=TierId("1000226"), standing=Standing.LAPSED, shows=frozenset(Show), start=PageStart(HERE)),
        Wish(start=PageStart(Place(Kind.ACCOUNT, "815743106086083333"), is_back=True)),
    ],
)
def test_a_wish_is_read_as_it_was_written(wish: Wish) -> None:
    assert read_wish(wish.code) == wish
    assert len(f"show:patrons-standing:{wish.code}") <= 100, "Discord takes no longer id"
    assert wish.is_filtered is bool(wish.tier_id)


@pytest.mark.parametrize(
    "code", ["", "...", "....", "..q.", ".worse..", "...>", "...>x1", "...>p", "...>p1x", "...>d٣"]
)
def test_what_is_no_wish_is_refused(code: str) -> None:
    if code == "...":
        assert read_wish(code) == Wish()
        return
    with pytest.raises(ValueError, match=r".*"):
        read_wish(code)


def test_a_place_is_read_as_it_was_written() -> None:
    assert read_place(HERE.code) == HERE
