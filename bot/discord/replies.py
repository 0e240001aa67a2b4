"""How we answer a person who used a command or a button: to them alone, with no stranger's ping or unfolded address.

What goes wrong becomes words here, for admins and for members. Decides nothing else.
"""

import asyncio
import contextlib
import io
import re
import secrets
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import discord
import structlog
from discord import app_commands

from bot.discord.cards import renderer_of
from bot.domain.errors import NeedsOwner, TryLater, UserMistake
from bot.texts.card import Card
from bot.texts.names import plain_stamp

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOMENT_SECONDS = 1.5  # for so long somebody who pressed a button waits for the whole answer
MESSAGE_LENGTH = 2000  # discord-api-docs, Create Message
CUT_NOTE = "\n… the whole text is in the attached file."
UNKNOWN_INTERACTION = 10062
_STAMP = re.compile(r"<t:(\d+)(?::\w)?>")

OUT_OF_SIGHT = "Discord does not show me this server at the moment; nothing was done"
NOT_ALLOWED = "You need the Manage Roles permission in this server for that."
OUTDATED = "This command has changed since your Discord loaded it. Restart Discord (Ctrl+R) and type it again."
MEMBER_LATER = "That did not work just now, and nothing was changed. Please try again in a minute."
MEMBER_OWNER = (
    "That cannot work until an admin of this server has looked after me. Please tell one; nothing was changed."
)


async def show(interaction: discord.Interaction[Any], card: Card, *, view: discord.ui.View | None = None) -> None:
    """Answer with a card that only this person sees; its further pages are turned by buttons."""
    embed, below = interaction.client.pager.open(card, renderer_of(interaction), view.children if view else ())
    if interaction.response.is_done():
        await interaction.followup.send(embed=embed, view=below or discord.utils.MISSING, ephemeral=True)
    else:
        await interaction.response.send_message(embed=embed, view=below or discord.utils.MISSING, ephemeral=True)


async def swap(interaction: discord.Interaction[Any], card: Card, *, view: discord.ui.View | None = None) -> None:
    """Put a card in place of the message whose button was pressed."""
    embed, below = interaction.client.pager.open(card, renderer_of(interaction), view.children if view else ())
    await _put(interaction, embed, below)


async def turn_page(interaction: discord.Interaction[Any], argument: str) -> None:
    """Show another page of a long answer; raise UserMistake where it is forgotten."""
    page = interaction.client.pager.turn(argument, renderer_of(interaction))
    if page is None:
        raise UserMistake("I don't have the other pages any more; type the command again")
    await _put(interaction, *page)


async def _put(interaction: discord.Interaction[Any], embed: discord.Embed, view: discord.ui.View | None) -> None:
    if not interaction.response.is_done():
        await interaction.response.defer()
    await interaction.edit_original_response(content=None, embed=embed, view=view, attachments=[])


async def say(
    interaction: discord.Interaction[Any], text: str, *, view: discord.ui.View = discord.utils.MISSING
) -> None:
    """Answer with a message that only this person sees; what is too long for one goes along as a file."""
    shown, attached = fit(text)
    file = discord.utils.MISSING if attached is None else discord.File(io.BytesIO(attached), "everything.txt")
    if interaction.response.is_done():
        await interaction.followup.send(shown, ephemeral=True, view=view, file=file, suppress_embeds=True)
    else:
        await interaction.response.send_message(shown, ephemeral=True, view=view, file=file, suppress_embeds=True)


async def replace(interaction: discord.Interaction[Any], text: str, *, view: discord.ui.View | None = None) -> None:
    """Put a text in place of the message whose button was pressed."""
    shown, attached = fit(text)
    files = [] if attached is None else [discord.File(io.BytesIO(attached), "everything.txt")]
    if not interaction.response.is_done():
        await interaction.response.defer()
    await interaction.edit_original_response(content=shown, view=view, attachments=files)


async def replace_soon(interaction: discord.Interaction[Any], work: Coroutine[Any, Any, T], *, meanwhile: str) -> T:
    """Await what a pressed button began; where it takes longer than a moment, say `meanwhile` in place of the message.

    The work goes on where the answer cannot be shown.
    """
    under_way = asyncio.create_task(work, name="what a button began")
    if not interaction.response.is_done():
        await interaction.response.defer()
    _, late = await asyncio.wait({under_way}, timeout=MOMENT_SECONDS)
    if late:
        with contextlib.suppress(discord.DiscordException, OSError, TimeoutError):  # the whole answer may get through
            await replace(interaction, meanwhile)
    return await under_way


def fit(text: str) -> tuple[str, bytes | None]:
    """Return what fits into one message and, where that is not all, the whole text as a file."""
    if len(text) <= MESSAGE_LENGTH:
        return text, None
    room = MESSAGE_LENGTH - len(CUT_NOTE)
    end = text.rfind("\n", 0, room)
    return text[: end if end > 0 else room] + CUT_NOTE, _without_stamps(text).encode()


def _without_stamps(text: str) -> str:
    """Write times out: a file is not rendered."""
    return _STAMP.sub(lambda stamp: plain_stamp(datetime.fromtimestamp(int(stamp[1]), UTC)), text)


async def answer_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell the person what went wrong. Never raises: where no answer is possible any more, the log says so."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.NotFound) and cause.code == UNKNOWN_INTERACTION:
        log.warning("an answer came too late for discord", user_id=interaction.user.id)
        return
    try:
        await say(interaction, explain(cause, is_admin=is_manager(interaction)))
    except (discord.DiscordException, OSError, TimeoutError) as failure:
        log.warning("an answer could not be sent", error=repr(failure))


def explain(error: Exception, *, is_admin: bool) -> str:
    """Say what went wrong and what to do now; what nobody foresaw is logged under a number."""
    match error:
        case UserMistake():
            return _sentence(str(error))
        case TryLater():
            return f"{_sentence(str(error))} Please try again in a minute." if is_admin else MEMBER_LATER
        case NeedsOwner():
            return _sentence(str(error)) if is_admin else MEMBER_OWNER
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return OUTDATED
        case app_commands.TransformerError():
            return f"I could not find “{error.value}”. Choose it from the list that Discord shows while you type."
        case app_commands.CheckFailure():
            return NOT_ALLOWED
    number = secrets.token_hex(4)
    log.error("a command failed", incident=number, exc_info=error)
    return f"Something went wrong on my side. Please try again; if it stays, tell an admin this number: `{number}`."


async def comes_in_sight(interaction: discord.Interaction[Any]) -> bool:
    """Wait out the moment of a connection, when commands come before servers do; else say what is wrong."""
    await interaction.client.holder.wait_a_moment()
    guild = interaction.guild
    if interaction.guild_id is None or (guild is not None and not guild.unavailable):
        return True
    if interaction.type is not discord.InteractionType.autocomplete:
        await answer_error(interaction, UserMistake(f"{OUT_OF_SIGHT}; please try again in a minute"))
    return False


def is_manager(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether the person may manage roles in the server, by their own rights there.

    `interaction.permissions` would not do: it is resolved for the channel, where the same bit means another thing.
    """
    member, guild = interaction.user, interaction.guild
    if guild is None or not isinstance(member, discord.Member):
        return False
    return guild.owner_id == member.id or member.guild_permissions.manage_roles


def _sentence(text: str) -> str:
    """Begin with a capital and end with a dot: messages of errors do neither."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
