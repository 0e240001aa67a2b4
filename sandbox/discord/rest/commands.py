"""Application commands, global and of one guild (docs, "Application Commands")."""

from typing import Any

from sandbox.discord.errors import Problems, refusal
from sandbox.discord.forms import commands
from sandbox.discord.rest.call import Answer, ApiCall, Route
from sandbox.discord.state import Json


def _scope(call: ApiCall) -> tuple[dict[str, Json], str | None]:
    """Return the registered commands that the path means, and their guild."""
    application = call.state.application
    if call.id("a") != application.id:
        raise refusal(20012)
    if "g" not in call.path:
        return application.commands, None
    guild = call.guild()
    return application.guild_commands.setdefault(guild.id, {}), guild.id


def list_commands(call: ApiCall) -> list[Json]:
    """Return the registered commands, in all languages if the query says so, else in the asker's (docs)."""
    registered = _scope(call)[0].values()
    if call.flag("with_localizations"):
        return list(registered)
    return [commands.in_one_language(command, call.locale) for command in registered]


def overwrite_commands(call: ApiCall) -> list[Json]:
    registered, guild_id = _scope(call)
    commands.check_all(call.body)
    before = {(c["type"], c["name"]): c for c in registered.values()}
    new = [_listed(call, body, guild_id, before.get(_key(body))) for body in call.body]
    registered.clear()
    registered.update((command["id"], command) for command in new)
    call.backend.changes.announce()
    return new


def create_command(call: ApiCall) -> Answer:
    registered, guild_id = _scope(call)
    body = call.form()
    _check(body)
    same = next((c for c in registered.values() if (c["type"], c["name"]) == _key(body)), None)
    command = _listed(call, body, guild_id, same)
    registered[command["id"]] = command
    call.backend.changes.announce()
    return Answer(200 if same else 201, command)


def get_command(call: ApiCall) -> Json:
    return _one(call)[1]


def edit_command(call: ApiCall) -> Json:
    registered, old = _one(call)
    body = old | call.form()
    _check(body)
    command = _listed(call, body, old.get("guild_id"), old)
    registered[old["id"]] = command
    call.backend.changes.announce()
    return command


def delete_command(call: ApiCall) -> None:
    registered, old = _one(call)
    del registered[old["id"]]
    call.backend.changes.announce()


def list_permissions(call: ApiCall) -> list[Json]:
    """Return no overrides: nobody can set any here."""
    _scope(call)
    return []


def get_permissions(call: ApiCall) -> Json:
    _check_known(call)
    raise refusal(10066)


def set_permissions(call: ApiCall) -> Json:
    """Refuse: only a person's Bearer token may (docs, "Edit Application Command Permissions")."""
    _check_known(call)
    raise refusal(20001)


def _check_known(call: ApiCall) -> None:
    """A guild may have its own permissions for its commands and for the global ones."""
    registered, _ = _scope(call)
    if call.id("x") not in registered.keys() | call.state.application.commands.keys():
        raise refusal(10063)


def _one(call: ApiCall) -> tuple[dict[str, Json], Json]:
    registered, _ = _scope(call)
    command = registered.get(call.id("x"))
    if command is None:
        raise refusal(10063)
    return registered, command


def _key(body: Json) -> tuple[int, str]:
    return commands.type_of(body), body.get("name", "")


def _check(body: Json) -> None:
    problems = Problems()
    commands.check(problems, "", body)
    problems.refuse_if_any()


def _listed(call: ApiCall, body: Json, guild_id: str | None, old: Json | None) -> Json:
    ids = call.state.ids
    now = call.state.clock.now()
    return commands.listed(
        body,
        command_id=old["id"] if old else ids.at(now),
        version=ids.at(now),
        application_id=call.state.application.id,
        guild_id=guild_id,
    )


def _routes(base: str) -> list[Route]:
    one = f"{base}/{{x}}"
    served: list[tuple[str, str, Any]] = [
        ("GET", base, list_commands),
        ("PUT", base, overwrite_commands),
        ("POST", base, create_command),
        ("GET", one, get_command),
        ("PATCH", one, edit_command),
        ("DELETE", one, delete_command),
    ]
    return [Route(method, template, handler, "commands") for method, template, handler in served]


GUILD_BASE = "/applications/{a}/guilds/{g}/commands"
ROUTES = [
    Route("GET", f"{GUILD_BASE}/permissions", list_permissions),
    *_routes("/applications/{a}/commands"),
    *_routes(GUILD_BASE),
    Route("GET", f"{GUILD_BASE}/{{x}}/permissions", get_permissions),
    Route("PUT", f"{GUILD_BASE}/{{x}}/permissions", set_permissions),
]
