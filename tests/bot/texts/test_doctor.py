"""What `/patreon doctor` says of each code: what was found, what to do, and the code itself."""

from typing import Any

import pytest

from bot.domain.assignable import Block, Permission, Right
from bot.domain.doctor import (
    Area,
    DoctorCode,
    DoctorFinding,
    Harm,
    PersonDiagnosis,
    ServerDiagnosis,
    diagnose,
    diagnose_person,
    diagnose_stranger,
)
from bot.domain.model import RuleId
from bot.domain.planned import PlannedPerson
from bot.texts import doctor
from bot.texts.card import Card, Outcome
from bot.texts.catalogs import ENGLISH, pseudo
from bot.texts.doctor import again_label, doctor_card, person_card
from bot.texts.pseudo import OPEN
from bot.texts.renderer import Medium, Renderer
from tests.fakes.ailing import ADA, SERVER, blocked, look
from tests.fakes.world import NEW_YEAR, World

DISCORD = Renderer(ENGLISH, Medium.DISCORD)
R = Renderer(ENGLISH, Medium.PLAIN)
MARKED = Renderer(pseudo(), Medium.PLAIN)
WELL = ServerDiagnosis(findings=(), fine=())
C = DoctorCode


def of_person(world: World, server: ServerDiagnosis = WELL) -> Card:
    plan, guild = world.plan_of("ada"), world.facts()
    found = diagnose_person(plan, guild, server, member=world.people["ada"].member)
    return person_card(DISCORD, ADA, PlannedPerson(guild=guild, plan=plan), found)


@pytest.mark.parametrize("code", SERVER)
def test_each_finding_is_said_with_its_code_in_small_print_and_in_every_language(code: DoctorCode) -> None:
    card = doctor_card(DISCORD, diagnose(SERVER[code]))
    said = card.items[0].split("\n")
    assert said[0].startswith("**")
    assert said[-1] == f"-# `{code}`"
    assert len(said) >= 3, "and what to do"
    assert "{" not in card.description
    assert "****" not in card.description
    marked = doctor_card(MARKED, diagnose(SERVER[code])).items[0].split("\n")
    assert all(line.startswith(OPEN) for line in marked[:-1]), marked
    expected = {Harm.LATE: Outcome.WAITING, Harm.NOTE: Outcome.INFO}.get(code.harm, Outcome.PROBLEM)
    assert card.outcome is expected


def test_every_finding_has_its_own_words() -> None:
    said = [doctor_card(R, diagnose(seen)).items[0] for seen in SERVER.values()]
    assert len(set(said)) == len(said)
    assert set(doctor._AREAS) == set(Area) - {Area.PERSON}


def test_a_server_in_which_all_is_well_is_told_what_was_looked_at() -> None:
    card = doctor_card(R, diagnose(look()))
    assert (card.outcome, card.title, card.items) == (Outcome.DONE, "Everything looks right", ())
    assert "I last read the member list of Moth Tales" in card.body
    assert "I looked at my permissions, two-factor authentication, " in card.body
    assert card.body.endswith("Patreon's own bot, the clock and the log channel.")


def test_what_is_only_worth_knowing_is_no_problem() -> None:
    assert doctor_card(R, diagnose(look(log_channel=None))).title == "Roles work, and there's more to know"
    card = doctor_card(R, diagnose(look(log_channel=None, held=2)))
    assert card.title == "I found 1 problem"
    assert [item.split("\n")[0] for item in card.items[:2]] == [
        "The removal of 2 roles is waiting for your answer.",
        "This server has no log channel, so I tell you about problems only above my next reply.",
    ]
    assert card.items[-1].startswith("Nothing wrong here: my permissions, ")


def test_where_something_is_wrong_everywhere_nothing_is_said_to_be_right() -> None:
    card = doctor_card(R, ServerDiagnosis(findings=(DoctorFinding(code=C.NO_RULES),), fine=()))
    assert len(card.items) == 1


@pytest.mark.parametrize(
    ("roles", "title"),
    [
        (("Gold",), "I can't assign Gold, because it isn't below my highest role."),
        (("Gold", "Bronze"), "I can't assign Bronze and Gold, because they aren't below my highest role."),
    ],
)
def test_several_roles_are_said_at_once(roles: tuple[str, ...], title: str) -> None:
    card = doctor_card(R, diagnose(blocked(*roles, by=Block.ABOVE_BOT)))
    assert card.items[0].split("\n")[0] == title


def test_rules_of_deleted_roles_are_named_by_their_numbers() -> None:
    card = doctor_card(R, diagnose(blocked("Gold", "Bronze", by=Block.GONE)))
    assert card.items[0].startswith("Rules 1 and 2 assign roles that have been deleted.")


def test_several_rules_of_one_deleted_role_are_several() -> None:
    (said,) = doctor_card(
        R,
        ServerDiagnosis(
            findings=(DoctorFinding(code=C.ROLE_GONE, roles=("",), rules=(RuleId(1), RuleId(3))),), fine=()
        ),
    ).items
    title, cure, _code = said.split("\n")
    assert title == "Rules 1 and 3 assign roles that have been deleted."
    assert "remove the rules 1 and 3 with /patreon rule remove." in cure


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": C.ROLE_DANGEROUS, "roles": ("",), "rights": (Right(Permission.BAN_MEMBERS),)}, "deleted role"),
        ({"code": C.ROLE_DANGEROUS, "roles": ("Gold",), "rights": (Right(Permission.BAN_MEMBERS),)}, "Ban Members"),
        ({"code": C.TOKEN_EXPIRED, "campaign": "Moth", "at": NEW_YEAR}, "to Moth ended"),
    ],
)
def test_facts_are_in_the_text(changes: dict[str, Any], said: str) -> None:
    assert said in doctor_card(R, ServerDiagnosis(findings=(DoctorFinding(**changes),), fine=())).items[0]


# --- one person


def test_of_a_person_roles_with_one_cause_are_said_together_and_good_ones_last() -> None:
    world = World()
    world.holder("ada", tier="Bronze")
    card = of_person(world)
    assert card.title == "Nothing is in the way"
    assert card.body.startswith(f"<@{ADA}>\nThey linked the Patreon account **Ada**")
    gold, *fine = card.items
    assert gold == "**Gold**: Not earned. Requires the Gold tier of Moth Tales.\n-# `not_earned`"
    assert fine == [
        "**Bronze**: Kept. Requires the Bronze tier of Moth Tales.",
        "**Supporter**: Kept. Requires any paid membership of Moth Tales.",
    ]


def test_of_somebody_not_linked_that_is_said_once_and_their_roles_below_one_another() -> None:
    world = World()
    world.stranger("ada")
    card = of_person(world)
    assert (card.outcome, card.title, card.body) == (Outcome.PROBLEM, "I found 1 problem", f"<@{ADA}>")
    link, roles = card.items
    assert link == "**No Patreon account is linked.**\nThey can link one with `/link`.\n-# `not_linked`"
    assert roles.count("Not earned.") == 3
    assert roles.count("-# `not_earned`") == 1


def test_what_to_do_is_said_once_below_the_roles() -> None:
    world = World()
    world.patron("ada")
    world.screen("ada", is_pending=True)
    screening = of_person(world).items[0].split("\n")
    assert [line.partition(":")[0] for line in screening[:2]] == ["**Gold**", "**Supporter**"]
    assert screening[2:] == [
        "They have to accept this server's rules first. Discord asks them to when they come in.",
        "-# `screening`",
    ]


@pytest.mark.parametrize("code", sorted(code for code in DoctorCode if code.area is Area.PERSON))
def test_each_finding_of_a_person_is_said(code: DoctorCode) -> None:
    world = World()
    world.patron("ada")
    is_of_role = code not in doctor._SAID
    reason = world.reason("ada", "Gold") if is_of_role else None
    found = PersonDiagnosis(findings=(DoctorFinding(code=code, reason=reason),))
    card = person_card(DISCORD, ADA, None, found)
    assert card.items[0].endswith(f"\n-# `{code}`")


def test_a_plan_that_failed_is_a_bug_of_ours() -> None:
    found = PersonDiagnosis(findings=(DoctorFinding(code=C.PEOPLE_UNPLANNED),))
    assert "I couldn't work out this person's roles" in person_card(R, ADA, None, found).items[0]


def test_of_a_stranger_nothing_else_is_said_and_the_server_has_more() -> None:
    card = person_card(R, ADA, None, diagnose_stranger(diagnose(look(held=1, log_channel=None))))
    assert card.body.split("\n")[0] == R.person(ADA)
    assert "There are 2 more findings about this server" in card.body
    assert card.items[0].startswith("They aren't in this server.")


def test_whoever_misses_nothing_is_well() -> None:
    world = World()
    world.holder("ada")
    world.drop_rule("Bronze")
    card = of_person(world)
    assert (card.outcome, card.title) == (Outcome.DONE, "Nothing is in the way")


def test_the_button_says_what_it_does() -> None:
    assert again_label(R) == "Look again"
