"""Cards in Discord: what an embed holds, and pages that can be turned."""

import discord
import pytest

from bot.discord.embeds import MOST_KEPT, TURN, Pager, embed_of
from bot.texts.card import Card, Field, Outcome
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer

R = Renderer(ENGLISH, Medium.DISCORD)


def card(items: int = 0) -> Card:
    return Card(
        Outcome.DONE,
        R.say("Done"),
        R.say("All is well."),
        fields=(Field(R.say("Who"), R.name("Ada"), is_inline=True),),
        items=tuple(R.say("number {number}", number=number) for number in range(items)),
    )


def labels(view: discord.ui.View | None) -> dict[str, bool]:
    """Return the buttons' labels, each with whether it can be pressed."""
    return {
        str(item.label): not item.disabled
        for item in (view.children if view else ())
        if isinstance(item, discord.ui.Button)
    }


def turns(view: discord.ui.View | None) -> list[str]:
    children = view.children if view else ()
    return [str(one.custom_id) for one in children if isinstance(one, discord.ui.Button) and one.custom_id]


def test_an_embed_has_the_colour_of_its_outcome_and_each_field() -> None:
    embed = embed_of(card())
    assert embed.colour is not None
    assert embed.colour.value == Outcome.DONE.value
    assert (embed.title, embed.description) == ("Done", "All is well.")
    assert [(one.name, one.value, one.inline) for one in embed.fields] == [("Who", "Ada", True)]


def test_a_short_answer_has_no_buttons() -> None:
    assert Pager().open(card(), R)[1] is None


async def test_a_long_answer_is_read_page_by_page() -> None:
    pager = Pager()
    first, below = pager.open(card(items=40), R)
    assert "number 0" in str(first.description)
    assert "Page 1 of 3" in str(first.footer.text)
    assert labels(below) == {"Previous page": False, "Next page": True}
    seen = str(first.description)
    for _ in range(2):
        page = pager.turn(turns(below)[-1].removeprefix(f"{TURN}:"), R)
        assert page is not None
        seen += str(page[0].description)
        below = page[1]
    assert labels(below) == {"Previous page": True, "Next page": False}
    assert all(f"number {number}" in seen for number in range(40))


async def test_the_buttons_of_a_question_stand_below_each_page() -> None:
    pager = Pager()
    _, below = pager.open(card(items=40), R, [discord.ui.Button(label="Remove them", custom_id="confirm:x")])
    page = pager.turn(turns(below)[-1].removeprefix(f"{TURN}:"), R)
    assert page is not None
    assert "Remove them" in labels(page[1])


@pytest.mark.parametrize("argument", ["", "nonsense", "key:1", "key:-1", "key:99999999999999999999", "key:²", ":"])
def test_a_page_that_nobody_keeps_is_none(argument: str) -> None:
    assert Pager().turn(argument, R) is None


async def test_only_the_newest_answers_are_kept() -> None:
    pager = Pager()
    _, oldest = pager.open(card(items=40), R)
    for _ in range(MOST_KEPT):
        pager.open(card(items=40), R)
    assert pager.turn(turns(oldest)[-1].removeprefix(f"{TURN}:"), R) is None
