"""What can be done to the server by hand: each act of the stand-in Discord under its name, with its fields read."""

from collections.abc import Callable
from typing import Any

from sandbox.page.body import Refused, flag_of, number_of, text_of
from sandbox.page.parts import Parts

Body = dict[str, Any]
Act = Callable[[Parts, Body], dict[str, Any]]
ROLE_CHANGES = frozenset({"name", "permissions", "colour", "managed", "hoist", "mentionable"})


def _user(parts: Parts, body: Body) -> str:
    return person_id(parts, text_of(body, "user"))


def person_id(parts: Parts, asked: str) -> str:
    """Return the id of a user, given as one or as a username."""
    users = parts.discord.state.users
    if asked in users or any(asked in guild.roles for guild in parts.discord.state.guilds.values()):
        return asked
    for user in users.values():
        if user.username == asked:
            return user.id
    raise Refused(f"nobody at Discord has the id or username {asked!r}")


def _role(parts: Parts, body: Body) -> str:
    """Return the id of a role, given as one or as a name."""
    asked = text_of(body, "role")
    for guild in parts.discord.state.guilds.values():
        for role in guild.roles.values():
            if asked in (role.id, role.name):
                return role.id
    raise Refused(f"no role has the id or name {asked!r}")


def _guild(parts: Parts, body: Body) -> str:
    return str(body.get("guild") or parts.world.guild.id)


def _give_role(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.give_role(_user(parts, body), _role(parts, body), _guild(parts, body))
    return {}


def _take_role(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.take_role(_user(parts, body), _role(parts, body), _guild(parts, body))
    return {}


def _join(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.join(_user(parts, body), _guild(parts, body), pending=flag_of(body, "pending"))
    return {}


def _leave(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.leave(_user(parts, body), _guild(parts, body))
    return {}


def _finish_screening(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.finish_screening(_user(parts, body), _guild(parts, body))
    return {}


def _create_role(parts: Parts, body: Body) -> dict[str, Any]:
    name, colour = text_of(body, "name"), int(number_of(body, "colour", 0))
    role = parts.discord.create_role(
        name,
        _guild(parts, body),
        colour=colour,
        permissions=int(number_of(body, "permissions", 0)),
        position=int(number_of(body, "position", 1)),
        managed=flag_of(body, "managed"),
    )
    return {"role": role.id}


def _edit_role(parts: Parts, body: Body) -> dict[str, Any]:
    changes = {name: body[name] for name in ROLE_CHANGES if name in body}
    for name in changes.keys() & {"permissions", "colour"}:
        changes[name] = int(number_of(changes, name))
    parts.discord.edit_role(_role(parts, body), **changes)
    return {}


def _move_role(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.move_role(_role(parts, body), int(number_of(body, "position")))
    return {}


def _delete_role(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.delete_role(_role(parts, body))
    return {}


def _set_bot_permissions(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.set_bot_permissions(int(number_of(body, "permissions")), _guild(parts, body))
    return {}


def _kick_bot(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.kick_bot(_guild(parts, body))
    return {}


def _add_bot(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.add_bot(_guild(parts, body))
    return {}


def _add_patreons_bot(parts: Parts, body: Body) -> dict[str, Any]:
    position = int(number_of(body, "position")) if "position" in body else None
    return {"role": parts.discord.add_patreons_bot(_guild(parts, body), position=position).id}


def _kick_patreons_bot(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.kick_patreons_bot(_guild(parts, body))
    return {}


def _set_dms(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.set_dms(_user(parts, body), is_open=flag_of(body, "open", default=True))
    return {}


def _set_locale(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.set_locale(_user(parts, body), text_of(body, "locale"))
    return {}


def _set_preferred_locale(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.set_preferred_locale(text_of(body, "locale"), _guild(parts, body))
    return {}


def _set_2fa(parts: Parts, body: Body) -> dict[str, Any]:
    required, has_it = flag_of(body, "required", default=True), flag_of(body, "owner_has_it")
    parts.discord.set_2fa(_guild(parts, body), is_required=required, owner_has_it=has_it)
    return {}


def _set_outage(parts: Parts, body: Body) -> dict[str, Any]:
    parts.discord.set_outage(_guild(parts, body), is_out=flag_of(body, "out", default=True))
    return {}


SERVER_ACTS: dict[str, Act] = {
    "give_role": _give_role,
    "take_role": _take_role,
    "join": _join,
    "leave": _leave,
    "finish_screening": _finish_screening,
    "create_role": _create_role,
    "edit_role": _edit_role,
    "move_role": _move_role,
    "delete_role": _delete_role,
    "set_bot_permissions": _set_bot_permissions,
    "kick_bot": _kick_bot,
    "add_bot": _add_bot,
    "add_patreons_bot": _add_patreons_bot,
    "kick_patreons_bot": _kick_patreons_bot,
    "set_dms": _set_dms,
    "set_locale": _set_locale,
    "set_preferred_locale": _set_preferred_locale,
    "set_2fa": _set_2fa,
    "set_outage": _set_outage,
}
