"""What is found in a server and in a person: a row for each code, made from one look in which all is well."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain import doctor
from bot.domain.assignable import MANAGE_ROLES, Block, Permission, Powers, Right
from bot.domain.doctor import (
    Area,
    DoctorCode,
    DoctorFinding,
    Harm,
    PersonDiagnosis,
    ServerDiagnosis,
    ServerLook,
    diagnose,
    diagnose_person,
    diagnose_stranger,
)
from bot.domain.model import (
    CampaignId,
    ChannelId,
    DiscordUserId,
    GrantState,
    GuildSettings,
    Mode,
)
from bot.domain.notices import (
    AccountShared,
    CampaignRefused,
    ConsentsEnded,
    CreatorTokenDead,
    DiscordBan,
    LogChannelShut,
    RoleBlocked,
    Topic,
    Trouble,
    WritesRejected,
)
from bot.domain.plan import Action, Rail, told_to_team
from tests.fakes.ailing import (
    DAY,
    DISPUTED,
    DOUBT,
    HOUR,
    NAMED,
    PATREONS_BOT,
    SERVER,
    blocked,
    campaign,
    facts,
    look,
    pair,
    role_look,
    told,
    with_campaign,
)
from tests.fakes.world import NEW_YEAR, ROLE, World

C = DoctorCode


def codes(diagnosis: ServerDiagnosis | PersonDiagnosis) -> list[DoctorCode]:
    return [one.code for one in diagnosis.findings]


def test_where_all_is_well_nothing_is_found_and_each_thing_was_looked_at() -> None:
    diagnosis = diagnose(look())
    assert (diagnosis.findings, diagnosis.is_well) == ((), True)
    assert set(diagnosis.fine) == set(Area) - {Area.PERSON, Area.PROCESSES}
    assert set(diagnose(look(), are_several=True).fine) == set(Area) - {Area.PERSON}
    assert diagnosis.read_at == (("Moth Tales", NEW_YEAR - timedelta(minutes=10)),)


@pytest.mark.parametrize(("code", "seen"), SERVER.items(), ids=list(SERVER))
def test_each_thing_that_is_wrong_in_a_server_is_found_alone(code: DoctorCode, seen: ServerLook) -> None:
    diagnosis = diagnose(seen)
    assert codes(diagnosis) == [code]
    assert code.area not in diagnosis.fine
    assert diagnosis.is_well is (code.harm is Harm.NOTE)


def test_each_code_is_of_a_server_or_of_a_person() -> None:
    assert SERVER.keys() | PERSON == set(DoctorCode)
    assert doctor._ABOUT.keys() == set(DoctorCode)
    assert {code for code in DoctorCode if code.area is Area.PERSON} == PERSON


def test_the_worst_is_said_first() -> None:
    world = World(settings=GuildSettings(mode=Mode.GRANT_ONLY))
    world.block("Gold", Block.ABOVE_BOT)
    seen = look(world=world, hears_members=False, held=2, bot=Powers(top=role_look(2, 50), permissions=0))
    assert codes(diagnose(seen)) == [C.NO_MANAGE_ROLES, C.ROLE_ABOVE_BOT, C.HOLD_OPEN, C.INTENT_OFF, C.GRANT_ONLY]


def test_one_cause_is_said_once_with_all_its_roles_and_rules() -> None:
    rights = {ROLE["Gold"]: (Right(Permission.BAN_MEMBERS),), ROLE["Bronze"]: (Right(Permission.BAN_MEMBERS),)}
    (found,) = diagnose(replace(blocked("Gold", "Bronze", by=Block.DANGEROUS), rights=rights)).findings
    assert found == DoctorFinding(
        code=C.ROLE_DANGEROUS,
        roles=("Bronze", "Gold"),
        rights=(Right(Permission.BAN_MEMBERS),),
        rules=(found.rules[0], found.rules[1]),
    )


def test_a_role_that_admins_give_without_a_pledge_counts_too() -> None:
    world = World()
    world.drop_rule("Gold")
    world.block("Gold", Block.ABOVE_BOT)
    assert codes(diagnose(look(world=world))) == []
    (found,) = diagnose(look(world=world, comp_roles=(ROLE["Gold"],))).findings
    assert (found.code, found.roles, found.rules) == (C.ROLE_ABOVE_BOT, ("Gold",), ())


@pytest.mark.parametrize("block", [Block.NO_RIGHT, Block.OWNER_NEEDS_2FA])
def test_what_blocks_every_role_is_said_of_the_server(block: Block) -> None:
    found = codes(diagnose(blocked(*ROLE, by=block)))
    assert found == ([C.OWNER_WITHOUT_2FA] if block is Block.OWNER_NEEDS_2FA else [])


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(look(needs_2fa=True, owner_has_2fa=None), id="nobody knows whether the owner has two factors"),
        pytest.param(look(needs_2fa=False, owner_has_2fa=False), id="nobody asks for two factors"),
        pytest.param(look(clock_ahead=timedelta(seconds=30)), id="clocks differ by what a command takes"),
        pytest.param(look(patreons_bot=Powers(top=role_look(3, 0), permissions=MANAGE_ROLES)), id="below the roles"),
        pytest.param(look(patreons_bot=Powers(top=role_look(3, 40), permissions=0)), id="it manages no roles"),
        pytest.param(look(patreons_bot=PATREONS_BOT, roles={}), id="of roles that are gone"),
        pytest.param(
            with_campaign(reader=pair(since=NEW_YEAR - 21 * DAY, ends=NEW_YEAR + 10 * DAY)), id="soon renewed"
        ),
        pytest.param(
            look(campaigns=(campaign(believed_at=NEW_YEAR - 2 * HOUR),), interval=HOUR), id="rounds are hours apart"
        ),
        pytest.param(told(CreatorTokenDead(**NAMED)), id="told before the token was renewed"),
        pytest.param(told(CampaignRefused(code="x", campaign_id=CampaignId("7"), campaign="")), id="another campaign"),
        pytest.param(told(LogChannelShut(channel_id=ChannelId(5), is_gone=True)), id="told before it was there again"),
        pytest.param(told(RoleBlocked(role_id=ROLE["Gold"], role="Gold", block=Block.REFUSED)), id="told before, too"),
    ],
)
def test_what_does_no_harm_is_not_found(seen: ServerLook) -> None:
    assert codes(diagnose(seen)) == []


def test_what_patreons_bot_may_give_and_we_will_not_counts() -> None:
    roles = {role_id: role_look(role_id, 1, permissions=1 << 2) for role_id in ROLE.values()}
    (found,) = diagnose(look(patreons_bot=PATREONS_BOT, roles=roles)).findings
    assert found.roles == tuple(ROLE)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"believed_at": None, "reader": None}, [C.LESSER_CONSENT]),
        ({"believed_at": NEW_YEAR - HOUR, "cut_at": NEW_YEAR}, [C.READ_OLD]),
        ({"reader": pair(ends=NEW_YEAR), "believed_at": NEW_YEAR - HOUR}, [C.TOKEN_EXPIRED, C.READ_OLD]),
    ],
    ids=["nobody reads it", "too old counts more than cut", "each has a cure of its own"],
)
def test_of_what_follows_from_each_other_the_cause_is_found(changes: dict[str, Any], found: list[DoctorCode]) -> None:
    assert codes(diagnose(with_campaign(**changes))) == found


def test_a_doubted_list_is_neither_old_nor_cut() -> None:
    seen = look(doubts=(DOUBT,), campaigns=(campaign(believed_at=NEW_YEAR - DAY, cut_at=NEW_YEAR),))
    assert codes(diagnose(seen)) == [C.LIST_DOUBTED]


def test_rules_of_a_campaign_that_left_are_no_matter_where_none_is_followed() -> None:
    assert codes(diagnose(facts(campaigns={}))) == [C.NO_CAMPAIGN]


def test_each_rail_and_each_block_that_a_plan_can_have_has_its_code() -> None:
    assert doctor.OF_RAILS.keys() == set(Rail)
    assert doctor.OF_BLOCKS.keys() == set(Block) - {Block.ABOVE_CALLER}
    looked_up = {Topic.LOG_CHANNEL, Topic.ROLE, Topic.TWO_FACTOR, Topic.HOLD, Topic.LIST_DOUBTED, Topic.LIST_CUT}
    looked_up |= {Topic.LESSER_CONSENT}
    assert set(doctor.TOLD) | looked_up == set(Topic)
    assert doctor._OF_ACTIONS.keys() | doctor.FINE | {Action.AWAY, Action.BLOCKED, Action.HELD_BACK} == {*Action}


# --- one person

PERSON = {
    C.NOT_IN_SERVER,
    C.NOT_LINKED,
    C.UNLINKED,
    C.LINK_ENDED,
    C.NOT_LISTED,
    C.NOT_READ,
    C.SCREENING,
    C.ROLE_SUPPRESSED,
    C.HELD_BY_MODE,
    C.HELD_BY_REPORT,
    C.HELD_BY_BLOCK,
    C.HELD_BY_HOLD,
    C.HELD_BY_ANSWER,
    C.UNPROVEN,
    C.NOT_EARNED,
    C.ON_ITS_WAY,
}
WELL = ServerDiagnosis(findings=(), fine=())


@pytest.fixture
def world() -> World:
    """Return a world in which ada holds all that Bronze earns."""
    world = World()
    world.holder("ada", tier="Bronze")
    return world


def person(world: World, *troubles: Trouble, server: ServerDiagnosis = WELL, **changes: Any) -> PersonDiagnosis:
    plan = replace(world.plan_of("ada"), **changes)
    return diagnose_person(plan, world.facts(), server, member=world.people["ada"].member, troubles=troubles)


def by_role(diagnosis: PersonDiagnosis) -> dict[str, DoctorCode]:
    return {one.reason.role: one.code for one in diagnosis.findings if one.reason is not None}


def test_whoever_has_what_they_earn_misses_only_what_they_do_not(world: World) -> None:
    found = person(world)
    assert by_role(found) == {"Gold": C.NOT_EARNED}
    assert codes(found) == [C.NOT_EARNED]
    assert [reason.role for reason in found.fine] == ["Bronze", "Supporter"]
    world.give("ada", "Gold")
    assert codes(person(world)) == [], "what a person gave is there, whoever earned it"


def test_who_is_no_member_is_said_nothing_else_of() -> None:
    server = diagnose(look(held=1, log_channel=None))
    assert diagnose_stranger(server) == PersonDiagnosis(findings=(DoctorFinding(code=C.NOT_IN_SERVER),), others=2)


def test_who_left_is_not_in_the_server(world: World) -> None:
    world.leave("ada")
    assert codes(person(world)) == [C.NOT_IN_SERVER]


def test_without_a_link_nothing_is_earned(world: World) -> None:
    world.unlink("ada")
    assert codes(person(world))[0] is C.UNLINKED
    world.stranger("ada")
    assert codes(person(world)) == [C.NOT_LINKED, *[C.NOT_EARNED] * 3]


def test_a_report_that_ended_is_told(world: World) -> None:
    world.trust_report("ada", has_ended=True)
    assert codes(person(world))[0] is C.LINK_ENDED


def test_who_is_linked_and_listed_nowhere_here_is_told_so_without_their_name(world: World) -> None:
    world.stranger("ada")
    world.link("ada")
    assert codes(person(world)) == [C.NOT_READ, *[C.UNPROVEN] * 3]
    world.miss("ada")
    plan = told_to_team(world.plan_of("ada"))
    assert plan.is_link_hidden
    found = diagnose_person(plan, world.facts(), WELL, member=world.people["ada"].member)
    assert codes(found) == [C.NOT_LISTED, *[C.NOT_EARNED] * 3]


@pytest.mark.parametrize(
    ("is_patron", "found"), [(True, None), (False, C.NOT_READ)], ids=["a patron of one", "one is not read yet"]
)
def test_of_two_campaigns_either_may_list_a_person(world: World, is_patron: bool, found: DoctorCode | None) -> None:
    if not is_patron:
        world.stranger("ada")
        world.link("ada")
    other = CampaignId("7")
    guild = world.facts()
    guild = replace(guild, campaigns={**guild.campaigns, other: replace(world.campaign(), campaign_id=other)})
    plan = replace(world.plan_of("ada"), gone_since={other: NEW_YEAR})
    said = codes(diagnose_person(plan, guild, WELL, member=world.people["ada"].member))
    assert {C.NOT_LISTED, C.NOT_READ} & set(said) == ({found} if found else set())


def test_a_role_waits_for_the_screening(world: World) -> None:
    world.read("ada", tiers=("Gold",))
    world.screen("ada", is_pending=True)
    assert by_role(person(world))["Gold"] is C.SCREENING


def test_a_role_that_somebody_took_away_stays_away(world: World) -> None:
    world.note("ada", "Bronze", GrantState.SUPPRESSED)
    world.take("ada", "Bronze")
    assert by_role(person(world))["Bronze"] is C.ROLE_SUPPRESSED


def test_a_role_that_is_due_is_on_its_way(world: World) -> None:
    world.read("ada", tiers=("Gold",))
    assert by_role(person(world)) == {"Gold": C.ON_ITS_WAY, "Bronze": C.ON_ITS_WAY}


def test_a_blocked_role_has_the_servers_code(world: World) -> None:
    world.read("ada", tiers=("Gold",))
    world.block("Gold", Block.ABOVE_BOT)
    assert by_role(person(world)) == {"Gold": C.ROLE_ABOVE_BOT, "Bronze": C.HELD_BY_BLOCK}


def test_what_keeps_everybody_from_roles_is_said_first_and_once(world: World) -> None:
    world.read("ada", tiers=("Gold",))
    world.block("Gold", Block.NO_RIGHT)
    world.settings = GuildSettings(mode=Mode.OFF)
    server = diagnose(look(world=world, bot=Powers(top=role_look(2, 50), permissions=0), log_channel=None))
    found = person(world, server=server)
    assert codes(found) == [C.NO_MANAGE_ROLES, C.MODE_OFF]
    assert found.others == 2, "the list is old by now, and there is no log channel"


def test_a_mode_that_only_gives_holds_what_would_go(world: World) -> None:
    world.read("ada", tiers=())
    world.miss("ada")
    world.settings = GuildSettings(mode=Mode.GRANT_ONLY)
    assert by_role(person(world))["Bronze"] is C.HELD_BY_MODE


@pytest.mark.parametrize(
    ("rail", "code"),
    [(Rail.HOLD, C.HELD_BY_HOLD), (Rail.DISCARD, C.HELD_BY_ANSWER), (Rail.REPORT, C.HELD_BY_REPORT)],
)
def test_what_a_rail_holds_back_is_told_by_the_rail(world: World, rail: Rail, code: DoctorCode) -> None:
    decisions = tuple(
        replace(one, action=Action.HELD_BACK, rail=rail) if one.action is Action.KEEP else one
        for one in world.plan_of("ada").decisions
    )
    assert by_role(person(world, decisions=decisions))["Bronze"] is code


def test_a_plan_that_failed_says_so(world: World) -> None:
    assert C.PEOPLE_UNPLANNED in codes(person(world, is_unplanned=True))


def test_of_the_servers_troubles_those_are_told_that_name_the_person(world: World) -> None:
    ada = world.people["ada"].discord_user_id
    other = DiscordUserId(5)
    shared: dict[str, Any] = {"patrons": (), "has_others": False, "is_linked": False}
    theirs = (
        WritesRejected(discord_user_id=ada),
        ConsentsEnded(discord_user_ids=(other, ada), **NAMED),
        AccountShared(discord_user_id=ada, **shared),
        replace(DISPUTED, reported=ada),
        replace(DISPUTED, reported=other, linked=ada),
        DiscordBan(),
    )
    others = (
        WritesRejected(discord_user_id=other),
        ConsentsEnded(discord_user_ids=(other,), **NAMED),
        AccountShared(discord_user_id=other, **shared),
        replace(DISPUTED, reported=other),
    )
    found = person(world, *theirs, *others)
    assert codes(found) == [
        C.WRITES_REJECTED,
        C.CONSENTS_ENDED,
        C.ACCOUNT_SHARED,
        C.REPORT_DISPUTED,
        C.REPORT_DISPUTED,
        C.NOT_EARNED,
    ]
    assert found.findings[1].trouble == ConsentsEnded(discord_user_ids=(ada,), **NAMED), "nobody else is named"
