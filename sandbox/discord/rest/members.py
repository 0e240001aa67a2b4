"""Members and their roles (docs, "Guild Resource")."""

from itertools import islice

from sandbox.discord import permissions
from sandbox.discord.errors import invalid, not_served, refusal
from sandbox.discord.member_requests import found_by_name
from sandbox.discord.objects import member_json
from sandbox.discord.rest.call import ApiCall, Route, snowflake
from sandbox.discord.state import Guild, Json, Member, Role

MOST_MEMBERS = 1000


def list_members(call: ApiCall) -> list[Json]:
    guild = call.guild()
    limit = call.number("limit", 1, 1, MOST_MEMBERS)
    after = int(snowflake(call.query.get("after", "0"), "after"))
    if "members" not in call.state.intents_allowed:
        # The portal's switch counts, whatever the gateway session asked for (docs, "List Guild Members").
        raise refusal(50001)
    return [member_json(guild.members[user_id]) for user_id in guild.ids_after(after, limit)]


def search_members(call: ApiCall) -> list[Json]:
    guild = call.guild()
    query = call.query.get("query", "")
    limit = call.number("limit", 1, 1, MOST_MEMBERS)
    if not query:
        raise invalid("query", "BASE_TYPE_REQUIRED", "This field is required")
    return [member_json(member) for member in islice(found_by_name(guild, query), limit)]


def get_member(call: ApiCall) -> Json:
    return member_json(call.member(call.guild()))


def edit_member(call: ApiCall) -> Json:
    guild = call.guild()
    form = call.form()
    member = call.member(guild)
    for key in form:
        if key not in ("roles", "nick"):
            raise not_served(f"PATCH of a member's {key}")
    wanted = _checked_roles(call, guild, member, form["roles"] or []) if "roles" in form else None
    if "nick" in form:
        _check_nick(call, guild, member)
    if wanted is not None:
        call.backend.changes.set_roles(guild, member, wanted, call.actor)
    if "nick" in form:
        call.backend.changes.update_member(guild, member, call.actor, nick=form["nick"] or None)
    return member_json(member)


def edit_myself(call: ApiCall) -> Json:
    guild = call.guild_where(permissions.CHANGE_NICKNAME)
    form = call.form()
    if set(form) != {"nick"}:
        raise not_served("PATCH of the bot's own member but for its nick")
    call.backend.changes.update_member(guild, call.me(guild), call.actor, nick=form["nick"] or None)
    return member_json(call.me(guild))


def _checked_roles(call: ApiCall, guild: Guild, member: Member, raw: object) -> frozenset[str]:
    call.guild_where(permissions.MANAGE_ROLES)
    if not isinstance(raw, list):
        raise invalid("roles", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    wanted = frozenset(snowflake(role_id, f"roles.{index}") for index, role_id in enumerate(raw)) - {guild.id}
    for role_id in wanted:
        if role_id not in guild.roles:
            raise refusal(10011)
    for role_id in wanted ^ member.role_ids:
        _assignable(call, guild, guild.roles[role_id])
    return wanted


def _assignable(call: ApiCall, guild: Guild, role: Role) -> Role:
    if not permissions.is_assignable(guild, call.me(guild), role):
        raise refusal(50013)
    return role


def _check_nick(call: ApiCall, guild: Guild, member: Member) -> None:
    call.guild_where(permissions.MANAGE_NICKNAMES)
    nick = call.form()["nick"]
    if nick is not None and (not isinstance(nick, str) or len(nick) > 32):
        raise invalid("nick", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
    if member.id == guild.owner_id:
        raise refusal(50013)
    call.role_below_me(guild, permissions.top_role(guild, member))


def kick(call: ApiCall) -> None:
    guild = call.guild_where(permissions.KICK_MEMBERS)
    member = call.member(guild)
    if member.id == guild.owner_id:
        raise refusal(50013)
    call.role_below_me(guild, permissions.top_role(guild, member))
    call.backend.changes.leave(guild, member, kicked_by=call.actor)


def _role_write(call: ApiCall) -> tuple[Guild, Member, Role]:
    guild = call.guild_where(permissions.MANAGE_ROLES)
    member = call.member(guild)
    role = call.role(guild)
    if role.id == guild.id:
        raise refusal(10011)
    return guild, member, _assignable(call, guild, role)


def give_role(call: ApiCall) -> None:
    guild, member, role = _role_write(call)
    call.backend.changes.set_roles(guild, member, member.role_ids | {role.id}, call.actor)


def take_role(call: ApiCall) -> None:
    guild, member, role = _role_write(call)
    call.backend.changes.set_roles(guild, member, member.role_ids - {role.id}, call.actor)


ROUTES = [
    Route("GET", "/guilds/{g}/members", list_members, "member_reads"),
    Route("GET", "/guilds/{g}/members/search", search_members, "member_reads"),
    Route("PATCH", "/guilds/{g}/members/@me", edit_myself, "member_edits"),
    Route("GET", "/guilds/{g}/members/{u}", get_member),
    Route("PATCH", "/guilds/{g}/members/{u}", edit_member, "member_edits"),
    Route("DELETE", "/guilds/{g}/members/{u}", kick, "member_edits"),
    Route("PUT", "/guilds/{g}/members/{u}/roles/{r}", give_role, "role_writes"),
    Route("DELETE", "/guilds/{g}/members/{u}/roles/{r}", take_role, "role_writes"),
]
