"""What admins read before they answer for a member list or a role, and after."""

from msgspec.structs import replace

from bot.domain.adoption import AdoptionDraft, Fate
from bot.domain.evidence import Anomaly, DoubtedRead, PastRead, ReadSummary
from bot.domain.model import CampaignId, DiscordUserId, ReadId, RoleId
from bot.texts.admin import (
    accepted_card,
    adopted_card,
    adoption_buttons,
    adoption_card,
    doubts_buttons,
    doubts_card,
    restored_card,
)
from bot.texts.card import Outcome
from tests.fakes.notifier import RENDERER
from tests.fakes.world import NEW_YEAR

LIST = ReadSummary(patrons=1200, paying=1, with_tier=0, with_discord=800)
READ = PastRead(started_at=NEW_YEAR, summary=LIST)
DOUBT = DoubtedRead(
    read_id=ReadId(3),
    campaign_id=CampaignId("9"),
    campaign="Moth *Tales*",
    anomalies=(Anomaly.NO_TIERS,),
    shown=READ,
    believed=replace(READ, summary=replace(LIST, with_tier=900)),
)
DRAFT = AdoptionDraft(
    role_id=RoleId(1),
    role_name="Gold",
    holders={fate: tuple(DiscordUserId(1) for _ in range(count)) for count, fate in enumerate(Fate)},
)


def test_a_doubted_list_is_shown_in_numbers_beside_the_last_accepted_one() -> None:
    (field,) = doubts_card(RENDERER, [DOUBT]).fields
    read, others = f"ead <t:{int(NEW_YEAR.timestamp())}:R>", "800 with a Discord account"
    assert field.name == r"Moth \*Tales\*"
    assert field.value.splitlines() == [
        "No member has a tier.",
        f"R{read}: 1,200 people, 1 active patron, 0 with a tier and {others}",
        f"Last accepted list, r{read}: 1,200 people, 1 active patron, 900 with a tier and {others}",
    ]
    (field,) = doubts_card(RENDERER, [replace(DOUBT, believed=None)]).fields
    assert field.value.endswith("\nI haven't accepted any list before.")


def test_what_was_accepted_is_named() -> None:
    card = accepted_card(RENDERER, [DOUBT, replace(DOUBT, campaign="Owls")])
    assert card.body.startswith(r"You accepted Patreon's member list for **Moth \*Tales\*** and **Owls**.")


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
    assert doubts_buttons(RENDERER) == ("Accept the list", "Don't accept it")
    assert adoption_buttons(RENDERER) == ("Adopt the role", "Leave it as it is")
