"""The example program beside a bot: it asks the API who may enter, and webhooks tell it what changes."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from sandbox import example
from sandbox.ports import quiet_port
from tests.fakes.stage import ADMIN, PATIENCE, Stage
from tests.journeys.test_api import NAME, PATRON, linked, make_token

OTHER, OTHERS_NAME = "bramble.fox", "Gideon Brook"  # Gold, too


class Whitelist:
    """The example as a process, and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}/"
        self.lines: list[str] = []

    async def until(self, line: str, *, times: int = 1) -> None:
        """Wait until it has printed a line so many times."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                while self.lines.count(line) < times:
                    read = await self.process.stdout.readline()
                    assert read, self.lines
                    self.lines.append(read.decode().rstrip())
        except TimeoutError:
            raise AssertionError(f"{line!r} is not among {self.lines}") from None


@asynccontextmanager
async def running(stage: Stage, token: str, secret: str, port: int) -> AsyncIterator[Whitelist]:
    """Run the example; end it with the block."""
    settings = {
        "PLEDGEKEEPER_URL": stage.sandbox.bot_url,
        "PLEDGEKEEPER_TOKEN": token,
        "PLEDGEKEEPER_SECRET": secret,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(example.__file__),
        str(port),
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT if not secret else asyncio.subprocess.DEVNULL,  # http.server logs requests
    )
    try:
        yield Whitelist(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def add_webhook(stage: Stage, port: int) -> str:
    said = await stage.say(ADMIN, "patreon hooks add", url=f"http://127.0.0.1:{port}/")
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", said)
    return str(secret)


async def test_it_lets_in_who_is_entitled_now_and_whoever_is_from_then_on(stage: Stage) -> None:
    token, port = (await linked(stage)).token, quiet_port()
    secret = await add_webhook(stage, port)
    patron, other = stage.user_id(PATRON), stage.user_id(OTHER)
    async with running(stage, token, secret, port) as whitelist:
        await whitelist.until(f"{patron} may enter: active")
        assert not [line for line in whitelist.lines if other in line]

        await stage.link(OTHER, OTHERS_NAME)
        await whitelist.until(f"{other} may enter: active")
        stage.sandbox.patreon.refund(stage.patron_id(NAME))
        await whitelist.until(f"{patron} may not enter: lapsed")
        stage.sandbox.discord.leave(other)
        await whitelist.until(f"{other} may not enter: unknown")
        stage.sandbox.discord.join(other)
        await whitelist.until(f"{other} may enter: active", times=2)


async def test_it_believes_nobody_else(stage: Stage) -> None:
    token, port = (await linked(stage)).token, quiet_port()
    secret = await add_webhook(stage, port)
    async with running(stage, token, secret, port) as whitelist:
        await whitelist.until(f"{stage.user_id(PATRON)} may enter: active")
        forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        async with (
            aiohttp.ClientSession() as stranger,
            stranger.post(whitelist.url, data=b"{}", headers=forged) as told,
        ):
            assert told.status == 400
        assert "accepted the test message (status 204)" in await stage.say(ADMIN, "patreon hooks test", hook="1")


async def test_with_a_token_that_does_not_work_it_says_what_to_do(stage: Stage) -> None:
    token = await make_token(stage)
    async with running(stage, token[:-1], "", quiet_port()) as whitelist:
        out, _ = await whitelist.process.communicate()
        assert (whitelist.process.returncode, out.decode().partition(".")[0]) == (1, "This token doesn't work")
