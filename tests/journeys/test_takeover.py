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
    await stage.until(lambda: "Gold" in stage.roles("kestrel_kite"), "whoever gets the role by the rule has it")
    first, stopped = stage.sandbox.bot, stage.sandbox.bot.pid
    assert stopped is not None
    stage.weather("discord", "PUT /guilds", "429")
    linking = asyncio.create_task(stage.link(PATRON, NAME))  # its page comes when the process goes on
    await stage.until(
        lambda: any(one.status == 429 for one in stage.role_writes), "a write that discord.py repeats by itself"
    )
    os.kill(stopped, signal.SIGSTOP)  # at once: it repeats it a few times, and then everybody's writes pause
    stage.sandbox.weather.clear()
    second = BotProcess({**first.environment, "WEB_PORT": str(quiet_port())})
    try:
        await second.start()
        await stage.until(lambda: "Gold" in stage.roles(PATRON), "the second bot has taken over", 40)
        stage.sandbox.patreon.refund(stage.patron_id(NAME))
        await stage.until(lambda: "Gold" not in stage.roles(PATRON), "and works", 40)
        before = writes_by(stage, stopped)
        os.kill(stopped, signal.SIGCONT)
        await stage.until(lambda: "in reserve" in stage.log(), "the first one waits")
        assert (await linking).result == "linked"
        await asyncio.sleep(2)
        assert writes_by(stage, stopped) == before, "what discord.py was about to repeat was not sent"
        assert "Gold" not in stage.roles(PATRON)
        connected = stage.sandbox.discord.gateway.connected
        await stage.until(
            lambda: {one.peer.pid for one in connected() if one.peer} == {second.pid}, "the second alone is connected"
        )
        await second.stop()
        await stage.ready()
        assert first.pid == stopped, "it lived on"
        stage.add_named_patron("newcomer")
        await stage.until(lambda: "Gold" in stage.roles("newcomer"), "it works again", 40)
        assert writes_by(stage, stopped) > before
    finally:
        await second.stop()
