"""Who wrote a role: from where, as whom, and by which process."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import peers
from sandbox.discord import DiscordStandIn
from tests.sandbox.discord.conftest import Api, World, api, clock, http, standin, strike, weather, world

__all__ = ["api", "clock", "http", "standin", "strike", "weather", "world"]

ON_LINUX = pytest.mark.skipif(not peers.CONNECTIONS.exists(), reason="only Linux says which process holds a socket")
WRITE = "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], method='PUT', headers=eval(sys.argv[2])))"


async def test_each_role_write_is_kept_with_its_outcome(standin: DiscordStandIn, world: World, api: Api) -> None:
    began = time.monotonic()
    await api("GET", world.member)
    for method, role in (("PUT", world.gold), ("DELETE", world.gold), ("PUT", world.above)):
        await api(method, f"{world.member}/roles/{role.id}", headers={"User-Agent": "one"})
    await api("PATCH", world.member, json={"roles": []})
    kept = [(write.method, write.role_id, write.status) for write in standin.role_writes]
    gold, above = world.gold.id, world.above.id
    assert kept == [("PUT", gold, 204), ("DELETE", gold, 204), ("PUT", above, 403), ("PATCH", None, 200)]
    first = standin.role_writes[0]
    assert (first.guild_id, first.user_id, first.peer.user_agent) == (world.guild.id, world.ada.id, "one")
    assert began < first.began < first.ended < standin.role_writes[1].began
    assert first.peer.address.startswith("127.0.0.1:")


async def test_a_write_without_an_answer_is_kept_too(
    standin: DiscordStandIn, world: World, api: Api, strike: Callable[[str, str], None]
) -> None:
    strike("PUT", "lost")
    await api("PUT", f"{world.member}/roles/{world.gold.id}")  # aiohttp sends it once more
    assert [write.status for write in standin.role_writes] == [0, 204]


@ON_LINUX
async def test_the_process_that_wrote_is_known(standin: DiscordStandIn, world: World, api: Api) -> None:
    path = f"{world.member}/roles/{world.gold.id}"
    headers = {"Authorization": f"Bot {standin.state.bot_token}", "User-Agent": "another"}
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITE, standin.url + path, repr(headers))
    assert await other.wait() == 0
    await api("PUT", path)
    assert [write.peer.pid for write in standin.role_writes] == [other.pid, os.getpid()]


@ON_LINUX
async def test_the_process_of_a_session_is_known(standin: DiscordStandIn, http: Any) -> None:
    async with http.ws_connect(f"{standin.gateway.url}?v=10&encoding=json") as socket:
        await socket.send_json({"op": 2, "d": {"token": standin.state.bot_token, "intents": 0, "properties": {}}})
        while (await socket.receive_json())["t"] != "READY":
            pass
        (session,) = standin.gateway.connected()
        assert session.peer is not None
        assert session.peer.pid == os.getpid()


def test_where_the_system_does_not_tell_it_stays_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(peers, "CONNECTIONS", tmp_path / "none")
    assert peers.find_process("127.0.0.1", 80) is None
