"""Faults that last: they hold until they are switched off, and leave the server as it was."""

import asyncio

import aiohttp
import pytest

from sandbox.discord import permissions
from sandbox.main import Options, Sandbox
from sandbox.weather import Fault


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(with_bot=False))


def can_give(sandbox: Sandbox, name: str) -> bool:
    guild = sandbox.world.guild
    me = guild.members[sandbox.world.discord.bot.id]
    role = next(role for role in guild.roles.values() if role.name == name)
    may = bool(permissions.guild_permissions(guild, me) & permissions.MANAGE_ROLES)
    return may and permissions.is_assignable(guild, me, role)


def picture(sandbox: Sandbox) -> dict[str, tuple[int, int]]:
    return {role.id: (role.position, role.permissions) for role in sandbox.world.guild.roles.values()}


@pytest.mark.parametrize(
    ("fault", "route", "lost", "kept"),
    [
        pytest.param("role_above_bot", "Gold", {"Gold"}, {"Silver", "Bronze"}, id="a role above the bot"),
        pytest.param("permission_lost", "/", {"Gold", "Silver", "Bronze"}, set(), id="the permission lost"),
    ],
)
def test_a_lasting_fault_holds_until_it_is_switched_off(
    sandbox: Sandbox, fault: str, route: str, lost: set[str], kept: set[str]
) -> None:
    before = picture(sandbox)
    sandbox.weather.set(Fault("discord", route, fault))
    assert {name for name in ("Gold", "Silver", "Bronze") if can_give(sandbox, name)} == kept
    sandbox.weather.switch_off("discord", fault)
    assert picture(sandbox) == before
    assert all(can_give(sandbox, name) for name in lost)


def test_without_a_name_the_highest_role_below_the_bot_is_raised(sandbox: Sandbox) -> None:
    sandbox.weather.set(Fault("discord", "/", "role_above_bot"))
    assert not can_give(sandbox, "Moderator")
    assert can_give(sandbox, "Gold")
    sandbox.weather.clear()
    assert can_give(sandbox, "Moderator")


async def test_one_of_two_parallel_writes_is_lost() -> None:
    async with Sandbox(Options(with_bot=False)) as running, aiohttp.ClientSession() as http:
        guild = running.world.guild
        hazel = next(m for m in guild.members.values() if m.user.username == "hazel.hollow")
        roles = {role.name: role.id for role in guild.roles.values()}
        headers = {"Authorization": f"Bot {running.world.discord.bot_token}"}
        running.weather.set(Fault("discord", "PUT /guilds/*/roles/*", "parallel_write_lost", times=1))
        before = hazel.role_ids

        async def give(name: str) -> int:
            url = f"{running.discord.url}/guilds/{guild.id}/members/{hazel.id}/roles/{roles[name]}"
            async with http.put(url, headers=headers) as answer:
                return answer.status

        statuses = await asyncio.gather(give("Gold"), give("Silver"))
        assert list(statuses) == [204, 204]
        assert len(hazel.role_ids - before) == 1
