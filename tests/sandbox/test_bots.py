"""One process or several: their names, their roles, their lines, and who of them answers now."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from sandbox.bots import ALONE, CLUSTER, Bots

SOON = 40.0
READY = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(*sys.argv[1:], os.environ["WEB_PORT"], os.environ["COLOUR"], flush=True)
signal.pause()
"""


@pytest.fixture
async def several() -> AsyncIterator[Bots]:
    bots = Bots((("web",), ("worker", "gateway"), ("web",)), port=1)
    for one in bots.members:
        one.process.command = (sys.executable, "-c", READY, *one.process.command[3:])
    bots.prepare({"COLOUR": "green"})
    yield bots
    await bots.kill()


async def until_all_said(bots: Bots) -> None:
    heard = asyncio.Event()
    bots.on_change(lambda: heard.set() if len(bots.lines) >= len(bots.members) else None)
    if len(bots.lines) < len(bots.members):
        await asyncio.wait_for(heard.wait(), SOON)


def test_one_that_is_alone_does_everything_at_the_bots_own_port() -> None:
    (bot,) = Bots(ALONE, port=8403).members
    assert (bot.name, bot.roles, bot.port) == ("bot", (), 8403)
    assert "--role" not in bot.process.command


def test_those_that_share_the_work_are_numbered_by_what_they_do() -> None:
    bots = Bots(CLUSTER, port=8403)
    assert [one.name for one in bots.members] == [
        *("gateway-1", "gateway-2", "worker-1", "worker-2", "web-1", "web-2"),
    ]
    assert len({one.port for one in bots.members} | {8403}) == 7
    assert bots.members[2].process.command[-2:] == ("--role", "worker")
    assert bots.find("web-2") is bots.members[5]
    assert bots.find("web-3") is None


async def test_each_is_told_its_roles_and_its_port_and_says_who_it_is(several: Bots) -> None:
    await several.start()
    await until_all_said(several)
    ports = [one.port for one in several.members]
    assert sorted(several.lines) == sorted(
        [
            f"web-1 | --role web {ports[0]} green",
            f"worker+gateway-1 | --role worker --role gateway {ports[1]} green",
            f"web-2 | --role web {ports[2]} green",
        ]
    )


async def test_those_that_serve_pages_answer_while_they_run_and_are_not_paused(several: Bots) -> None:
    def answering() -> list[str]:
        return [one.name for one in several.members if one.answers]

    assert answering() == []
    await several.start()
    await until_all_said(several)
    assert answering() == ["web-1", "web-2"]
    several.members[0].process.pause()
    assert answering() == ["web-2"]
    several.members[0].process.resume()
    assert answering() == ["web-1", "web-2"]
    await several.stop()
    assert answering() == []
    assert [one.process.exit_code for one in several.members] == [0, 0, 0]
