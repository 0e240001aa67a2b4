"""What fails between us and Discord, whoever raises it."""

import asyncio

import aiohttp
import discord
import pytest

from bot.discord.failures import DISCORD_FAILURES
from bot.discord.silence import SilencedError
from sandbox.weather import Fault
from tests.fakes.scene import MEMBER, Scene


@pytest.mark.parametrize(
    "kind",
    [discord.HTTPException, discord.RateLimited, aiohttp.ServerDisconnectedError, SilencedError, ConnectionResetError],
)
def test_whoever_raises_it_it_is_one(kind: type[Exception]) -> None:
    assert issubclass(kind, DISCORD_FAILURES)


@pytest.mark.parametrize("fault", ["403", "drop", "hang"])
async def test_whatever_discord_does_to_a_request_is_one(scene: Scene, fault: str) -> None:
    client = scene.app.holder.current
    assert client is not None
    scene.stage.sandbox.weather.set(Fault("discord", "GET */users/*", fault))
    with pytest.raises(DISCORD_FAILURES):
        await asyncio.wait_for(client.fetch_user(scene.person(MEMBER)), 0.5)
