"""What is kept of a decision: the facts that decided, in codes, with the names of their time."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bot.domain import reasons
from bot.domain.assignable import Block
from bot.domain.charge_status import ChargeStatus
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import Campaign, CampaignId, DiscordUserId, GrantState, Mode, RuleKind, Source, TierId
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import Action, Bond, Decision, GuildFacts, Rail, told_to_team
from bot.domain.pledge_terms import Term
from bot.domain.reasons import (
    CompFacts,
    OldText,
    PatronFacts,
    RoleReason,
    RuleFacts,
    Status,
    TierName,
    patron_facts,
    reason_of,
    rule_facts,
)
from bot.domain.rules import Claim, Wanted
from tests.fakes.world import CAMPAIGN, NEW_YEAR, ROLE, TIER, World, reading, role_rules

FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
GRACE_END = NEW_YEAR + timedelta(days=7)
GOLD = TierName(tier_id=TIER["Gold"], title="Gold", amount_cents=1000, currency="USD")


def standing(
    kind: Standing, tiers: tuple[str, ...] = ("Gold",), until: datetime | None = None, **facts: Any
) -> Entitlement:
    return Entitlement(
        standing=kind, tier_ids=frozenset(TIER[tier] for tier in tiers), until=until, reading=reading(**facts)
    )


def kept(
    entitlement: Entitlement, *, gone_since: datetime | None = None, guild: GuildFacts | None = None
) -> PatronFacts:
    """Return what is kept of an entitlement that decided about Gold."""
    claim = Claim(role_id=ROLE["Gold"], wanted=Wanted.NO, rule=role_rules()["Gold"], entitlement=entitlement)
    decision = Decision(role_id=ROLE["Gold"], action=Action.NONE, claim=claim, gone_since=gone_since)
    patron = reason_of(decision, guild or World().facts()).patron
    assert patron is not None
    return patron


@pytest.mark.parametrize(
    ("entitlement", "status", "terms"),
    [
        pytest.param(standing(Standing.ACTIVE), Status.ACTIVE, (), id="active"),
        pytest.param(standing(Standing.ENDING, **FORMER), Status.ENDING, (), id="ending"),
        pytest.param(standing(Standing.GRACE, **DECLINED), Status.DECLINED, (), id="declined"),
        pytest.param(standing(Standing.GRACE, membership_id=None), Status.VANISHED, (), id="vanished on v1"),
        pytest.param(
            standing(Standing.WAITING, patron_status=PatronStatus.UNKNOWN, unknown_words=("napping",)),
            Status.UNCLEAR,
            (Term.UNKNOWN_WORDS,),
            id="unknown patron status",
        ),
        pytest.param(replace(standing(Standing.WAITING), reading=reading(tiers=())), Status.TIERLESS, (), id="waiting"),
        pytest.param(
            replace(standing(Standing.WAITING), reading=reading(tiers=("Free",))),
            Status.HOLLOW,
            (),
            id="waiting, the Free tier alone",
        ),
        pytest.param(standing(Standing.FREE, ("Free",)), Status.FREE, (), id="free"),
        pytest.param(standing(Standing.LAPSED, ()), Status.LAPSED, (), id="lapsed"),
        pytest.param(standing(Standing.LAPSED, (), **DECLINED), Status.LAPSED, (Term.DECLINED,), id="after grace"),
        pytest.param(
            replace(standing(Standing.LAPSED, ("Free",)), reading=reading(**FORMER)),
            Status.LAPSED,
            (Term.CANCELLED, Term.STILL_FREE_MEMBER),
            id="lapsed, and a free member",
        ),
        pytest.param(
            standing(Standing.LAPSED, (), charge_status=ChargeStatus.REFUNDED),
            Status.LAPSED,
            (Term.REFUNDED,),
            id="refunded",
        ),
        pytest.param(
            standing(Standing.LAPSED, (), charge_status=ChargeStatus.DELETED),
            Status.LAPSED,
            (Term.DELETED,),
            id="a deleted charge of an active patron",
        ),
        pytest.param(
            replace(standing(Standing.LAPSED, ()), reading=reading(tiers=())),
            Status.LAPSED,
            (Term.NOTHING_LISTED,),
            id="active with nothing, after a second look",
        ),
        pytest.param(Entitlement(standing=Standing.NONE), Status.UNREAD, (), id="never read"),
        pytest.param(
            standing(Standing.ENDING, patron_status=PatronStatus.FORMER, entitled_cents=0, cadence_months=12),
            Status.ENDING,
            (Term.YEARLY,),
            id="cancelled and entitled to the end is not discounted",
        ),
    ],
)
def test_each_standing_is_kept_as_a_code(entitlement: Entitlement, status: Status, terms: tuple[Term, ...]) -> None:
    patron = kept(entitlement)
    assert (patron.status, patron.terms, patron.campaign) == (status, terms, "Moth Tales")


def test_what_a_term_says_more_is_kept_with_it() -> None:
    quarterly = kept(replace(standing(Standing.ACTIVE), reading=reading(cadence_months=3)))
    assert (quarterly.terms, quarterly.cadence_months) == ((Term.CADENCE,), 3)
    yearly = kept(replace(standing(Standing.ACTIVE), reading=reading(cadence_months=12)))
    assert (yearly.terms, yearly.cadence_months) == ((Term.YEARLY,), None)
    unknown = kept(replace(standing(Standing.ACTIVE), reading=reading(unknown_words=("Half Paid",))))
    assert (unknown.terms, unknown.unknown_words) == ((Term.UNKNOWN_WORDS,), ("Half Paid",))


def test_a_tier_without_a_known_price_is_no_discount() -> None:
    guild = replace(World().facts(), tiers={}, campaigns={})
    patron = kept(standing(Standing.ACTIVE, entitled_cents=1), guild=guild)
    assert (patron.terms, patron.tiers) == ((), (TierName(tier_id=TierId("3")),))
    assert patron.campaign == CAMPAIGN, "a campaign that nobody knows is called by its id"


@pytest.mark.parametrize(
    ("lifetime_cents", "status", "terms"),
    [
        (0, Status.NEVER_CHARGED, ()),
        (4000, Status.LAPSED, (Term.CANCELLED_IN_TIME,)),
        (None, Status.LAPSED, (Term.CANCELLED_IN_TIME,)),
    ],
)
def test_a_charge_that_never_was_made_is_no_fault(
    lifetime_cents: int | None, status: Status, terms: tuple[Term, ...]
) -> None:
    """Patreon shows such a pledge as former, its charge as deleted, and the day of the next one."""
    uncharged = reading(
        **FORMER,
        charge_status=ChargeStatus.DELETED,
        lifetime_cents=lifetime_cents,
        entitled_cents=0,
        next_charge_at=GRACE_END,
    )
    patron = kept(replace(standing(Standing.LAPSED, ()), reading=uncharged))
    assert (patron.status, patron.terms) == (status, terms)


def test_whom_patreon_lists_no_more_is_gone_since_then() -> None:
    patron = kept(standing(Standing.LAPSED, ()), gone_since=NEW_YEAR)
    assert (patron.status, patron.gone_since, patron.terms) == (Status.GONE, NEW_YEAR, ())


@pytest.mark.parametrize("source", Source)
def test_a_fact_has_its_source_and_age(source: Source) -> None:
    patron = kept(standing(Standing.ACTIVE, source=source))
    assert (patron.source, patron.read_at) == (source, NEW_YEAR)


@pytest.mark.parametrize(
    ("days", "source", "age"),
    [(1, Source.BULK, 1), (-1, Source.IDENTITY, 0)],
    ids=["a whole read since", "a whole read before"],
)
def test_a_fact_is_as_old_as_the_last_read_that_saw_no_other(days: int, source: Source, age: int) -> None:
    world = World()
    world.confirmed_at = NEW_YEAR + timedelta(days=days)
    patron = kept(standing(Standing.ACTIVE, source=Source.IDENTITY), guild=world.facts())
    assert (patron.source, patron.read_at) == (source, NEW_YEAR + timedelta(days=age))


@pytest.mark.parametrize(
    ("membership_id", "days", "source", "age"),
    [
        pytest.param("member-ada", None, Source.BULK, 0, id="on v2 a consent's silence proves nothing"),
        pytest.param(None, None, Source.IDENTITY, 0, id="no list was ever believed"),
        pytest.param(None, -1, Source.IDENTITY, 0, id="the list is older"),
        pytest.param(None, 1, Source.BULK, 1, id="a list missed them again"),
    ],
)
def test_an_absence_names_the_read_that_missed_them(
    membership_id: Any, days: int | None, source: Source, age: int
) -> None:
    world = World()
    world.confirmed_at = None if days is None else NEW_YEAR + timedelta(days=days)
    entitlement = standing(Standing.LAPSED, (), membership_id=membership_id)
    patron = kept(entitlement, gone_since=NEW_YEAR, guild=world.facts())
    assert (patron.source, patron.read_at) == (source, NEW_YEAR + timedelta(days=age))


def test_who_is_linked_and_was_never_listed_is_unlisted_or_unread() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    patron = world.reason("ada", "Gold").patron
    assert patron == PatronFacts(campaign="Moth Tales", status=Status.UNREAD)
    world.confirmed_at = world.now
    patron = world.reason("ada", "Gold").patron
    assert patron == PatronFacts(campaign="Moth Tales", status=Status.UNREAD, source=Source.BULK, read_at=world.now)
    world.miss("ada")
    patron = world.reason("ada", "Gold").patron
    assert patron is not None
    assert (patron.status, patron.source, patron.gone_since) == (Status.UNLISTED, Source.IDENTITY, world.now)


def test_a_reading_that_is_not_proven_and_gives_names_itself_and_no_absence() -> None:
    world = World()
    world.patron("ada")
    world.miss("ada")
    world.read("ada", is_believed=False)
    patron = world.reason("ada", "Gold").patron
    assert patron is not None
    assert (patron.status, patron.gone_since, patron.read_at) == (Status.ACTIVE, None, world.now)


@pytest.mark.parametrize(
    ("bond", "change"),
    [
        (Bond.NONE, lambda world: None),
        (Bond.UNLINKED, lambda world: world.unlink("ada")),
        (Bond.ENDED, lambda world: (world.link("ada"), world.trust_report("ada", has_ended=True))),
    ],
    ids=["never linked", "unlinked", "no longer reported"],
)
def test_without_a_link_that_is_what_decides(bond: Bond, change: Any) -> None:
    world = World()
    world.stranger("ada")
    change(world)
    reason = world.reason("ada", "Gold")
    assert (reason.bond, reason.patron, reason.action) == (bond, None, Action.NONE)


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        (RuleKind.TIER, {}, {"tier": GOLD}),
        (RuleKind.AMOUNT, {"tier_id": None, "amount_cents": 550}, {"amount_cents": 550, "currency": "USD"}),
        (RuleKind.MONTHS, {"tier_id": None, "months": 12}, {"months": 12}),
        (RuleKind.FREE, {"tier_id": None}, {}),
    ],
)
def test_a_rule_is_kept_with_its_names(kind: RuleKind, asked: dict[str, Any], expected: dict[str, Any]) -> None:
    rule = replace(role_rules()["Gold"], kind=kind, **asked)
    campaigns = {CAMPAIGN: World().campaign()}
    assert rule_facts(rule, campaigns) == RuleFacts(kind=kind, campaign="Moth Tales", **expected)


def test_what_holds_a_role_back_is_in_its_reason() -> None:
    world = World()
    world.holder("ada")
    world.block("Bronze", Block.ABOVE_BOT)
    world.settings = replace(world.settings, mode=Mode.OFF)
    world.read("ada", **FORMER)
    assert world.reason("ada", "Gold").rail is Rail.MODE
    world.settings = replace(world.settings, mode=Mode.SYNC)
    world.read("ada", tiers=("Bronze",))
    assert world.reason("ada", "Bronze").block is Block.ABOVE_BOT
    world.note("ada", "Supporter", GrantState.SUPPRESSED)
    world.take("ada", "Supporter")
    assert world.reason("ada", "Supporter").taken_at == world.people["ada"].grants[ROLE["Supporter"]].since


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_a_reason_that_is_stored_comes_back_as_it_was(name: str) -> None:
    world = World()
    world.holder("ada")
    world.stranger("ben")
    reason = world.reason(name, "Gold")
    stored = msgspec.json.encode(reason)
    assert msgspec.json.decode(stored, type=RoleReason | OldText) == reason
    assert b"Ada" not in stored, "whose Patreon account it is stands in no reason"


def test_a_sentence_of_before_comes_back_as_it_was() -> None:
    old = OldText("**Gold**: to be removed")
    assert msgspec.json.decode(b'{"type":"text","text":"**Gold**: to be removed"}', type=RoleReason | OldText) == old


def test_each_campaign_of_the_server_has_its_facts_the_persons_own_first() -> None:
    """Ada is a patron of Moth Tales, and nothing is read of her in the other campaign."""
    world = World()
    world.patron("ada")
    facts = world.facts()
    other = Campaign(campaign_id=CampaignId("099"), name="Owl Tales")
    guild = replace(facts, campaigns={other.campaign_id: other, **facts.campaigns})
    moth, owl = patron_facts(world.plan_of("ada"), guild)
    assert (moth.campaign, moth.status, moth.tiers) == ("Moth Tales", Status.ACTIVE, (GOLD,))
    assert (owl.campaign, owl.status) == ("Owl Tales", Status.UNREAD)


def test_of_somebody_who_is_not_linked_patreon_says_nothing() -> None:
    world = World()
    world.patron("ada")
    world.unlink("ada")
    assert patron_facts(world.plan_of("ada"), world.facts()) == ()


class TestToldToTeam:
    @pytest.fixture
    def world(self) -> World:
        """Return a world in which ada is linked, and no campaign of the server lists her."""
        world = World()
        world.stranger("ada")
        world.link("ada")
        world.miss("ada")
        return world

    def test_to_whom_a_stranger_to_the_campaign_is_linked_is_hidden(self, world: World) -> None:
        plan = told_to_team(world.plan_of("ada"))
        assert (plan.link, plan.is_link_hidden) == (None, True)
        (patron,) = patron_facts(plan, world.facts())
        assert patron.status is Status.UNLISTED
        assert {one.bond for one in plan.decisions} == {Bond.LINKED}

    def test_a_report_that_ended_elsewhere_is_as_if_it_had_never_been(self, world: World) -> None:
        world.trust_report("ada", has_ended=True)
        plan = told_to_team(world.plan_of("ada"))
        assert (plan.link, plan.is_link_hidden) == (None, False)
        assert {one.bond for one in plan.decisions} == {Bond.NONE}

    def test_a_patron_of_the_servers_own_campaign_is_shown(self, world: World) -> None:
        world.read("ada")
        plan = world.plan_of("ada")
        assert told_to_team(plan) == plan
        world.unlink("ada")
        assert told_to_team(world.plan_of("ada")) == world.plan_of("ada")


def test_a_standing_that_nobody_wrote_is_an_error_not_a_lapse() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        kept(replace(standing(Standing.ACTIVE), standing=unheard))
    with pytest.raises(AssertionError):
        reasons._find_terms(unheard, standing(Standing.ACTIVE), reading(), {})
    assert reasons._find_terms(Status.UNLISTED, standing(Standing.NONE), reading(), {}) == ()


def test_what_an_admin_said_is_kept_with_the_role_and_whether_that_is_over() -> None:
    world = World()
    world.stranger("gus")
    world.comp("gus", "Gold", days=1)
    said = CompFacts(reason="won the raffle", given_by=DiscordUserId(1), until=NEW_YEAR + timedelta(days=1))
    reason = world.reason("gus", "Gold")
    assert (reason.action, reason.rule, reason.comp) == (Action.GRANT, None, said)
    world.apply("gus")
    world.days_pass(1)
    assert world.reason("gus", "Gold").comp == replace(said, is_over=True)


def test_the_role_that_takes_anothers_place_is_named_and_so_is_how_long_one_stays() -> None:
    world = World()
    world.rules["Gold"] = replace(world.rules["Gold"], keep_days=3)
    world.groups = (("Gold", "Supporter"),)
    world.holder("ada")
    assert world.reason("ada", "Supporter").outranked_by == "Gold"
    assert world.reason("ada", "Gold").outranked_by is None
    facts = replace(world.facts(), roles={})
    (decision,) = [one for one in world.plan_of("ada").decisions if one.role_id == ROLE["Supporter"]]
    assert reason_of(decision, facts).outranked_by == ""
    world.groups = ()
    world.read("ada", **FORMER)
    reason = world.reason("ada", "Gold")
    assert reason.kept_until == world.now + timedelta(days=3)
    assert reason.rule is not None
    assert reason.rule.keep_days == 3
