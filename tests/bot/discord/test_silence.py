"""A request that may not go out any more is stopped before it is sent, discord.py's own repetitions too."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import App
from bot.discord.role_writer import RoleWriter, WriteReason
from bot.discord.silence import SilencedError, silenced_unless
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import GuildSettings
from sandbox.weather import Fault
from tests.fakes.scene import MEMBER, Scene, connect
from tests.fakes.stage import Stage


async def test_nothing_reaches_the_other_side() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    application = web.Application()
    application.router.add_get("/{name}", answer)
    may = True
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession(trace_configs=[silenced_unless(lambda: may)]) as session,
    ):
        async with session.get(server.make_url("/before")):
            may = False
        with pytest.raises(SilencedError):
            await session.get(server.make_url("/after"))
        with pytest.raises(SilencedError):
            await session.ws_connect(server.make_url("/socket"))
    assert asked == ["/before"]


async def test_each_request_waits_for_its_turn_but_one_about_an_interaction() -> None:
    turns: list[int] = []
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async def wait() -> None:
        turns.append(len(asked))

    application = web.Application()
    application.router.add_route("*", "/{name:.*}", answer)
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession(trace_configs=[silenced_unless(lambda: True, wait)]) as session,
    ):
        for path in ("/guilds/1", "/interactions/1/token/callback", "/webhooks/1/token/messages/@original", "/users/1"):
            async with session.post(server.make_url(path)):
                pass
    assert turns == [0, 3]


async def test_a_write_that_waits_out_a_limit_inside_the_library_is_not_repeated(stage: Stage, app: App) -> None:
    stage.sandbox.weather.set(Fault("discord", "PUT /guilds", "429", times=1))
    async with connect(app, may_speak=lambda: not stage.role_writes) as bot:
        scene = Scene(stage, app, bot)
        writer = RoleWriter(app.holder, app.clock)
        why = WriteReason(trigger=Trigger.LINK, settings=GuildSettings())
        outcome = await writer.put(scene.guild_id, scene.person(MEMBER), scene.role("Gold"), why=why)
    assert outcome is Outcome.UNKNOWN, "it was sent once, and what came of that is asked of Discord"
    assert [write.status for write in stage.role_writes] == [429]
