"""Holds the Discord client of the moment: a crashed one is replaced by a fresh one, and everyone asks here for it."""

import asyncio
import contextlib

import discord

from bot.domain.errors import Later, TryLater

MOMENT_SECONDS = 2.0  # a command must be answered within three (discord-api-docs, Interactions, Followup Messages)


class DiscordAway(TryLater):
    """Discord is not connected, or did not answer; people are looked at again later."""


class ClientHolder:
    """Knows the connected client, if there is one."""

    def __init__(self) -> None:
        self._client: discord.Client | None = None
        self._arrived = asyncio.Event()

    @property
    def current(self) -> discord.Client | None:
        """The client, while it is connected and has seen its guilds; else None."""
        return self._client

    def put(self, client: discord.Client) -> None:
        """Take a client that just became ready, or that resumed its session."""
        self._client = client
        self._arrived.set()

    def lose(self, client: discord.Client) -> None:
        """Note that a client's connection is gone; the word of one that was replaced meanwhile does not count."""
        if client is self._client:
            self._client = None
            self._arrived.clear()

    async def wait_ready(self, timeout: float) -> discord.Client:  # noqa: ASYNC109  a wish of the caller's
        """Wait for a connected client; DiscordAway where none comes in time."""
        try:
            async with asyncio.timeout(timeout):
                return await self.wait_ever()
        except TimeoutError:
            raise DiscordAway(Later.NOT_CONNECTED) from None

    async def wait_ever(self) -> discord.Client:
        """Wait for a connected client, however long that takes."""
        while self._client is None:
            await self._arrived.wait()
        return self._client

    async def wait_a_moment(self) -> None:
        """Wait for a connected client as long as somebody who typed a command may; without one they are told so."""
        with contextlib.suppress(DiscordAway):
            await self.wait_ready(MOMENT_SECONDS)
