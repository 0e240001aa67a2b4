"""What a reply or a message looks like, without the discord library: a colour by outcome, a title, a body, fields.

Holds Discord's limits (discord-api-docs, Message, Embed Limits; Application Commands; Components) and cuts to them.
"""

import functools
from enum import Enum

import msgspec

from bot.texts.renderer import Renderer, Text

TITLE_LENGTH = 256
BODY_LENGTH = 4096
FIELDS = 25
FIELD_NAME_LENGTH = 256
FIELD_VALUE_LENGTH = 1024
FOOTER_LENGTH = 2048
CARD_LENGTH = 6000  # all of the above together, of all cards in a message
MESSAGE_LENGTH = 2000
CHOICE_LENGTH = 100
BUTTON_LENGTH = 80
REASON_LENGTH = 512  # a reason in Discord's audit log

ITEM_LENGTH = 1000  # ours: one line of a list
LONGEST_PART = FIELD_NAME_LENGTH + FIELD_VALUE_LENGTH
PAGE_LENGTH = 4800  # what admins have not read yet may stand above a page in the same message
ITEMS_ON_A_PAGE = 15  # more than a phone shows without scrolling is not read


class Outcome(Enum):
    """What a card is about; the value is its colour, from Discord's own palette."""

    DONE = 0x57F287  # green
    INFO = 0x5865F2  # blurple
    WAITING = 0xFEE75C  # yellow
    PROBLEM = 0xED4245  # red
    QUESTION = 0x99AAB5  # grey


class Field(msgspec.Struct, frozen=True):
    """A name with a value below it."""

    name: Text
    value: Text
    is_inline: bool = False


class Card(msgspec.Struct, frozen=True):
    """A reply or a message. `items` is a list of lines that may be long: `pages` divides it."""

    outcome: Outcome
    title: Text | None
    body: Text
    fields: tuple[Field, ...] = ()
    items: tuple[Text, ...] = ()
    footer: Text | None = None

    @property
    def description(self) -> str:
        """Return the body, and the items as a block below it; between items of several lines stands an empty one."""
        gap = "\n\n" if any("\n" in item for item in self.items) else "\n"
        items = gap.join(item for item in self.items if item)
        return "\n\n".join(part for part in (self.body, items) if part)

    @property
    def length(self) -> int:
        """Return how many signs Discord counts."""
        fields = sum(len(field.name) + len(field.value) for field in self.fields)
        return len(self.title or "") + len(self.description) + fields + len(self.footer or "")


def pages(card: Card) -> tuple[Card, ...]:
    """Divide a card into cards that Discord takes: each has title, body, footer and its share of fields and items."""
    parts: tuple[Field | Text, ...] = (*card.fields, *card.items)
    done: list[Card] = []
    frame = page = _frame(card)
    for part in parts:
        grown = _with(page, part)
        if not _fits(grown):
            done.append(page)
            grown = _with(frame, part)
        page = grown
    return (*done, page)


def page_line(r: Renderer, page: int, of: int) -> Text:
    """Say below a list that goes on which page of it this is."""
    return r.say("Page {page} of {pages}", page=page, pages=of)


def turn_labels(r: Renderer) -> tuple[Text, Text]:
    """Return the labels of the buttons that turn back and forth."""
    return r.say("Previous page"), r.say("Next page")


def text_of(card: Card) -> Text:
    """Return a card as the text of one message, for where Discord takes no embed."""
    parts = [*([f"**{card.title}**"] if card.title else []), card.description]
    fields = [f"**{field.name}**\n{field.value}" for field in card.fields]
    footer = [] if card.footer is None else [card.footer]
    return cut(type(card.body)("\n".join(part for part in (*parts, *fields, *footer) if part)), MESSAGE_LENGTH)


def fitted(card: Card, room: int) -> Card:
    """Return a card without fields that has at most `room` signs: of many items the last, else less of the body."""
    whole = functools.reduce(_with, card.items, _frame(card))
    while whole.items and not (_fits(whole) and whole.length <= room):
        whole = msgspec.structs.replace(whole, items=whole.items[1:])
    return msgspec.structs.replace(whole, body=cut(whole.body, max(room - whole.length + len(whole.body), 1)))


def cut(text: Text, room: int) -> Text:
    """Return at most `room` signs of a text: cut at a line's end, else at a blank, and marked with an ellipsis."""
    if len(text) <= room:
        return text
    head = text[: room - 1]
    end = max(head.rfind("\n"), 0) or max(head.rfind(" "), 0) or len(head)
    return type(text)(head[:end].rstrip("\\ ") + "…")


def _frame(card: Card) -> Card:
    title = None if card.title is None else cut(card.title, TITLE_LENGTH)
    footer = None if card.footer is None else cut(card.footer, FOOTER_LENGTH)
    part_length = LONGEST_PART if card.fields or card.items else 0
    room = min(BODY_LENGTH, PAGE_LENGTH - len(title or "") - len(footer or "")) - part_length
    return Card(card.outcome, title, cut(card.body, room), footer=footer)


def _with(page: Card, part: Field | Text) -> Card:
    if isinstance(part, Field):
        field = Field(cut(part.name, FIELD_NAME_LENGTH), cut(part.value, FIELD_VALUE_LENGTH), part.is_inline)
        return msgspec.structs.replace(page, fields=(*page.fields, field))
    return msgspec.structs.replace(page, items=(*page.items, cut(part, ITEM_LENGTH)))


def _fits(page: Card) -> bool:
    return (
        len(page.fields) <= FIELDS
        and len(page.items) <= ITEMS_ON_A_PAGE
        and len(page.description) <= BODY_LENGTH
        and page.length <= PAGE_LENGTH
    )
