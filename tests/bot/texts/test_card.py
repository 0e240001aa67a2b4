"""A card that Discord takes, whatever stands in it."""

import pytest

from bot.texts.card import (
    BODY_LENGTH,
    CARD_LENGTH,
    FIELD_NAME_LENGTH,
    FIELD_VALUE_LENGTH,
    FIELDS,
    FOOTER_LENGTH,
    ITEMS_ON_A_PAGE,
    MESSAGE_LENGTH,
    TITLE_LENGTH,
    Card,
    Field,
    Outcome,
    cut,
    fitted,
    page_line,
    pages,
    text_of,
    turn_labels,
)
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer, Text

RENDERER = Renderer(ENGLISH, Medium.DISCORD)


def text(whole: str) -> Text:
    return RENDERER.say(whole)


def is_taken(card: Card) -> bool:
    return (
        len(card.title or "") <= TITLE_LENGTH
        and len(card.description) <= BODY_LENGTH
        and len(card.footer or "") <= FOOTER_LENGTH
        and len(card.fields) <= FIELDS
        and all(len(one.name) <= FIELD_NAME_LENGTH and len(one.value) <= FIELD_VALUE_LENGTH for one in card.fields)
        and card.length <= CARD_LENGTH
    )


def test_a_short_card_is_one_page_and_as_it_was() -> None:
    card = Card(
        Outcome.DONE, text("Linked"), text("You are linked."), (Field(text("Role"), text("Gold")),), (text("- a"),)
    )
    assert pages(card) == (card,)
    assert card.description == "You are linked.\n\n- a"


def test_items_stand_apart_from_the_body_and_from_each_other_where_one_has_several_lines() -> None:
    said = [
        Card(Outcome.INFO, None, text(body), items=(text("a"), text(item))) for body, item in (("", "b"), ("-", "b\nc"))
    ]
    assert [card.description for card in said] == ["a\nb", "-\n\na\n\nb\nc"]


def test_a_long_list_is_divided_and_nothing_is_lost() -> None:
    items = tuple(text(f"- item {number}") for number in range(1000))
    card = Card(Outcome.INFO, text("Title"), text("Body"), items=items, footer=text("Footer"))
    divided = pages(card)
    assert tuple(item for page in divided for item in page.items) == items
    assert {(page.outcome, page.title, page.body, page.footer) for page in divided} == {
        (Outcome.INFO, "Title", "Body", "Footer")
    }
    assert all(len(page.items) <= ITEMS_ON_A_PAGE and is_taken(page) for page in divided)


@pytest.mark.parametrize("length", [1, 1000])
def test_fields_that_are_too_many_go_on_the_next_page(length: int) -> None:
    fields = tuple(Field(text(f"name {number}"), text("v" * length)) for number in range(60))
    divided = pages(Card(Outcome.INFO, None, text("Body"), fields))
    assert tuple(one for page in divided for one in page.fields) == fields
    assert all(map(is_taken, divided))


@pytest.mark.parametrize("fields", [0, 1, 30])
@pytest.mark.parametrize("items", [0, 1, 30])
def test_a_card_with_endless_parts_is_cut_to_what_discord_takes(fields: int, items: int) -> None:
    endless = text("word " * 3000)
    card = Card(Outcome.PROBLEM, endless, endless, (Field(endless, endless),) * fields, (endless,) * items, endless)
    divided = pages(card)
    assert all(map(is_taken, divided))
    assert sum(len(page.fields) for page in divided) == fields
    assert sum(len(page.items) for page in divided) == items


@pytest.mark.parametrize(
    ("whole", "room", "expected"),
    [
        ("one\ntwo", 7, "one\ntwo"),
        ("one\ntwo\nthree", 10, "one\ntwo…"),
        ("one two three", 10, "one two…"),
        ("onetwothree", 6, "onetw…"),
        ("abc\\*def", 5, "abc…"),
    ],
)
def test_a_text_is_cut_at_a_lines_end_or_at_a_blank(whole: str, room: int, expected: str) -> None:
    shortened = cut(text(whole), room)
    assert shortened == expected
    assert type(shortened) is type(text(whole))


def test_a_page_says_which_it_is_and_its_buttons_differ() -> None:
    assert page_line(RENDERER, 2, of=12) == "Page 2 of 12"
    assert turn_labels(RENDERER) == ("Previous page", "Next page")


def test_outcomes_differ_in_colour() -> None:
    assert len({outcome.value for outcome in Outcome}) == len(list(Outcome)) == 5


def test_where_discord_takes_no_card_it_is_a_text() -> None:
    card = Card(Outcome.DONE, text("Linked"), text("You are linked."), (Field(text("Role"), text("Gold")),))
    assert text_of(card) == "**Linked**\nYou are linked.\n**Role**\nGold"
    endless = Card(Outcome.DONE, None, text("word " * 3000))
    assert len(text_of(endless)) <= MESSAGE_LENGTH


@pytest.mark.parametrize("room", [60, 1200, 6000])
def test_of_a_card_that_has_little_room_the_last_items_are_shown(room: int) -> None:
    items = tuple(text(f"- item {number} " + "x" * 80) for number in range(30))
    shown = fitted(Card(Outcome.INFO, text("Title"), text("Body"), items=items), room)
    assert shown.length <= room
    assert is_taken(shown)
    assert shown.items == (() if room == 60 else items[-len(shown.items) :])


def test_a_body_that_has_little_room_is_cut() -> None:
    assert fitted(Card(Outcome.INFO, text("Title"), text("word " * 100)), 50).length <= 50


@pytest.mark.parametrize("count", [1, 10, 40])
def test_above_the_largest_page_there_is_room(count: int) -> None:
    endless = text("word " * 3000)
    largest = max(one.length for one in pages(Card(Outcome.INFO, endless, endless, (Field(endless, endless),) * count)))
    assert CARD_LENGTH - largest >= 1000
