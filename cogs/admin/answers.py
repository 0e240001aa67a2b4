"""Answers to admins: what they have not been told yet above the answer itself, and what fits what they type."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from discord import File, app_commands, ui

from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.discord.notifier import Notifier
from bot.discord.replies import show, swap
from bot.domain.notices import Trouble
from bot.texts.card import CHOICE_LENGTH, Card
from bot.texts.troubles import kept_card
from cogs.admin.rights import guild_of

CHOICES = 25  # Discord shows no more (discord-api-docs, Application Commands, Autocomplete)


class Answers:
    """Answers admins, below what they have not been told yet."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def tell(
        self,
        interaction: Interaction,
        answer: Card,
        *,
        view: ui.View | None = None,
        file: File | None = None,
        says: tuple[type[Trouble], ...] = (),
    ) -> None:
        """Answer a command; troubles that the answer `says` itself are not told above it."""
        async with self._news(interaction, says) as news:
            await show(interaction, answer, above=news, view=view, file=file)

    async def retell(
        self,
        interaction: Interaction,
        answer: Card,
        *,
        view: ui.View | None = None,
        says: tuple[type[Trouble], ...] = (),
    ) -> None:
        """Answer the press of a button, in place of its message; `says` as for a command."""
        async with self._news(interaction, says) as news:
            await swap(interaction, answer, above=news, view=view)

    @asynccontextmanager
    async def _news(self, interaction: Interaction, said: tuple[type[Trouble], ...]) -> AsyncIterator[Card | None]:
        async with self._notifier.pending(guild_of(interaction)) as pending:
            kept = [notice for notice in pending if not isinstance(notice, said)]
            yield kept_card(renderer_of(interaction), kept) if kept else None


def offer(choices: Iterable[tuple[str, str]], typed: str) -> list[app_commands.Choice[str]]:
    """Offer what fits what was typed so far: of each choice what to show, and the value."""
    wanted = typed.strip().casefold()
    fitting = [(label, value) for label, value in choices if wanted in label.casefold() or wanted == value]
    return [app_commands.Choice(name=label[:CHOICE_LENGTH], value=value) for label, value in fitting[:CHOICES]]
