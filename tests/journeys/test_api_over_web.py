"""The API is one process's, Discord is another's: a program notices nothing of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.main import Options
from tests.fakes.postgres import Postgres
from tests.fakes.stage import Stage
from tests.journeys.test_api import MEMBERS, PATRON, linked


@pytest.fixture
async def parted(postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A gateway, a worker and a web process, each of its own."""
    monkeypatch.setattr(Stage, "database_url", postgres.url(emptied))
    async with Stage(Options(interval=1, layout=(("gateway",), ("worker",), ("web",)))) as parted:
        yield parted


async def test_a_process_without_discord_answers_as_one_that_has_it(parted: Stage) -> None:
    program = await linked(parted)
    gold = parted.role_id("Gold")
    await program.until(PATRON, standing="active", roles=[gold])
    parted.sandbox.discord.leave(parted.user_id(PATRON))
    await program.until(PATRON)
    parted.sandbox.discord.join(parted.user_id(PATRON))
    await program.until(PATRON, standing="active", roles=[gold])
    gateway = parted.sandbox.bots.find("gateway-1")
    assert gateway is not None
    async with aiohttp.ClientSession() as session:
        for path in (MEMBERS, "/api/openapi.json"):
            async with session.get(f"http://127.0.0.1:{gateway.port}{path}") as answer:
                assert answer.status == 404, "only a process for the web serves it"
    await gateway.process.kill()
    told = await program.member(PATRON)
    assert (told["standing"], told["roles"]) == ("active", [gold]), "it answers what was seen last"
    assert (await program.get(MEMBERS))[0] == 200
