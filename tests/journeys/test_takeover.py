"""A bot that was stopped for a while, or cut off, finds another one in its place: it does nothing more, and waits."""

import asyncio
import os
import signal

import pytest

from sandbox.botprocess import BotProcess
from sandbox.ports import quiet_port
from tests.fakes.stage import Stage

PATRON, NAME = "hazel.hollow", "Gerda Nilsson"


def writes_by(stage: Stage, pid: int) -> int:
    """Count the role writes that a process has sent."""
    return sum(write.peer.pid == pid for write in stage.sandbox.discord.role_writes)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_write_that_slept_through_a_takeover_is_not_sent(database: None, stage: Stage) -> None:
    await stage.add_rule()
    first, stopped = stage.sandbox.bot, stage.sandbox.bot.pid
    assert stopped is not None
    stage.weather("discord", "PUT /guilds", "429")
    page = await stage.link(PATRON, NAME)
    assert page.result == "linked"
    await stage.until(lambda: stage.role_writes, "a write that discord.py repeats by itself")
    os.kill(stopped, signal.SIGSTOP)
    stage.sandbox.weather.clear()
    second = BotProcess({**first.environment, "WEB_PORT": str(quiet_port())})
    try:
        await second.start()
        await stage.until(lambda: "Gold" in stage.roles(PATRON), "the second bot has taken over", 40)
        stage.sandbox.patreon.refund(stage.patron_id(NAME))
        await stage.until(lambda: "Gold" not in stage.roles(PATRON), "and works", 40)
        before = writes_by(stage, stopped)
        os.kill(stopped, signal.SIGCONT)
        await stage.until(lambda: "in reserve" in stage.log(), "the first one waits", 20)
        await asyncio.sleep(2)
        assert writes_by(stage, stopped) == before, "what discord.py was about to repeat was not sent"
        assert "Gold" not in stage.roles(PATRON)
        assert {one.peer.pid for one in stage.sandbox.discord.gateway.connected() if one.peer} == {second.pid}
        await second.stop()
        await stage.ready()
        assert first.pid == stopped, "it lived on"
        stage.add_named_patron("newcomer")
        await stage.until(lambda: "Gold" in stage.roles("newcomer"), "it works again", 40)
        assert writes_by(stage, stopped) > before
    finally:
        await second.stop()
