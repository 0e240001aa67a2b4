"""The sandbox's README names everything that can be asked of it, and what it tells others to write works."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from sandbox import page
from sandbox.main import Sandbox
from sandbox.options import read_options
from sandbox.page import discord_acts, patreon_acts, scripts
from sandbox.page.forecast import FAULTS
from sandbox.page.patreon_acts import CREATOR_ACTS, PATRON_ACTS
from sandbox.page.server_acts import SERVER_ACTS

README = (Path(page.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
NOWHERE_ELSE = """
import socket
asked = socket.getaddrinfo
def only_here(host, *others, **named):
    assert host == "127.0.0.1", host
    return asked(host, *others, **named)
socket.getaddrinfo = only_here
"""
STOP = """
@client.event
async def on_ready():
    print("ready", len(client.guilds))
    await client.close()

"""
CALLS = sorted({route.path for module in (scripts, discord_acts, patreon_acts) for route in module.routes})


@pytest.mark.parametrize("path", CALLS)
def test_every_call_is_documented(path: str) -> None:
    assert f"http://127.0.0.1:8400{path}" in README or f"`GET {path}`" in README


@pytest.mark.parametrize("action", [*SERVER_ACTS, *PATRON_ACTS, *CREATOR_ACTS])
def test_every_act_is_documented(action: str) -> None:
    assert f"`{action}`" in README


@pytest.mark.parametrize("service", FAULTS)
def test_every_fault_on_the_page_is_in_the_weather_table(service: str) -> None:
    rows = [line for line in README.splitlines() if line.startswith((f"| {service} |", "| both |"))]
    named = {word for row in rows for word in row.split("`")[1::2]}
    assert {fault for fault, _ in FAULTS[service]} <= named


def test_every_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["--help"])
    options = {word.strip("[],") for word in capsys.readouterr().out.split() if word.startswith(("--", "[--"))}
    assert [option for option in options - {"--help"} if f"`{option}" not in README] == []


async def test_the_snippet_for_discord_py_reaches_the_stand_in_and_nobody_else(sandbox: Sandbox) -> None:
    found = re.search(r"```python\n(import json, urllib.*?)```", README, re.DOTALL)
    assert found is not None
    code = found[1].replace("http://127.0.0.1:8400", sandbox.page_url).replace("client.run(", f"{STOP}client.run(")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"{NOWHERE_ELSE}{code}", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        said, complained = await process.communicate()
    assert said.decode().split() == ["ready", "1"], complained.decode()
