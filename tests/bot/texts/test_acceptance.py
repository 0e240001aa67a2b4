"""What admins read before they answer for a member list, and after."""

from msgspec.structs import replace

from bot.domain.evidence import Anomaly, DoubtedRead, PastRead, ReadSummary
from bot.domain.model import CampaignId, ReadId
from bot.texts.acceptance import accepted_card, doubts_buttons, doubts_card
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


def test_the_buttons_say_what_happens() -> None:
    assert doubts_buttons(RENDERER) == ("Accept the list", "Don't accept it")
