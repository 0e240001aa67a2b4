"""What one person is told without having asked: what happened, what it means for their roles, what they can do."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.consent import Moved
from bot.domain.notices import ConsentRefused, PaymentDeclined, PersonNews, Stay
from bot.texts.card import Outcome
from bot.texts.person_news import person_card
from tests.fakes.notifier import RENDERER

UNTIL = datetime(2026, 5, 11, 12, tzinfo=UTC)
STAYS = tuple(Stay(server=server, until=UNTIL) for server in ("Hollow", "Moth *House*"))


@pytest.mark.parametrize(
    ("news", "outcome", "said"),
    [
        (
            PaymentDeclined(campaign="Moths", stays=STAYS),
            Outcome.WAITING,
            ["**Moths**", f"in **Hollow** stay until <t:{int(UNTIL.timestamp())}:D>", r"**Moth \*House\***", "payment"],
        ),
        (
            ConsentRefused(campaign="Moths", servers=("Hollow", "Moth House")),
            Outcome.WAITING,
            ["membership of **Moths**", "in **Hollow** and **Moth House** stay as they are", "Type `/link`"],
        ),
        (Moved(patreon_name="Ada", username="eve"), Outcome.PROBLEM, ["account **Ada**", "**@eve**"]),
    ],
    ids=lambda one: type(one).__name__,
)
def test_each_piece_of_news_says_what_it_is_about(news: PersonNews, outcome: Outcome, said: list[str]) -> None:
    card = person_card(RENDERER, news)
    assert card.outcome is outcome
    assert [one for one in said if one not in card.body] == []


def test_news_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        person_card(RENDERER, unheard)
