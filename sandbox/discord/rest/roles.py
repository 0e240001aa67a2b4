"""Roles of a guild (docs, "Guild Resource", "Get Guild Roles" and after)."""

from collections import Counter
from typing import Any

from sandbox.discord import permissions
from sandbox.discord.errors import Problems, invalid, not_served, refusal
from sandbox.discord.objects import role_json
from sandbox.discord.rest.call import ApiCall, Route, snowflake
from sandbox.discord.state import Guild, Json, Role

MOST_ROLES = 250
MOST_NAME = 100
MOST_COLOUR = 0xFFFFFF
NOT_SERVED = ("icon", "unicode_emoji", "secondary_color", "tertiary_color")


def list_roles(call: ApiCall) -> list[Json]:
    return [role_json(role) for role in call.guild().roles.values()]


def get_role(call: ApiCall) -> Json:
    guild = call.guild()
    return role_json(call.role(guild))


def count_members(call: ApiCall) -> dict[str, int]:
    guild = call.guild()
    counted = Counter(role_id for member in guild.members.values() for role_id in member.role_ids)
    return {role_id: counted[role_id] for role_id in guild.roles if role_id != guild.id}


def create_role(call: ApiCall) -> Json:
    guild = call.guild_where(permissions.MANAGE_ROLES)
    if len(guild.roles) >= MOST_ROLES:
        raise refusal(30005)
    # New roles land at the bottom; positions may repeat, the lower id ranks higher.
    role = Role(call.state.ids.seeded(), "new role", guild.roles[guild.id].permissions)
    for field, value in _read(call, guild, call.form()).items():
        setattr(role, field, value)
    call.backend.changes.create_role(guild, role, call.actor)
    return role_json(role)


def edit_role(call: ApiCall) -> Json:
    guild = call.guild_where(permissions.MANAGE_ROLES)
    role = call.role_below_me(guild, call.role(guild))
    call.backend.changes.update_role(guild, role, call.actor, **_read(call, guild, call.form()))
    return role_json(role)


def delete_role(call: ApiCall) -> None:
    guild = call.guild_where(permissions.MANAGE_ROLES)
    role = call.role_below_me(guild, call.role(guild))
    if role.id == guild.id or role.managed:
        raise refusal(50028)
    call.backend.changes.delete_role(guild, role, call.actor)


def move_roles(call: ApiCall) -> list[Json]:
    guild = call.guild_where(permissions.MANAGE_ROLES)
    mine = permissions.top_role(guild, call.me(guild))
    for role, position in _moves(call, guild):
        call.role_below_me(guild, role)
        if position >= mine.position and guild.owner_id != call.me(guild).id:
            raise refusal(50013)
        call.backend.changes.update_role(guild, role, call.actor, position=position)
    return list_roles(call)


def _moves(call: ApiCall, guild: Guild) -> list[tuple[Role, int]]:
    if not isinstance(call.body, list):
        raise invalid("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    ids = [str(move.get("id")) for move in call.body]
    if len(set(ids)) < len(ids):
        raise invalid("", "BASE_TYPE_NOT_UNIQUE", "Each role may be named once")
    moves = []
    for index, move in enumerate(call.body):
        role = guild.roles.get(snowflake(move.get("id"), f"{index}.id"))
        if role is None or role.id == guild.id:
            raise refusal(10011)
        if isinstance(move.get("position"), int):
            moves.append((role, move["position"]))
    return moves


def _read(call: ApiCall, guild: Guild, form: Json) -> dict[str, Any]:
    """Return the fields of a role that the form changes; the bot cannot give rights that it lacks."""
    problems = Problems()
    problems.text("name", form.get("name"), high=MOST_NAME)
    bits = form.get("permissions")
    if bits is not None and not str(bits).isdecimal():
        problems.add("permissions", "BITFIELD_TYPE_COERCE", f'Value "{bits}" is not a bitfield.')
    colours = form.get("colors") or {}
    problems.number("color", form.get("color"), 0, MOST_COLOUR)
    problems.number("colors.primary_color", colours.get("primary_color"), 0, MOST_COLOUR)
    problems.refuse_if_any()
    for key in NOT_SERVED:
        if form.get(key) is not None or colours.get(key) is not None:
            raise not_served(f"a role's {key}")
    new: dict[str, Any] = {key: form[key] for key in ("name", "hoist", "mentionable") if form.get(key) is not None}
    colour = colours.get("primary_color", form.get("color"))
    if colour is not None:
        new["colour"] = colour
    if bits is not None:
        has = permissions.guild_permissions(guild, call.me(guild))
        if int(bits) & ~has & ~permissions.EVERYONE_DEFAULT:
            raise refusal(50013)
        new["permissions"] = int(bits)
    return new


ROUTES = [
    Route("GET", "/guilds/{g}/roles", list_roles),
    Route("POST", "/guilds/{g}/roles", create_role, "role_edits"),
    Route("PATCH", "/guilds/{g}/roles", move_roles, "role_edits"),
    Route("GET", "/guilds/{g}/roles/member-counts", count_members),
    Route("GET", "/guilds/{g}/roles/{r}", get_role),
    Route("PATCH", "/guilds/{g}/roles/{r}", edit_role, "role_edits"),
    Route("DELETE", "/guilds/{g}/roles/{r}", delete_role, "role_edits"),
]
