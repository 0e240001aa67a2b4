"""How the unmodified discord.py fares with reconnects, lost sessions, refused intents and limits of the gateway."""

import asyncio
import time
from collections.abc import Callable

import discord
import pytest

from sandbox.discord import DiscordStandIn, Limit
from tests.sandbox.discord.conftest import SOON, Bot, RunBot, World

REIDENTIFY_SECONDS = 5  # discord.py waits so long before each identify but its first


async def test_op_7_resumes_and_nothing_is_missed(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World
) -> None:
    async with run_bot(bot):
        session = next(iter(standin.gateway.sessions))
        standin.gateway.ask_to_reconnect()
        standin.give_role(world.ada.id, world.gold.id)
        before, after = await bot.hear("member_update")
        assert len(after.roles) - len(before.roles) == 1
        standin.take_role(world.ada.id, world.gold.id)
        await bot.hear("member_update")
        assert list(standin.gateway.sessions) == [session]


async def test_a_cut_connection_resumes_too(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World, strike: Callable[[str, str], None]
) -> None:
    async with run_bot(bot):
        strike("*", "gateway_drop")
        await bot.hear("disconnect")
        standin.give_role(world.ada.id, world.gold.id)
        await bot.hear("member_update")


async def test_op_9_makes_it_identify_anew(
    run_bot: RunBot, standin: DiscordStandIn, strike: Callable[[str, str], None], intents: discord.Intents
) -> None:
    # It would ask for all members twice within 30 s, and wait in vain for the second list.
    bot = Bot(intents=intents, chunk_guilds_at_startup=False)
    async with run_bot(bot):
        first = next(iter(standin.gateway.sessions))
        strike("gateway", "op9")
        await bot.hear("ready", within=REIDENTIFY_SECONDS + SOON)
        assert first not in standin.gateway.sessions
        assert len(standin.gateway.connected()) == 1


async def test_a_disallowed_intent_ends_it(bot: Bot, run_bot: RunBot, world: World) -> None:
    world.state.intents_allowed.clear()
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with run_bot(bot):
            raise AssertionError("it must not get ready")


async def test_the_application_says_which_intents_are_allowed(bot: Bot, run_bot: RunBot) -> None:
    async with run_bot(bot):
        application = await bot.application_info()
    assert application.flags.gateway_guild_members_limited
    assert not application.flags.gateway_message_content_limited


async def test_members_are_asked_for_by_id_without_the_intent(run_bot: RunBot, world: World) -> None:
    bot = Bot(intents=discord.Intents(guilds=True), member_cache_flags=discord.MemberCacheFlags.none())
    async with run_bot(bot):
        ids = [int(world.ada.id), 1]
        found = await bot.guilds[0].query_members(user_ids=ids, limit=100)
    assert [member.name for member in found] == ["ada"]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("event", ["GUILD_MEMBER_UPDATE", "/"])
async def test_a_malformed_event_ends_the_client(
    bot: Bot, standin: DiscordStandIn, world: World, strike: Callable[[str, str], None], event: str
) -> None:
    strike(event, "malformed_event")
    running = asyncio.create_task(bot.start(standin.state.bot_token))
    await bot.hear("ready")
    standin.give_role(world.ada.id, world.gold.id)
    with pytest.raises(TypeError):
        await running
    await bot.close()


async def test_limits_are_kept_without_a_429(bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World) -> None:
    standin.limits.limits["role_writes"] = Limit(2, 0.3)
    roles = [discord.Object(int(world.state.add_role(world.guild, f"R{n}").id)) for n in range(5)]
    async with run_bot(bot):
        ada = bot.guilds[0].get_member(int(world.ada.id))
        assert ada
        began = time.monotonic()
        await ada.add_roles(*roles)
        took = time.monotonic() - began
    writes = [call.status for call in standin.calls if call.route.endswith("roles/{r}")]
    assert writes == [204] * 5
    assert took >= 0.5


async def test_a_client_with_shards_asks_for_the_gateway(
    standin: DiscordStandIn, library: None, intents: discord.Intents
) -> None:
    ready = asyncio.Event()

    class Sharded(discord.AutoShardedClient):
        async def on_ready(self) -> None:
            ready.set()

    client = Sharded(intents=intents, guild_ready_timeout=0.05)
    running = asyncio.create_task(client.start(standin.state.bot_token))
    await asyncio.wait_for(ready.wait(), SOON)
    assert client.shard_count == 1
    await client.close()
    await asyncio.wait({running})
    assert any(call.route == "GET /gateway/bot" for call in standin.calls)
