"""Started and stopped again and again, the sandbox leaves nothing behind. PLEDGEKEEPER_STARTS=200 takes longer."""

import asyncio
import gc
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from sandbox.main import Options, Sandbox

STARTS = int(os.environ.get("PLEDGEKEEPER_STARTS", "8"))
DESCRIPTORS = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="open files are counted through /proc")
A_BOT = (sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()")


def descriptors() -> list[str]:
    """Return what this process holds open, but for the listing itself."""
    found = []
    for one in DESCRIPTORS.iterdir():
        try:
            found.append(str(one.readlink()).partition(":")[0])
        except FileNotFoundError:
            continue
    return sorted(found)


async def test_no_task_no_socket_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await play()  # what is opened once for a whole process, such as the loop's watcher of children
    tasks, before = asyncio.all_tasks(), descriptors()
    for _ in range(STARTS):
        await play()
    gc.collect()
    assert asyncio.all_tasks() == tasks
    assert Counter(descriptors()) - Counter(before) == Counter()  # a socket that was still closing may be fewer
    assert os.listdir(tmp_path) == []  # noqa: PTH208  a listing, at a moment when nothing else runs


async def play() -> None:
    """Start, let a bot and a browser come by, change something, and stop in the middle of it all."""
    async with Sandbox(Options(with_bot=False)) as sandbox, aiohttp.ClientSession() as http:
        sandbox.bot.command = A_BOT
        await sandbox.bot.start()
        async with http.get(f"{sandbox.page_url}/events") as stream:
            await stream.content.readline()
            world = sandbox.world
            world.patreon.add_webhook(world.client, world.campaign, "http://127.0.0.1:9/", ["members:update"])
            sandbox.patreon.decline(next(member.person.id for member in world.campaign.pledges))
            await sandbox.patreon.deliveries.rest()
