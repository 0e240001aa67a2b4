"""How we answer a person who used a command or a button: to them alone, with no stranger's ping or unfolded address.

What goes wrong becomes words here, for admins and for members. Decides nothing else.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

import discord
import structlog
from discord import app_commands

from bot.discord.embeds import embed_of, renderer_of
from bot.discord.failures import DISCORD_FAILURES
from bot.domain.errors import Mistake, PledgekeeperError, UserMistake
from bot.texts.card import CARD_LENGTH, MESSAGE_LENGTH, Card, cut, fitted
from bot.texts.errors import say_error, say_mistake, say_not_found, say_outdated, say_unforeseen
from bot.texts.renderer import Renderer, Text

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOMENT_SECONDS = 1.5  # for so long somebody who pressed a button waits for the whole answer
UNKNOWN_INTERACTION = 10062


async def show(
    interaction: discord.Interaction[Any],
    card: Card,
    *,
    above: Card | None = None,
    view: discord.ui.View | None = None,
    file: discord.File | None = None,
) -> None:
    """Answer with a card that only this person sees; its further pages are turned by buttons, and lose the file."""
    embeds, below = _open(interaction, card, above, view)
    nothing = discord.utils.MISSING
    send = interaction.followup.send if interaction.response.is_done() else interaction.response.send_message
    await send(embeds=embeds, view=below or nothing, file=file or nothing, ephemeral=True)


async def swap(
    interaction: discord.Interaction[Any],
    card: Card,
    *,
    above: Card | None = None,
    view: discord.ui.View | None = None,
) -> None:
    """Put a card in place of the message whose button was pressed."""
    await _put(interaction, *_open(interaction, card, above, view))


def _open(
    interaction: discord.Interaction[Any], card: Card, above: Card | None, view: discord.ui.View | None
) -> tuple[list[discord.Embed], discord.ui.View | None]:
    """Return a card's first page, below as much of the card above as Discord takes with it, and its buttons."""
    embed, below = interaction.client.pager.open(card, renderer_of(interaction), view.children if view else ())
    return [embed] if above is None else [embed_of(fitted(above, CARD_LENGTH - len(embed))), embed], below


async def turn_page(interaction: discord.Interaction[Any], argument: str) -> None:
    """Show another page of a long answer; raise UserMistake where it is forgotten."""
    page = interaction.client.pager.turn(argument, renderer_of(interaction))
    if page is None:
        raise UserMistake(Mistake.PAGES_FORGOTTEN)
    embed, view = page
    await _put(interaction, [embed], view)


async def _put(
    interaction: discord.Interaction[Any], embeds: list[discord.Embed], view: discord.ui.View | None
) -> None:
    if not interaction.response.is_done():
        await interaction.response.defer()
    await interaction.edit_original_response(content=None, embeds=embeds, view=view, attachments=[])


async def say(interaction: discord.Interaction[Any], text: Text) -> None:
    """Answer with a line that only this person sees."""
    line = cut(text, MESSAGE_LENGTH)
    if interaction.response.is_done():
        await interaction.followup.send(line, ephemeral=True, suppress_embeds=True)
    else:
        await interaction.response.send_message(line, ephemeral=True, suppress_embeds=True)


async def replace(interaction: discord.Interaction[Any], text: Text) -> None:
    """Put a line in place of the message whose button was pressed."""
    if not interaction.response.is_done():
        await interaction.response.defer()
    line = cut(text, MESSAGE_LENGTH)
    await interaction.edit_original_response(content=line, embed=None, view=None, attachments=[])


async def replace_soon(interaction: discord.Interaction[Any], work: Coroutine[Any, Any, T], *, meanwhile: Text) -> T:
    """Await what a pressed button began; where it takes longer than a moment, say `meanwhile` in place of the message.

    The work goes on where the answer cannot be shown.
    """
    under_way = asyncio.create_task(work, name="what a button began")
    if not interaction.response.is_done():
        await interaction.response.defer()
    _, late = await asyncio.wait({under_way}, timeout=MOMENT_SECONDS)
    if late:
        with contextlib.suppress(*DISCORD_FAILURES):  # the whole answer may get through
            await replace(interaction, meanwhile)
    return await under_way


async def answer_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell the person what went wrong. Never raises: where no answer is possible any more, the log says so."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.NotFound) and cause.code == UNKNOWN_INTERACTION:
        log.warning("an answer came too late for discord", user_id=interaction.user.id)
        return
    r, is_admin = renderer_of(interaction), is_manager(interaction)
    try:
        told = explain(r, cause, is_admin=is_admin)
    except Exception as failure:  # noqa: BLE001  whoever waits is told at least that
        told = explain(r, failure, is_admin=is_admin)
    try:
        await say(interaction, told)
    except DISCORD_FAILURES as failure:
        log.warning("an answer could not be sent", why=repr(failure))


def explain(renderer: Renderer, error: Exception, *, is_admin: bool) -> Text:
    """Say what went wrong and what to do now; what nobody foresaw is logged under a number."""
    match error:
        case PledgekeeperError():
            return say_error(renderer, error, is_admin=is_admin)
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return say_outdated(renderer)
        case app_commands.TransformerError():
            return say_not_found(renderer, str(error.value))
        case app_commands.CheckFailure():
            return say_mistake(renderer, UserMistake(Mistake.NOT_ALLOWED))
    number = secrets.token_hex(4)
    log.error("a command failed", incident=number, exc_info=error)
    return say_unforeseen(renderer, number)


async def may_go_on(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether what somebody asks for may be done, by us, in a server that Discord shows; say so where it doesn't.

    What another process does is passed over in silence. The moment of a connection, when commands come before servers
    do, is waited out.
    """
    acts = interaction.type is not discord.InteractionType.autocomplete
    if acts and not await interaction.client.takes(interaction.id):
        return False
    await interaction.client.holder.wait_a_moment()
    guild = interaction.guild
    if interaction.guild_id is None or (guild is not None and not guild.unavailable):
        return True
    if acts:
        await answer_error(interaction, UserMistake(Mistake.SERVER_UNSEEN))
    return False


def is_manager(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether the person may manage roles in the server, by their own rights there.

    `interaction.permissions` would not do: it is resolved for the channel, where the same bit means another thing.
    """
    member, guild = interaction.user, interaction.guild
    if guild is None or not isinstance(member, discord.Member):
        return False
    return guild.owner_id == member.id or member.guild_permissions.manage_roles
