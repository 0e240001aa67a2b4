"""Each request that went out is told of, and no other."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import App
from bot.discord.request_watch import watch_requests
from bot.discord.role_writer import RoleWriter, WriteReason
from bot.discord.silence import SilencedError, silenced_unless
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import GuildSettings
from tests.bot.ops.test_metrics import QUIET, told
from tests.fakes.scene import MEMBER, Scene, connect
from tests.fakes.stage import Stage


async def test_the_answer_of_each_request_is_told_and_none_where_there_was_none() -> None:
    seen: list[int | None] = []

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/gone":
            request.transport.close()  # type: ignore[union-attr]
        return web.Response(status=int(request.path.removeprefix("/").replace("gone", "200")))

    application = web.Application()
    application.router.add_get("/{name}", answer)
    may = True
    trace = watch_requests(silenced_unless(lambda: may), lambda status, seconds: seen.append(status))
    async with TestServer(application) as server, aiohttp.ClientSession(trace_configs=[trace]) as session:
        for path in ("/204", "/429"):
            async with session.get(server.make_url(path)):
                pass
        with pytest.raises(aiohttp.ClientError):
            await session.get(server.make_url("/gone"))
        may = False
        with pytest.raises(SilencedError):
            await session.get(server.make_url("/204"))
    assert seen == [204, 429, None], "what was held back never went out"


async def test_what_the_library_repeats_by_itself_is_counted_each_time(stage: Stage, app: App) -> None:
    stage.weather("discord", "PUT /guilds", "429", times=1)
    async with connect(app) as bot:
        scene = Scene(stage, app, bot)
        writer = RoleWriter(app.holder, app.clock)
        why = WriteReason(trigger=Trigger.LINK, settings=GuildSettings())
        outcome = await writer.put(scene.guild_id, scene.person(MEMBER), scene.role("Gold"), why=why)
    counted = told(app.metrics.render(QUIET))
    assert outcome is Outcome.DONE
    assert counted["discord_request_seconds_count status=429"] == 1
    assert counted["discord_request_seconds_count status=204"] == 1
