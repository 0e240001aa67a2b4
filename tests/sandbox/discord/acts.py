"""Acts to play in both twins, and the stages to play them on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord
import pytest
import simcord

from sandbox.discord import DiscordStandIn
from tests.sandbox.discord.conftest import SOON, World
from tests.sandbox.discord.twins import DO, Answer, OverSockets, Simcord, TinyBot, Twin

Act = Callable[[Twin], Awaitable[Sequence[Any]]]  # returns what is to be compared


class Acts:
    """Tables of acts: those that end alike in both, and those where simcord strays from Discord."""

    def __init__(self) -> None:
        self.agreed: list[Any] = []
        self.differing: list[Any] = []

    def both(self, *expected: Any) -> Callable[[Act], Act]:
        """Enter an act that ends so in both."""

        def enter(act: Act) -> Act:
            self.agreed.append(pytest.param(act, expected, id=getattr(act, "__name__", "")))
            return act

        return enter

    def differs(self, *, simcord_says: tuple[Any, ...], discord_says: tuple[Any, ...]) -> Callable[[Act], Act]:
        """Enter an act whose docstring names the source of what Discord says."""

        def enter(act: Act) -> Act:
            assert act.__doc__
            self.differing.append(pytest.param(act, simcord_says, discord_says, id=getattr(act, "__name__", "")))
            return act

        return enter


async def in_simcord(act: Act) -> tuple[Any, ...]:
    """Act in simcord, in a task of its own: its clock and its transport stay in the context that started them."""

    async def acted() -> tuple[Any, ...]:
        bot = TinyBot()
        async with simcord.run(bot) as env:
            twin = Simcord(env, bot)
            await twin.register(DO)
            return tuple(await act(twin))

    return await asyncio.create_task(acted())


async def in_ours(act: Act, standin: DiscordStandIn, world: World) -> tuple[Any, ...]:
    """Act against the stand-in; needs the fixture `library`."""
    bot = TinyBot(guild_ready_timeout=0.05)
    running = asyncio.create_task(bot.start(world.state.bot_token))
    try:
        async with asyncio.timeout(SOON):
            await bot.is_up.wait()
        twin = OverSockets(standin, world, bot)
        await twin.register(DO)
        return tuple(await act(twin))
    finally:
        await bot.close()
        await running


def says(text: str, **more: Any) -> Answer:
    """Answer with a message."""
    return lambda interaction: interaction.response.send_message(text, **more)


async def silence(interaction: discord.Interaction) -> None:
    """Answer nothing."""
