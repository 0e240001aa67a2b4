"""A hold in words: a reason that several share stands once, with the people below it."""

from datetime import timedelta

import msgspec
from msgspec.structs import replace

from bot.domain.holds import Hold, HoldItem, HoldState, HoldSummary, summarise
from bot.domain.model import DiscordUserId, HoldId, RoleId, RuleKind
from bot.domain.plan import Action
from bot.domain.reasons import OldText, PatronFacts, RoleReason, RuleFacts, Status
from bot.domain.rules import Wanted
from bot.texts.catalogs import ENGLISH
from bot.texts.holds import MOST_LINES, PEOPLE_IN_A_LINE, answered_card, hold_card, no_hold_card, waiting_card
from bot.texts.renderer import Medium, Renderer
from tests.fakes.world import GUILD, NEW_YEAR, ROLE

R = Renderer(ENGLISH, Medium.DISCORD)
LAPSED = PatronFacts(campaign="Moth Tales", status=Status.LAPSED, read_at=NEW_YEAR)
REFUNDED = RoleReason(
    role="Gold",
    action=Action.REVOKE,
    wanted=Wanted.NO,
    has_role=True,
    rule=RuleFacts(kind=RuleKind.PAYING, campaign="Moth Tales"),
    patron=LAPSED,
)


def hold(*reasons: RoleReason | OldText, people: int | None = None) -> HoldSummary:
    items = tuple(
        HoldItem(
            hold_id=HoldId(7),
            guild_id=GUILD,
            discord_user_id=DiscordUserId(1000 + number % (people or len(reasons))),
            role_id=RoleId(ROLE["Gold"] + number),
            state=HoldState.OPEN,
            mark="",
            reason=reason,
        )
        for number, reason in enumerate(reasons)
    )
    return summarise(Hold(hold_id=HoldId(7), guild_id=GUILD, opened_at=NEW_YEAR, items=items))


def test_a_hold_says_how_many_roles_of_how_many_people_and_since_when() -> None:
    card = hold_card(R, hold(*[OldText(f"reason {number}") for number in range(3)], people=2))
    assert card.title == "Hold 7"
    assert card.body.startswith("I was about to remove 3 roles from 2 people.")
    assert "<t:1767268800:R>" in card.body
    assert card.items == ("reason 0", "<@1000>", "reason 1", "<@1001>", "reason 2", "<@1000>")


def test_after_a_restore_it_says_why_it_asks() -> None:
    several = replace(hold(OldText("a"), OldText("b")), is_after_restore=True)
    assert "I was about to remove 2 roles from 2 people. I was restored from a backup" in hold_card(R, several).body
    one = hold_card(R, replace(hold(OldText("a")), is_after_restore=True)).body
    assert "I was about to remove 1 role from one person. I was restored from a backup" in one
    assert "brake_percent" not in one


def test_a_reason_that_several_share_is_said_once_whenever_it_was_read() -> None:
    later = replace(REFUNDED, patron=replace(LAPSED, read_at=NEW_YEAR + timedelta(hours=1)))
    other = replace(REFUNDED, role="Bronze")
    card = hold_card(R, hold(other, REFUNDED, later))
    gold, people, bronze, person = card.items
    assert gold.startswith("**Gold**: Requires any paid membership of Moth Tales. They're not a paying patron")
    assert people == "<@1001> and <@1002>"
    assert bronze.startswith("**Bronze**: ")
    assert person == "<@1000>"


def test_many_people_are_named_in_several_lines() -> None:
    card = hold_card(R, hold(*[REFUNDED] * (PEOPLE_IN_A_LINE + 1)))
    assert len(card.items) == 3
    assert all(len(item) < 1000 for item in card.items)
    assert card.items[-1] == f"<@{1000 + PEOPLE_IN_A_LINE}>"


def test_in_a_message_a_long_hold_shows_its_beginning_and_counts_the_rest() -> None:
    card = waiting_card(R, hold(*[OldText(f"reason {number}") for number in range(10)]))
    assert (len(card.items), card.items[-1]) == (MOST_LINES + 1, f"and {20 - MOST_LINES} more lines")


def test_one_role_of_one_person_is_said_so() -> None:
    assert hold_card(R, hold(REFUNDED)).body.startswith("I was about to remove 1 role from one person.")


def test_a_summary_can_be_stored() -> None:
    told = hold(REFUNDED, OldText("of before"))
    assert msgspec.json.decode(msgspec.json.encode(told), type=HoldSummary) == told


def test_an_answer_says_who_gave_it_and_what_follows() -> None:
    admin = DiscordUserId(1)
    applied = answered_card(R, HoldId(7), HoldState.APPROVED, by=admin, people=5)
    assert (
        applied.body == "<@1> decided to remove the roles in hold 7. I'm removing what 5 people still haven't earned."
    )
    kept = answered_card(R, HoldId(7), HoldState.DISCARDED, by=admin, people=1)
    assert kept.body == "<@1> decided to keep the roles in hold 7. 1 person keeps them until their membership changes."


def test_where_nothing_is_held_that_is_said() -> None:
    assert no_hold_card(R).body == "No removals are waiting for your answer."
