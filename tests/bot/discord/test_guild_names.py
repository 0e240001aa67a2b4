"""What servers are called is stored by whoever shows them, and again when they are renamed."""

import asyncio

import pytest

from bot.discord import guild_names
from bot.discord.guild_names import GuildNames
from tests.fakes.scene import Scene

PATIENCE = 20.0


async def test_a_name_is_stored_and_stored_again_when_it_changes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guild_names, "LOOK_SECONDS", 0.01)
    storage = scene.app.storage
    task = asyncio.create_task(GuildNames(holder=scene.app.holder, storage=storage).run())
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    for name in (guild.name, "Hollow"):
        guild.name = name
        async with asyncio.timeout(PATIENCE):
            while await storage.guilds.names([scene.guild_id]) != {scene.guild_id: name}:
                await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_stored_already_is_left_alone(scene: Scene) -> None:
    storage = scene.app.storage
    names = GuildNames(holder=scene.app.holder, storage=storage)
    await names.save()
    await storage.guilds.save_names({scene.guild_id: "as another one wrote"})
    await names.save()
    assert await storage.guilds.names([scene.guild_id]) == {scene.guild_id: "as another one wrote"}
    scene.app.holder.lose(scene.bot)
    await names.save()
    scene.app.holder.put(scene.bot)
    await names.save()
    assert await storage.guilds.names([scene.guild_id]) != {scene.guild_id: "as another one wrote"}
