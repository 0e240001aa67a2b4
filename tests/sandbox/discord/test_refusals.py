"""What Discord refuses over REST, with its status and its code."""

import asyncio
from typing import Any

import pytest

from sandbox.discord import DiscordStandIn, permissions
from tests.sandbox.discord.conftest import Api, World

NOBODY = "111111111111111111"

# Path parts: {g} guild, {u} Ada, {n} nobody, {s} a stranger, {gold} {above} {managed} roles, {c} channel.
REFUSED = [
    ("GET", "/guilds/{n}", 404, 10004),
    ("GET", "/guilds/{other}", 403, 50001),
    ("GET", "/guilds/not-a-number", 400, 50035),
    ("GET", "/users/{n}", 404, 10013),
    ("GET", "/guilds/{g}/members/{s}", 404, 10007),
    ("GET", "/guilds/{g}/members/{n}", 404, 10013),
    ("PUT", "/guilds/{g}/members/{u}/roles/{above}", 403, 50013),
    ("DELETE", "/guilds/{g}/members/{u}/roles/{above}", 403, 50013),
    ("PUT", "/guilds/{g}/members/{u}/roles/{managed}", 403, 50013),
    ("PUT", "/guilds/{g}/members/{u}/roles/{g}", 404, 10011),
    ("PUT", "/guilds/{g}/members/{u}/roles/{n}", 404, 10011),
    ("PUT", "/guilds/{g}/members/{s}/roles/{gold}", 404, 10007),
    ("PUT", "/guilds/{g}/members/{n}/roles/{gold}", 404, 10013),
    ("PATCH", "/guilds/{g}/roles/{above}", 403, 50013),
    ("DELETE", "/guilds/{g}/roles/{above}", 403, 50013),
    ("DELETE", "/guilds/{g}/roles/{managed}", 400, 50028),
    ("GET", "/guilds/{g}/roles/{n}", 404, 10011),
    ("POST", "/guilds/{g}/channels", 403, 50013),
    ("DELETE", "/guilds/{g}/members/{u}", 403, 50013),
    ("GET", "/guilds/{g}/audit-logs", 403, 50013),
    ("GET", "/guilds/{g}/members?limit=1001", 400, 50035),
    ("GET", "/guilds/{g}/members?limit=0", 400, 50035),
    ("GET", "/guilds/{g}/members/search", 400, 50035),
    ("GET", "/channels/{n}", 404, 10003),
    ("GET", "/channels/{c}/messages/{n}", 404, 10008),
    ("PATCH", "/channels/{c}", 403, 50013),
    ("GET", "/applications/{n}/commands", 403, 20012),
    ("GET", "/applications/{a}/commands/{n}", 404, 10063),
    ("POST", "/interactions/{n}/token/callback", 404, 10062),
    ("POST", "/webhooks/{a}/token", 404, 10015),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), REFUSED, ids=[f"{m} {p} {c}" for m, p, _, c in REFUSED])
async def test_it_is_refused_as_discord_does(  # noqa: PLR0917  fixtures and a table
    world: World, api: Api, method: str, path: str, status: int, code: int
) -> None:
    state, guild = world.state, world.guild
    filled = path.format(
        g=guild.id,
        u=world.ada.id,
        n=NOBODY,
        s=state.add_user("stranger").id,
        other=state.add_guild("Elsewhere", "someone", with_bot=False).id,
        gold=world.gold.id,
        above=world.above.id,
        managed=state.add_role(guild, "Booster", managed=True).id,
        c=world.channel.id,
        a=state.application.id,
    )
    body: dict[str, Any] | None = None if method in ("GET", "PUT", "DELETE") else {}
    reply = await api(method, filled, json=body)
    assert (reply.status, reply.code) == (status, code)
    assert reply.headers["Content-Type"] == "application/json"
    assert world.guild.members[world.ada.id].role_ids == frozenset()


@pytest.mark.parametrize("token", ["", "Bot wrong", "Bearer user"])
async def test_a_wrong_token_is_unauthorized(api: Api, token: str) -> None:
    reply = await api("GET", "/users/@me", token=token)
    assert (reply.status, reply.body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_a_missing_user_agent_is_turned_away(api: Api) -> None:
    assert (await api("GET", "/users/@me", headers={"User-Agent": ""})).code == 40333


@pytest.mark.parametrize(
    "path", ["/guilds/1/bans", "/stickers/1", "/applications/@me/emojis", "/channels/1/messages/pins"]
)
async def test_what_is_not_served_says_so(api: Api, standin: DiscordStandIn, path: str) -> None:
    reply = await api("GET", path)
    assert reply.status == 501
    assert reply.body["message"] == f"The stand-in Discord does not serve GET {path}"
    assert standin.calls[-1].route == "GET (not served)"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"color": 0x1000000}, 400),
        ({"color": -1}, 400),
        ({"colors": {"primary_color": 0x1000000}}, 400),
        ({"colors": {"primary_color": 1, "secondary_color": 2}}, 501),
        ({"unicode_emoji": "x"}, 501),
        ({"icon": "data:"}, 501),
        ({"colors": {"primary_color": 0xFFFFFF, "secondary_color": None}, "icon": None}, 200),
    ],
    ids=str,
)
async def test_no_look_of_a_role_is_dropped_in_silence(world: World, api: Api, form: Any, status: int) -> None:
    reply = await api("PATCH", f"/guilds/{world.guild.id}/roles/{world.gold.id}", json=form)
    assert reply.status == status


async def test_a_role_is_moved_once_in_one_call(world: World, api: Api) -> None:
    twice = [{"id": world.gold.id, "position": 1}, {"id": world.gold.id, "position": 2}]
    assert (await api("PATCH", f"/guilds/{world.guild.id}/roles", json=twice)).code == 50035


async def test_a_servers_permissions_for_a_global_command_are_nobodys_to_set_but_a_persons(
    world: World, api: Api
) -> None:
    commands = f"/applications/{world.state.application.id}/commands"
    made = (await api("POST", commands, json={"name": "hi", "description": "d"})).body["id"]
    path = f"/applications/{world.state.application.id}/guilds/{world.guild.id}/commands/{made}/permissions"
    assert (await api("GET", path)).code == 10066
    assert (await api("PUT", path, json={"permissions": []})).code == 20001


async def test_a_role_at_the_bots_position_ranks_by_its_lower_id(world: World, api: Api) -> None:
    state, guild = world.state, world.guild
    older = state.add_role(guild, "Older", position=90)
    mine = state.add_role(guild, "The bot's highest", position=90)
    newer = state.add_role(guild, "Newer", position=90)
    guild.members[state.bot.id].role_ids |= {mine.id}
    assert int(older.id) < int(mine.id) < int(newer.id)
    statuses = [(await api("PUT", f"{world.member}/roles/{role.id}")).status for role in (older, mine, newer)]
    assert statuses == [403, 403, 204]


async def test_administrator_does_not_pass_the_role_order(world: World, api: Api, standin: DiscordStandIn) -> None:
    standin.set_bot_permissions(permissions.ADMINISTRATOR)
    assert (await api("PUT", f"{world.member}/roles/{world.above.id}")).code == 50013


async def test_without_manage_roles_no_role_can_be_given(world: World, api: Api, standin: DiscordStandIn) -> None:
    standin.set_bot_permissions(permissions.VIEW_CHANNEL)
    assert (await api("PUT", f"{world.member}/roles/{world.gold.id}")).code == 50013


async def test_a_server_with_two_factors_asks_the_owner_for_them(world: World, api: Api) -> None:
    world.guild.requires_2fa = True
    assert (await api("PUT", f"{world.member}/roles/{world.gold.id}")).status == 204
    world.state.application.owner_has_2fa = False
    assert (await api("PUT", f"{world.member}/roles/{world.gold.id}")).code == 60003


async def test_the_member_list_needs_the_portals_switch(world: World, api: Api) -> None:
    world.state.intents_allowed.clear()
    assert (await api("GET", f"/guilds/{world.guild.id}/members")).code == 50001
    assert (await api("GET", f"{world.member}")).status == 200


async def test_setting_all_roles_checks_only_what_changes(world: World, api: Api, standin: DiscordStandIn) -> None:
    standin.give_role(world.ada.id, world.above.id)
    both = await api("PATCH", world.member, json={"roles": [int(world.above.id), int(world.gold.id)]})
    assert (both.status, set(both.body["roles"])) == (200, {world.above.id, world.gold.id})
    assert (await api("PATCH", world.member, json={"roles": [world.gold.id]})).code == 50013
    assert (await api("PATCH", world.member, json={"roles": [NOBODY]})).code == 10011


async def test_direct_messages_are_refused_where_discord_refuses_them(world: World, api: Api) -> None:
    stranger = world.state.add_user("stranger")

    async def write(user_id: str) -> int:
        opened = await api("POST", "/users/@me/channels", json={"recipient_id": int(user_id)})
        sent = await api("POST", f"/channels/{opened.body['id']}/messages", json={"content": "hi"})
        return sent.status if sent.status == 200 else sent.code

    assert await write(world.ada.id) == 200
    world.ada.dms_open = False
    assert await write(world.ada.id) == 50007
    assert await write(stranger.id) == 50278
    for wrong in (NOBODY, world.state.bot.id):
        assert (await api("POST", "/users/@me/channels", json={"recipient_id": wrong})).code == 50033


@pytest.mark.parametrize(
    ("missing", "body", "code"),
    [
        (permissions.VIEW_CHANNEL, {"content": "hi"}, 50001),
        (permissions.SEND_MESSAGES, {"content": "hi"}, 50013),
        (permissions.EMBED_LINKS, {"embeds": [{"title": "hi"}]}, 50013),
    ],
    ids=["not seen", "not writable", "no embeds"],
)
async def test_a_channel_that_denies_the_bot_refuses_it(
    world: World, api: Api, missing: int, body: dict[str, Any], code: int
) -> None:
    own = world.state.bot_role(world.guild)
    assert own
    path = f"/channels/{world.channel.id}/messages"
    assert (await api("POST", path, json=body)).status == 200
    world.state.deny(world.channel, own.id, missing)
    assert (await api("POST", path, json=body)).code == code


async def test_calls_are_noted_with_their_route(world: World, api: Api, standin: DiscordStandIn) -> None:
    await api("PUT", f"{world.member}/roles/{world.gold.id}", headers={"User-Agent": "ours/1"})
    call = standin.calls[-1]
    assert (call.method, call.route, call.status, call.user_agent) == (
        "PUT",
        "PUT /guilds/{g}/members/{u}/roles/{r}",
        204,
        "ours/1",
    )


async def test_members_come_in_pages_by_id(world: World, api: Api) -> None:
    for number in range(25):
        world.state.add_member(world.guild, world.state.add_user(f"m{number}"))
    seen: list[str] = []
    while page := (await api("GET", f"/guilds/{world.guild.id}/members?limit=10&after={(seen or ['0'])[-1]}")).body:
        seen += [member["user"]["id"] for member in page]
    assert seen == sorted(world.guild.members, key=int)


async def test_two_writes_at_once_both_count(world: World, api: Api) -> None:
    second = world.state.add_role(world.guild, "Silver")
    paths = [f"{world.member}/roles/{role.id}" for role in (world.gold, second)]
    await asyncio.gather(*(api("PUT", path) for path in paths))
    assert world.guild.members[world.ada.id].role_ids == {world.gold.id, second.id}
