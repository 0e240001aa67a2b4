"""Every command that people can type, on a client that never connects and has nothing behind its commands."""

from typing import Any, cast

from discord import app_commands

from bot.app import App
from bot.discord.client import PledgekeeperBot
from bot.discord.holder import ClientHolder
from bot.discord.registration import CommandRegistration
from cogs import add_cogs


class Nothing:
    """Whatever is asked of it is not there."""

    def __getattr__(self, name: str) -> None:
        return None


async def build_tree() -> app_commands.CommandTree[Any]:
    """Return the commands as Discord would be offered them."""
    app = cast("App", Nothing())
    registration = cast("CommandRegistration", Nothing())
    bot = PledgekeeperBot(
        holder=ClientHolder(),
        registration=registration,
        add_cogs=lambda bot: add_cogs(bot, app),
        has_members_intent=True,
    )
    await add_cogs(bot, app)
    return bot.tree
