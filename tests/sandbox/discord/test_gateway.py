"""The gateway's protocol, frame by frame, without a client library."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import orjson
import pytest

from sandbox.discord import DiscordStandIn
from sandbox.discord.connection import ACK_SECONDS
from tests.sandbox.discord.conftest import SOON, Api, World

GUILDS, MEMBERS, DIRECT_MESSAGES = 1, 2, 1 << 12


class Wire:
    """One socket to the gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self.socket = socket
        self.token = token
        self.seq = 0

    async def say(self, op: int, body: Any) -> None:
        await self.socket.send_bytes(orjson.dumps({"op": op, "d": body}))

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = orjson.loads(await self.socket.receive_str(timeout=SOON))
        self.seq = frame["s"] or self.seq
        return frame

    async def event(self, wanted: str) -> Any:
        while (frame := await self.next())["t"] != wanted:
            pass
        return frame["d"]

    async def silence(self) -> None:
        """Check that nothing was sent: the answer to a heartbeat is the next frame."""
        await self.say(1, None)
        assert (await self.next())["op"] == 11

    async def identify(self, intents: int = GUILDS | MEMBERS, **extra: Any) -> Any:
        await self.say(2, {"token": self.token, "intents": intents, "properties": {}, **extra})
        return await self.event("READY")

    async def closed(self) -> int | None:
        while (await self.socket.receive(timeout=SOON)).type is not aiohttp.WSMsgType.CLOSE:
            pass
        await self.socket.close()
        return self.socket.close_code


@pytest.fixture
async def dial(standin: DiscordStandIn, http: aiohttp.ClientSession) -> AsyncIterator[Any]:
    async def connect(query: str = "?v=10&encoding=json") -> Wire:
        socket = await http.ws_connect(standin.gateway.url + query)
        wires.append(Wire(socket, standin.state.bot_token))
        return wires[-1]

    wires: list[Wire] = []
    yield connect
    for wire in wires:
        await wire.socket.close()


@pytest.fixture
async def wire(dial: Any) -> Wire:
    opened: Wire = await dial()
    assert (await opened.next())["d"]["heartbeat_interval"] == 41250
    return opened


async def test_a_heartbeat_is_answered_when_its_sender_has_noted_that_it_was_sent(wire: Wire) -> None:
    began = time.monotonic()
    await wire.silence()
    assert time.monotonic() - began > ACK_SECONDS / 2


async def test_ready_then_the_server_with_the_bot_alone(wire: Wire, world: World, standin: DiscordStandIn) -> None:
    ready = await wire.identify()
    assert ready["guilds"] == [{"id": world.guild.id, "unavailable": True}]
    assert ready["application"] == {"id": world.state.application.id, "flags": 1 << 15}
    assert ready["resume_gateway_url"] == standin.gateway.url
    assert "shard" not in ready
    guild = await wire.event("GUILD_CREATE")
    assert [member["user"]["id"] for member in guild["members"]] == [world.state.bot.id]
    assert (guild["member_count"], guild["large"], guild["unavailable"]) == (3, False, False)


async def test_a_server_above_the_threshold_is_large(wire: Wire) -> None:
    await wire.identify(large_threshold=2)
    assert (await wire.event("GUILD_CREATE"))["large"]


@pytest.mark.parametrize(
    ("op", "body", "code"),
    [
        (2, {"token": "wrong", "intents": 1, "properties": {}}, 4004),
        (2, {"token": "{token}", "intents": 1 << 8, "properties": {}}, 4014),
        (2, {"token": "{token}", "intents": 1 << 30, "properties": {}}, 4013),
        (2, {"token": "{token}", "intents": 1, "properties": {}, "shard": [2, 2]}, 4010),
        (2, {"token": "{token}", "intents": 1}, 4002),
        (6, {"token": "wrong", "session_id": "x", "seq": 1}, 4004),
        (8, {"guild_id": "1", "query": "", "limit": 0}, 4003),
        (99, None, 4001),
        (1, "x" * 5000, 4002),
    ],
    ids=["token", "disallowed", "unknown intent", "shard", "no properties", "resume", "early", "opcode", "size"],
)
async def test_a_wrong_frame_closes_with_its_code(wire: Wire, op: int, body: Any, code: int) -> None:
    if isinstance(body, dict) and body.get("token") == "{token}":
        body = body | {"token": wire.token}
    await wire.say(op, body)
    assert await wire.closed() == code


async def test_the_members_intent_is_disallowed_once_switched_off(wire: Wire, world: World) -> None:
    world.state.intents_allowed.clear()
    await wire.say(2, {"token": wire.token, "intents": MEMBERS, "properties": {}})
    assert await wire.closed() == 4014


async def test_identifying_twice_closes(wire: Wire) -> None:
    await wire.identify()
    await wire.say(2, {"token": wire.token, "intents": 1, "properties": {}})
    assert await wire.closed() == 4005


async def test_too_many_frames_close(wire: Wire) -> None:
    for _ in range(121):
        await wire.say(1, None)
    assert await wire.closed() == 4008


async def test_another_api_version_closes(dial: Any) -> None:
    assert await (await dial("?v=6&encoding=json")).closed() == 4012


async def test_a_silent_client_times_out(dial: Any, standin: DiscordStandIn) -> None:
    standin.gateway.heartbeat_seconds = 0.02
    assert await (await dial()).closed() == 4009


async def test_resume_replays_what_was_missed(wire: Wire, dial: Any, standin: DiscordStandIn, world: World) -> None:
    ready = await wire.identify()
    await wire.event("GUILD_CREATE")
    await wire.socket.close(code=4000)
    standin.give_role(world.ada.id, world.gold.id)
    again = await dial()
    await again.next()
    await again.say(6, {"token": wire.token, "session_id": ready["session_id"], "seq": wire.seq})
    missed, resumed = await again.next(), await again.next()
    assert (missed["t"], missed["s"]) == ("GUILD_MEMBER_UPDATE", wire.seq + 1)
    assert missed["d"]["roles"] == [world.gold.id]
    assert (resumed["t"], resumed["d"]) == ("RESUMED", {})


@pytest.mark.parametrize("change", [{"session_id": "other"}, {"seq": 99}], ids=["session", "sequence"])
async def test_what_cannot_be_resumed_is_invalid(wire: Wire, dial: Any, change: dict[str, Any]) -> None:
    ready = await wire.identify()
    again = await dial()
    await again.next()
    await again.say(6, {"token": wire.token, "session_id": ready["session_id"], "seq": 1} | change)
    invalid = await again.next()
    assert (invalid["op"], invalid["d"]) == (9, False)


async def test_a_client_that_says_goodbye_cannot_resume(wire: Wire, dial: Any, standin: DiscordStandIn) -> None:
    await wire.identify()
    await wire.socket.close(code=1000)
    again = await dial()
    await again.identify()
    assert len(standin.gateway.sessions) == 1


async def test_a_client_that_discord_closes_can_resume(wire: Wire, dial: Any, standin: DiscordStandIn) -> None:
    ready = await wire.identify(0)
    standin.gateway.drop(code=4000)
    assert await wire.closed() == 4000
    again = await dial()
    await again.next()
    await again.say(6, {"token": wire.token, "session_id": ready["session_id"], "seq": wire.seq})
    assert (await again.next())["t"] == "RESUMED"


async def test_zlib_stream_is_one_deflate_for_the_socket(dial: Any) -> None:
    wire = await dial("?v=10&encoding=json&compress=zlib-stream")
    inflate = zlib.decompressobj()

    async def read() -> Any:
        data = await wire.socket.receive_bytes(timeout=SOON)
        assert data.endswith(b"\x00\x00\xff\xff")
        return orjson.loads(inflate.decompress(data))

    assert (await read())["op"] == 10
    await wire.say(1, None)
    assert (await read())["op"] == 11


async def test_members_are_heard_of_only_with_the_intent(wire: Wire, standin: DiscordStandIn, world: World) -> None:
    await wire.identify(GUILDS)
    await wire.event("GUILD_CREATE")
    standin.give_role(world.ada.id, world.gold.id)
    await wire.silence()
    standin.give_role(world.state.bot.id, world.gold.id)
    assert (await wire.event("GUILD_MEMBER_UPDATE"))["user"]["id"] == world.state.bot.id


async def test_members_by_id_say_who_was_not_found(wire: Wire, world: World) -> None:
    await wire.identify(GUILDS)
    ids = [world.ada.id, int(world.owner.id), "111111111111111111"]
    await wire.say(8, {"guild_id": int(world.guild.id), "user_ids": ids, "limit": 0, "nonce": "n"})
    chunk = await wire.event("GUILD_MEMBERS_CHUNK")
    assert [member["user"]["username"] for member in chunk["members"]] == ["ada", "keeper"]
    assert (chunk["not_found"], chunk["nonce"], chunk["chunk_count"]) == (["111111111111111111"], "n", 1)


async def test_members_by_name_are_at_most_as_many_as_asked(wire: Wire, world: World) -> None:
    for number in range(5):
        world.state.add_member(world.guild, world.state.add_user(f"Bea{number}"))
    await wire.identify(GUILDS)
    await wire.say(8, {"guild_id": world.guild.id, "query": "bea", "limit": 3})
    assert len((await wire.event("GUILD_MEMBERS_CHUNK"))["members"]) == 3


async def test_everyone_comes_in_pieces_and_not_twice_in_half_a_minute(wire: Wire, world: World) -> None:
    for number in range(1500):
        world.state.add_member(world.guild, world.state.add_user(f"m{number}"))
    await wire.identify()
    wanted = {"guild_id": world.guild.id, "query": "", "limit": 0, "nonce": "all"}
    await wire.say(8, wanted)
    first, second = await wire.event("GUILD_MEMBERS_CHUNK"), await wire.event("GUILD_MEMBERS_CHUNK")
    assert (len(first["members"]), len(second["members"])) == (1000, 503)
    assert (second["chunk_index"], second["chunk_count"]) == (1, 2)
    await wire.say(8, wanted)
    limited = await wire.event("RATE_LIMITED")
    assert limited["opcode"] == 8
    assert limited["meta"] == {"guild_id": world.guild.id, "nonce": "all"}
    assert 29 < limited["retry_after"] <= 30


async def test_everyone_without_the_intent_is_answered_by_silence(wire: Wire, world: World) -> None:
    await wire.identify(GUILDS)
    await wire.event("GUILD_CREATE")
    await wire.say(8, {"guild_id": world.guild.id, "query": "", "limit": 0})
    await wire.silence()


async def test_shards_hear_of_their_servers_alone(dial: Any, standin: DiscordStandIn, world: World) -> None:
    standin.gateway.identifies.max_concurrency = 2
    home = (int(world.guild.id) >> 22) % 2
    wires = [await dial(), await dial()]
    readies = [await wire.identify(shard=[index, 2]) for index, wire in enumerate(wires)]
    assert [ready["shard"] for ready in readies] == [[0, 2], [1, 2]]
    assert [len(ready["guilds"]) for ready in readies] == [int(home == 0), int(home == 1)]
    await wires[home].event("GUILD_CREATE")
    standin.give_role(world.ada.id, world.gold.id)
    assert await wires[home].event("GUILD_MEMBER_UPDATE")
    await wires[1 - home].silence()


async def test_direct_messages_belong_to_shard_0(dial: Any, standin: DiscordStandIn, world: World, api: Api) -> None:
    standin.gateway.identifies.max_concurrency = 2
    wires = [await dial(), await dial()]
    for index, wire in enumerate(wires):
        await wire.identify(DIRECT_MESSAGES, shard=[index, 2])
    channel = await api("POST", "/users/@me/channels", json={"recipient_id": world.ada.id})
    await api("POST", f"/channels/{channel.body['id']}/messages", json={"content": "hello"})
    assert (await wires[0].event("MESSAGE_CREATE"))["content"] == "hello"
    await wires[1].silence()


async def test_two_sessions_of_one_shard_hear_the_same(dial: Any, standin: DiscordStandIn, world: World) -> None:
    """As after a take-over: the one that went is still there, and so may be one with another count of shards."""
    standin.gateway.identifies.pace_seconds = 0
    home = (int(world.guild.id) >> 22) % 2
    wires = [await dial(), await dial(), await dial()]
    for wire, shard in zip(wires, ([home, 2], [home, 2], [0, 1]), strict=True):
        await wire.identify(shard=shard)
        await wire.event("GUILD_CREATE")
    standin.give_role(world.ada.id, world.gold.id)
    heard = [await wire.event("GUILD_MEMBER_UPDATE") for wire in wires]
    assert [member["roles"] for member in heard] == [[world.gold.id]] * 3


async def test_members_are_not_shown_by_a_shard_that_is_not_theirs(
    dial: Any, standin: DiscordStandIn, world: World
) -> None:
    other = 1 - (int(world.guild.id) >> 22) % 2
    wire = await dial()
    await wire.identify(shard=[other, 2])
    await wire.say(8, {"guild_id": world.guild.id, "user_ids": [world.ada.id], "limit": 0})
    await wire.silence()


async def test_each_shard_resumes_its_own_session(dial: Any, standin: DiscordStandIn, world: World) -> None:
    standin.gateway.identifies.max_concurrency = 2
    home = (int(world.guild.id) >> 22) % 2
    left = []
    for index in range(2):
        wire = await dial()
        ready = await wire.identify(shard=[index, 2])
        if index == home:
            await wire.event("GUILD_CREATE")
        await wire.socket.close(code=4000)
        left.append((ready["session_id"], wire.seq))
    standin.give_role(world.ada.id, world.gold.id)
    missed = []
    for session_id, seq in left:
        gone = standin.gateway.sessions[session_id].peer
        again = await dial()
        await again.next()
        await again.say(6, {"token": again.token, "session_id": session_id, "seq": seq})
        missed.append((await again.next())["t"])
        assert standin.gateway.sessions[session_id].peer != gone, "another connection has it now"
    assert missed == (["GUILD_MEMBER_UPDATE", "RESUMED"] if home == 0 else ["RESUMED", "GUILD_MEMBER_UPDATE"])
    assert standin.gateway.identifies.left == 998, "a RESUME is none of them"


@pytest.mark.parametrize("fault", ["op7", "op9", "gateway_drop"])
async def test_one_shard_alone_can_be_struck(
    dial: Any, standin: DiscordStandIn, strike: Callable[[str, str], None], fault: str
) -> None:
    standin.gateway.identifies.max_concurrency = 2
    wires = [await dial(), await dial()]
    for index, wire in enumerate(wires):
        await wire.identify(0, shard=[index, 2])
    strike("shard/1", fault)
    struck = await wires[1].socket.receive(timeout=SOON)
    assert struck.type is not aiohttp.WSMsgType.TEXT or orjson.loads(struck.data)["op"] in (7, 9)
    await wires[0].silence()
    assert len(standin.gateway.connected(0)) == 1


async def test_a_shard_that_nobody_runs_is_struck_when_it_comes(
    dial: Any, standin: DiscordStandIn, strike: Callable[[str, str], None]
) -> None:
    standin.gateway.identifies.max_concurrency = 2
    strike("shard/1", "op7")
    await (await dial()).identify(0, shard=[0, 2])
    later = await dial()
    await later.identify(0, shard=[1, 2])
    assert (await later.next())["op"] == 7


# --- how many may identify


async def test_a_bot_is_told_how_many_shards_to_run_and_how_fast(wire: Wire, standin: DiscordStandIn, api: Api) -> None:
    standin.gateway.shards, standin.gateway.identifies.max_concurrency = 4, 2
    await wire.identify()
    answer = (await api("GET", "/gateway/bot")).body
    limit = answer.pop("session_start_limit")
    assert answer == {"url": standin.gateway.url, "shards": 4}
    assert (limit["total"], limit["remaining"], limit["max_concurrency"]) == (1000, 999, 2)
    assert 86_390_000 < limit["reset_after"] <= 86_400_000


async def test_a_shard_that_identifies_too_soon_is_told_so_and_may_try_again(
    dial: Any, standin: DiscordStandIn
) -> None:
    standin.gateway.identifies.max_concurrency, standin.gateway.identifies.pace_seconds = 2, 3600
    first, other_key, same_key = [await dial() for _ in range(3)]
    await first.identify(0, shard=[0, 4])
    await other_key.identify(0, shard=[1, 4])
    again = {"token": same_key.token, "intents": 0, "properties": {}, "shard": [2, 4]}
    await same_key.say(2, again)
    assert (await same_key.next())["op"] == 10
    refused = await same_key.next()
    assert (refused["op"], refused["d"]) == (9, False)
    standin.gateway.identifies.pace_seconds = 0  # as if the time were over by now
    assert (await same_key.identify(0, shard=[2, 4]))["shard"] == [2, 4]
    assert standin.gateway.identifies.left == 996, "the refused one counts"


async def test_whoever_uses_up_a_day_of_them_gets_another_token(dial: Any, standin: DiscordStandIn) -> None:
    standin.gateway.identifies.total = 1
    first, second = await dial(), await dial()
    before = standin.state.bot_token
    await first.identify()
    await second.say(2, {"token": before, "intents": 0, "properties": {}})
    assert await second.closed() == 4004
    assert standin.gateway.sessions == {}
    assert await first.closed() == 4004
    assert standin.state.bot_token != before


async def test_too_many_servers_for_one_session_require_shards(
    dial: Any, standin: DiscordStandIn, world: World
) -> None:
    standin.gateway.guilds_a_session = 0
    whole, shard = await dial(), await dial()
    await whole.say(2, {"token": whole.token, "intents": 0, "properties": {}})
    assert await whole.closed() == 4011
    other = 1 - (int(world.guild.id) >> 22) % 2
    assert (await shard.identify(0, shard=[other, 2]))["guilds"] == []


async def test_being_kicked_and_invited_is_told(wire: Wire, standin: DiscordStandIn, world: World) -> None:
    await wire.identify()
    await wire.event("GUILD_CREATE")
    standin.kick_bot()
    assert await wire.event("GUILD_DELETE") == {"id": world.guild.id}
    standin.give_role(world.ada.id, world.gold.id)
    standin.add_bot()
    created = await wire.event("GUILD_CREATE")
    assert "unavailable" not in created
    own = next(role for role in created["roles"] if role.get("tags", {}).get("bot_id"))
    assert own["position"] == 1


async def test_a_cut_is_felt_by_the_client(wire: Wire, standin: DiscordStandIn) -> None:
    await wire.identify()
    await wire.event("GUILD_CREATE")
    standin.gateway.drop()
    async with asyncio.timeout(SOON):
        await wire.socket.receive()
    assert wire.socket.close_code == 1006
