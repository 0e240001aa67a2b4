"""What people do by hand: told to the gateway, kept in the audit log, refused where Discord would refuse."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock import SandboxClock
from sandbox.discord import ActionError, DiscordStandIn, DiscordState, permissions
from sandbox.weather import Weather
from tests.sandbox.discord.conftest import Api, World

Act = Callable[[DiscordStandIn, World], object]


def roles_of(world: World) -> set[str]:
    return {world.guild.roles[role_id].name for role_id in world.guild.members[world.ada.id].role_ids}


def test_a_role_is_given_and_taken_by_the_owner(standin: DiscordStandIn, world: World) -> None:
    standin.give_role(int(world.ada.id), world.above.id)
    assert roles_of(world) == {"Above the bot"}
    standin.take_role(world.ada.id, int(world.above.id))
    assert roles_of(world) == set()
    assert [entry.user_id for entry in world.guild.audit_log] == [world.owner.id] * 2


@pytest.mark.parametrize(
    ("act", "refusal"),
    [
        (lambda s, w: s.give_role("1", w.gold.id), "no user 1"),
        (lambda s, w: s.give_role(w.ada.id, "1"), "no role 1"),
        (lambda s, w: s.give_role(w.ada.id, w.state.bot_role(w.guild).id), "by hand"),
        (lambda s, w: s.give_role(w.ada.id, w.guild.id), "by hand"),
        (lambda s, w: s.join(w.ada.id), "already"),
        (lambda s, w: s.leave(w.owner.id), "cannot leave"),
        (lambda s, w: s.finish_screening(w.ada.id), "already"),
        (lambda s, w: s.edit_role(w.gold.id, position=3), "no position"),
        (lambda s, w: s.move_role(w.gold.id, 0), "bottom"),
        (lambda s, w: s.delete_role(w.guild.id), "cannot be deleted"),
        (lambda s, w: s.add_bot(), "already"),
        (lambda s, w: s.join(w.ada.id, "1"), "no server 1"),
        (lambda s, w: s.kick_patreons_bot(), "no user"),
        (lambda s, w: [s.add_patreons_bot(), s.add_patreons_bot()], "already"),
    ],
)
def test_it_is_refused_in_words(standin: DiscordStandIn, world: World, act: Act, refusal: str) -> None:
    with pytest.raises(ActionError, match=refusal):
        act(standin, world)


def test_who_leaves_and_comes_back_has_no_roles(standin: DiscordStandIn, world: World, clock: SandboxClock) -> None:
    standin.give_role(world.ada.id, world.gold.id)
    standin.leave(world.ada.id)
    clock.move(timedelta(days=2))
    standin.join(world.ada.id, pending=True)
    member = world.guild.members[world.ada.id]
    assert (member.role_ids, member.pending) == (frozenset(), True)
    assert member.joined_at > datetime.now(UTC) + timedelta(days=1)
    standin.finish_screening(world.ada.id)
    assert not world.guild.members[world.ada.id].pending


def test_a_deleted_role_is_gone_from_everyone(standin: DiscordStandIn, world: World) -> None:
    standin.give_role(world.ada.id, world.gold.id)
    standin.delete_role(world.gold.id)
    assert roles_of(world) == set()


async def test_a_role_moved_above_the_bot_can_no_longer_be_given(
    standin: DiscordStandIn, world: World, api: Api
) -> None:
    own = world.state.bot_role(world.guild)
    assert own
    standin.move_role(world.gold.id, own.position + 1)
    assert (await api("PUT", f"{world.member}/roles/{world.gold.id}")).code == 50013


def test_patreons_own_bot_comes_with_a_role_right_below_ours_and_goes_with_it(
    standin: DiscordStandIn, world: World
) -> None:
    role = standin.add_patreons_bot()
    ours = world.state.bot_role(world.guild)
    assert ours is not None
    assert permissions.rank(world.gold) < permissions.rank(role) < permissions.rank(ours)
    assert (role.managed, role.permissions) == (True, permissions.MANAGE_ROLES)
    member = world.guild.members[role.tags["bot_id"]]
    assert (member.user.is_bot, member.role_ids) == (True, frozenset({role.id}))
    standin.kick_patreons_bot()
    assert (member.id in world.guild.members, role.id in world.guild.roles) == (False, False)
    assert standin.add_patreons_bot(position=1).position == 1


async def test_the_bot_is_told_that_a_server_asks_for_two_factors_and_not_who_has_them(
    standin: DiscordStandIn, world: World
) -> None:
    heard: list[str] = []
    dispatch = standin.changes.gateway.dispatch

    def note(event: str, *args: object, **named: object) -> None:
        heard.append(event)
        dispatch(event, *args, **named)  # type: ignore[arg-type]

    standin.changes.gateway.dispatch = note  # type: ignore[method-assign]
    standin.set_2fa(is_required=True, owner_has_it=False)
    assert heard == ["GUILD_UPDATE"]
    standin.set_2fa(is_required=True, owner_has_it=True)
    assert heard == ["GUILD_UPDATE"]
    assert world.state.application.owner_has_2fa


async def test_reasons_are_in_the_audit_log(standin: DiscordStandIn, world: World, api: Api) -> None:
    standin.set_bot_permissions(permissions.BOT_DEFAULT | permissions.VIEW_AUDIT_LOG)
    path = f"{world.member}/roles/{world.gold.id}"
    await api("PUT", path, headers={"X-Audit-Log-Reason": "pledge%20of%20Ada%20%E2%9C%93"})
    log = (await api("GET", f"/guilds/{world.guild.id}/audit-logs?action_type=25")).body["audit_log_entries"]
    assert [(entry["reason"], entry["target_id"]) for entry in log] == [("pledge of Ada ✓", world.ada.id)]
    assert log[0]["changes"] == [{"key": "$add", "new_value": [{"id": world.gold.id, "name": "Gold"}]}]
    too_long = await api("DELETE", path, headers={"X-Audit-Log-Reason": "x" * 513})
    assert too_long.code == 50035


def test_every_change_is_announced(standin: DiscordStandIn, world: World) -> None:
    heard: list[bool] = []
    standin.on_change(lambda: heard.append(True))
    standin.give_role(world.ada.id, world.gold.id)
    standin.give_role(world.ada.id, world.gold.id)
    standin.set_dms(world.ada.id, is_open=False)
    assert len(heard) == 2


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        state = DiscordState(clock=SandboxClock(), seed=seed)
        guild = state.add_guild("G", "owner")
        state.add_role(guild, "R")
        return [*state.users, *state.guilds, *guild.roles, *guild.channels]

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)
    assert len(set(ids(7))) == len(ids(7)) - 1  # @everyone has the guild's


def test_a_bot_token_is_fresh_each_time() -> None:
    assert DiscordState().bot_token != DiscordState().bot_token


async def test_starting_and_stopping_often_leaves_nothing_behind(clock: SandboxClock, world: World) -> None:
    before = asyncio.all_tasks()
    for _ in range(10):
        standin = DiscordStandIn(world.state, clock=clock, weather=Weather())
        await standin.start()
        await standin.stop()
    assert asyncio.all_tasks() == before
