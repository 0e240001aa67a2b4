"""The fixture that other bots' tests use."""

import time
from pathlib import Path

import aiohttp
import pytest

from sandbox.main import Options, Sandbox

pytest_plugins = ["pytester"]
MOST_SECONDS = 0.5
REPOSITORY = Path(__file__).resolve().parents[2]

OTHERS_TEST = """
import aiohttp

pytest_plugins = ["sandbox.testing"]

async def test_my_bot(stand_ins):
    headers = {"Authorization": f"Bot {stand_ins.world.discord.bot_token}"}
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{stand_ins.discord.url}/users/@me", headers=headers) as answer:
            assert answer.status == 200
        async with http.get(f"{stand_ins.patreon.url}/oauth2/authorize") as answer:
            assert answer.status == 400
"""


def test_a_foreign_test_uses_it_by_its_name(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    pytester.makepyfile(OTHERS_TEST)
    outcome = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-o", "asyncio_mode=auto")
    outcome.assert_outcomes(passed=1)


async def test_it_is_up_in_less_than_half_a_second() -> None:
    fastest = min([await _seconds_to_start() for _ in range(3)])
    assert fastest < MOST_SECONDS


async def _seconds_to_start() -> float:
    began = time.perf_counter()
    async with Sandbox(Options(with_bot=False)) as running, aiohttp.ClientSession() as http:
        async with http.get(f"{running.discord.url}/gateway") as answer:
            assert answer.status == 200
        return time.perf_counter() - began
