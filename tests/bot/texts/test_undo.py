"""The cards of `/patreon undo`."""

from typing import Any

import pytest

from bot.domain.changes import Trigger
from bot.domain.model import AuditId, DiscordUserId, RoleId, RunId
from bot.domain.plan import Action, Rail
from bot.domain.reasons import RoleReason
from bot.domain.rules import Wanted
from bot.domain.runs import Run
from bot.domain.undo import NetChange, Obstacle, UndoDraft, Undoing, UndoKind
from bot.texts.card import Outcome
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.undo import undo_buttons, undo_card, undone_card
from tests.fakes.world import GUILD, NEW_YEAR

R = Renderer(ENGLISH, Medium.PLAIN)
RUN = Run(run_id=RunId(12), guild_id=GUILD, trigger=Trigger.SYNC, began_at=NEW_YEAR)
FIRST = "Run 12: An admin started a sync, 1 January 2026, 12:00 UTC."
HELD = RoleReason(role="Gold", action=Action.HELD_BACK, wanted=Wanted.NO, rail=Rail.MODE)


def undoing(person: int, kind: UndoKind = UndoKind.GIVE_BACK, *, role: str = "Gold", **rest: Any) -> Undoing:
    change = NetChange(
        discord_user_id=DiscordUserId(person), role_id=RoleId(1), role=role, kind=kind, audit_id=AuditId(1)
    )
    return Undoing(change=change, role=role, **rest)


def draft(*undoings: Undoing) -> UndoDraft:
    return UndoDraft(run=RUN, undoings=undoings)


def test_who_gains_and_loses_is_named_once_for_each_role_before_what_stays() -> None:
    card = undo_card(
        R,
        draft(
            undoing(1, obstacle=Obstacle.NOT_HERE),
            undoing(2),
            undoing(3),
            undoing(4, UndoKind.TAKE_BACK, role="Silver"),
            undoing(5, UndoKind.DISOWN, role="Silver"),
        ),
    )
    assert (card.outcome, card.title) == (Outcome.QUESTION, "Undo run 12?")
    assert card.body == f"{FIRST}\nThis is about roles alone: rules and settings stay as they are."
    assert card.items == (
        "2 people get Gold back, and keep it until their membership changes:",
        "@2 and @3",
        "1 person loses Silver. I won't assign it again unless someone uses /patreon restore:",
        "@4",
        "1 person keeps Silver, but I don't manage it anymore:",
        "@5",
        "Gold stays as it is for 1 person. They aren't in this server.",
        "@1",
    )


@pytest.mark.parametrize("obstacle", Obstacle)
def test_each_obstacle_has_words(obstacle: Obstacle) -> None:
    card = undo_card(R, draft(undoing(1, obstacle=obstacle)))
    assert (card.outcome, card.title) == (Outcome.INFO, "Nothing to undo")
    assert card.items[0].startswith("Gold stays as it is for 1 person. ")
    assert card.items[0].endswith(".")


def test_what_stands_against_it_is_said_with_its_facts() -> None:
    held = undo_card(R, draft(undoing(1, obstacle=Obstacle.BLOCKED, reason=HELD)))
    assert "this server's mode doesn't allow the change" in held.items[0]
    later = undo_card(R, draft(undoing(1, obstacle=Obstacle.CHANGED_SINCE, later_run=RunId(14))))
    assert "Run 14 has changed it since." in later.items[0]


def test_a_run_that_left_all_as_it_was_says_so() -> None:
    assert undo_card(R, draft()).body == f"{FIRST}\nIt left no role different from before."


def test_what_is_being_undone_has_the_number_by_which_that_is_undone() -> None:
    card = undone_card(R, draft(undoing(1)), RunId(15))
    assert (card.outcome, card.title) == (Outcome.DONE, "Undoing run 12")
    assert "Run 15 is doing this now." in card.body
    assert undone_card(R, draft(), None) == undo_card(R, draft())
    assert undo_buttons(R, RunId(12)) == ("Undo run 12", "Leave it as it is")


def test_an_obstacle_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        undo_card(R, draft(undoing(1, obstacle=unheard)))
