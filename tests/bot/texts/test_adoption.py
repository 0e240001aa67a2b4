"""What admins read before they answer for a role, and after."""

from msgspec.structs import replace

from bot.domain.adoption import AdoptionDraft, Fate
from bot.domain.model import DiscordUserId, RoleId
from bot.texts.adoption import adopted_card, adoption_buttons, adoption_card, restored_card
from bot.texts.card import Outcome
from tests.fakes.notifier import RENDERER

DRAFT = AdoptionDraft(
    role_id=RoleId(1),
    role_name="Gold",
    holders={fate: tuple(DiscordUserId(1) for _ in range(count)) for count, fate in enumerate(Fate)},
)


def test_a_role_is_adopted_with_what_becomes_of_everyone_who_has_it() -> None:
    holders = {**DRAFT.holders, Fate.OURS: (DiscordUserId(2), DiscordUserId(3))}
    card = adoption_card(RENDERER, replace(DRAFT, holders=holders, sees_everyone=False))
    assert card.outcome is Outcome.QUESTION
    assert card.body.splitlines()[:6] == [
        "**10 people** got **Gold** from someone else. Should I manage it as if I had assigned it?",
        "- 1 person earns it and keeps it.",
        "- 2 people keep it, because I haven't been able to check their memberships yet.",
        "- 3 people are linked but don't earn it, and **lose it**.",
        "- 4 people aren't linked to a Patreon account, and **lose it** unless they type `/link` first.",
        "- I already manage it for 2 people.",
    ]
    assert card.footer is not None
    assert "Server Members Intent" in card.footer
    assert adoption_card(RENDERER, DRAFT).footer is None


def test_where_nobody_is_left_to_adopt_that_is_said() -> None:
    ours = {**dict.fromkeys(Fate, ()), Fate.OURS: (DiscordUserId(2),)}
    card = adoption_card(RENDERER, replace(DRAFT, holders=ours))
    assert card.outcome is Outcome.INFO
    assert card.body.splitlines()[1] == "I already manage it for 1 person."
    nobody = adoption_card(RENDERER, replace(DRAFT, holders=dict.fromkeys(Fate, ())))
    assert nobody.body == "I already manage **Gold** for everyone who has it."


def test_what_was_done_names_the_role_and_whom_it_is_about() -> None:
    assert adopted_card(RENDERER, DRAFT).body.startswith("I now manage **Gold** for 10 more people")
    assert restored_card(RENDERER, "Gold", DiscordUserId(7)).body.startswith("<@7> can get **Gold** again")


def test_the_buttons_say_what_happens() -> None:
    assert adoption_buttons(RENDERER) == ("Adopt the role", "Leave it as it is")
