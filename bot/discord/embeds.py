"""Cards as Discord shows them: an embed, and buttons to turn the pages of a long list.

Knows no text: what a card says and where a page ends is decided in `texts/`.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.texts.card import Card, page_line, pages, turn_labels
from bot.texts.catalogs import ENGLISH, choose
from bot.texts.renderer import Medium, Renderer

TURN = "page:turn"
MOST_DIGITS = 4
MOST_KEPT = 200  # long answers whose pages can still be turned; whoever wants an older one types the command again
Buttons = Sequence[ui.Item[Any]]


def renderer_of(interaction: discord.Interaction[Any], medium: Medium = Medium.DISCORD) -> Renderer:
    """Return what speaks to the person who used a command or a button, in the language of their Discord."""
    return Renderer(choose([interaction.locale.value]) or ENGLISH, medium)


def embed_of(card: Card, renderer: Renderer | None = None, *, page: int = 1, of: int = 1) -> discord.Embed:
    """Return the embed for one page of a card; the renderer says which page it is, where there are several."""
    embed = discord.Embed(colour=card.outcome.value, title=card.title, description=card.description or None)
    for field in card.fields:
        embed.add_field(name=field.name, value=field.value, inline=field.is_inline)
    footer = [] if card.footer is None else [str(card.footer)]
    if renderer is not None and of > 1:
        footer.append(page_line(renderer, page, of))
    return embed.set_footer(text=" · ".join(footer)) if footer else embed


class LongAnswer:
    """A card of several pages, with the buttons that stand below each of them."""

    def __init__(self, cards: tuple[Card, ...], buttons: Buttons) -> None:
        self._cards = cards
        self._buttons = buttons

    def show(self, renderer: Renderer, key: str, number: int) -> tuple[discord.Embed, ui.View]:
        """Return a page, counted from 1, with its buttons."""
        last = len(self._cards)
        number = min(max(number, 1), last)
        back, forth = turn_labels(renderer)
        turns = [
            _turn(back, key, number - 1, is_enabled=number > 1),
            _turn(forth, key, number + 1, is_enabled=number < last),
        ]
        embed = embed_of(self._cards[number - 1], renderer, page=number, of=last)
        return embed, _below([*self._buttons, *turns])


class Pager:
    """Keeps the newest long answers, so that their pages can be turned. A restart forgets them, and harms nothing."""

    def __init__(self) -> None:
        self._answers: dict[str, LongAnswer] = {}

    def open(self, card: Card, renderer: Renderer, buttons: Buttons = ()) -> tuple[discord.Embed, ui.View | None]:
        """Return the first page of a card and the buttons below it; None where there are none."""
        cards = pages(card)
        if len(cards) == 1:
            return embed_of(cards[0]), _below(buttons) if buttons else None
        key, answer = secrets.token_urlsafe(9), LongAnswer(cards, buttons)
        self._answers[key] = answer
        while len(self._answers) > MOST_KEPT:
            del self._answers[next(iter(self._answers))]
        return answer.show(renderer, key, 1)

    def turn(self, argument: str, renderer: Renderer) -> tuple[discord.Embed, ui.View] | None:
        """Return the page that a button names; None where its answer is forgotten."""
        key, _, number = argument.rpartition(":")
        answer = self._answers.get(key)
        is_number = number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS
        return answer.show(renderer, key, int(number)) if answer is not None and is_number else None


def _turn(label: str, key: str, number: int, *, is_enabled: bool) -> ui.Button[ui.View]:
    return ui.Button(label=label, custom_id=f"{TURN}:{key}:{number}", disabled=not is_enabled)


def _below(items: Buttons) -> ui.View:
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view
