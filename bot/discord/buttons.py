"""Buttons and menus that outlive a restart: all that one means stands in its custom_id, and each use is judged anew.

A button that confirms something has an id that begins with `confirm:`, one that declines with `cancel:`.
"""

import re
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

import discord
from discord import ui

from bot.discord.embeds import renderer_of
from bot.discord.replies import answer_error, may_go_on, replace
from bot.domain.errors import Mistake, UserMistake
from bot.texts.errors import say_mistake, say_nothing_changed

CANCEL = "cancel"
GREATEST = 2**63 - 1  # as Discord's ids and our rows are kept
MOST_DIGITS = len(str(GREATEST))


Pressable: TypeAlias = ui.Button[Any] | ui.Select[Any] | ui.RoleSelect[Any]


class PressedItem(
    ui.DynamicItem[Pressable],
    template=r"(?P<name>(?:confirm|cancel|doctor|refresh|hold|page|setup|show):[a-z-]+)(?::(?P<argument>(?s:.*)))?",
):
    """A button or a menu by its id; whoever handles that name is asked when it is pressed, or something is chosen."""

    def __init__(self, item: Pressable, name: str, argument: str) -> None:
        super().__init__(item)
        self.name = name
        self.argument = argument

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Make it again from its message."""
        assert isinstance(item, ui.Button | ui.Select | ui.RoleSelect)  # noqa: S101  the ids are ours, and only these carry them
        return cls(item, match["name"], match["argument"] or "")

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Let nothing be done twice, nor in a server that Discord does not show."""
        return await may_go_on(interaction)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Let the handler do it; discord.py would swallow its errors."""
        try:
            handler = interaction.client.button_handlers.get(self.name)
            if self.name.startswith(CANCEL):
                await replace(interaction, say_nothing_changed(renderer_of(interaction)))
            elif handler is None:
                await replace(interaction, say_mistake(renderer_of(interaction), UserMistake(Mistake.BUTTON_OUTDATED)))
            else:
                await handler(interaction, self.argument)
        except Exception as error:  # noqa: BLE001  the boundary of a press
            await answer_error(interaction, error)


def chosen_in(interaction: discord.Interaction[Any]) -> tuple[str, ...]:
    """Return what was chosen in a menu of ours; Discord lets through what the menu doesn't offer."""
    data: Mapping[str, Any] = {**(interaction.data or {})}
    return tuple(map(str, data.get("values", ())))


def number_in(argument: str) -> int:
    """Return the id that a button names. Raises UserMistake for one that no service and no row of ours has."""
    is_number = argument.isascii() and argument.isdecimal() and len(argument) <= MOST_DIGITS
    number = int(argument) if is_number else 0
    if not 0 < number <= GREATEST:
        raise UserMistake(Mistake.BUTTON_OUTDATED)
    return number


def button(
    name: str, label: str, *, argument: str = "", style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> PressedItem:
    """Make a button whose handler is known by `name`."""
    custom_id = f"{name}:{argument}" if argument else name
    return PressedItem(ui.Button(label=label, style=style, custom_id=custom_id), name, argument)


def question(name: str, yes: str, no: str, *, argument: str = "", is_dangerous: bool = False) -> ui.View:
    """Make a pair of buttons that answer a question, the safe one first. `name` is its own, without `confirm:`."""
    style = discord.ButtonStyle.danger if is_dangerous else discord.ButtonStyle.success
    return view_of(button(f"{CANCEL}:{name}", no), button(f"confirm:{name}", yes, argument=argument, style=style))


def view_of(*buttons: ui.Item[Any]) -> ui.View:
    """Put buttons below a message, for as long as the message lives."""
    view = ui.View(timeout=None)
    for item in buttons:
        view.add_item(item)
    return view
