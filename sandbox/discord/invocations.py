"""What a person types or presses -> the `data` of an interaction; refused where Discord's client would refuse it.

Pure: reads the state, sends nothing.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.discord import permissions
from sandbox.discord.errors import ActionError
from sandbox.discord.forms import commands, components
from sandbox.discord.locales import is_called, text_for
from sandbox.discord.objects import channel_json, member_facts, role_json, user_json
from sandbox.discord.state import Channel, DiscordState, Guild, Json, User

GUILD_CONTEXT, BOT_DM_CONTEXT = 0, 1
GUILD_INSTALL = 0
INTEGER_LIMIT = 2**53


@dataclass(frozen=True, slots=True)
class Place:
    """Who acts, and where."""

    state: DiscordState
    user: User
    channel: Channel

    @property
    def guild(self) -> Guild | None:
        return self.state.guilds.get(self.channel.guild_id or "")


def find_command(place: Place, path: str) -> tuple[Json, list[str]]:
    """Return the command that `path` names and the words after its name; refused where it cannot be used."""
    name, *rest = path.strip().removeprefix("/").split()
    locale = place.user.locale
    command = next((one for one in _registered(place).values() if is_called(one, name, locale)), None)
    if command is None:
        raise ActionError(f"there is no command /{name}")
    _check_usable(place, command)
    return command, rest


def offered_commands(place: Place) -> list[Json]:
    """Return the commands that Discord's client offers to this person here."""
    return [command for command in _registered(place).values() if _is_usable(place, command)]


def _registered(place: Place) -> dict[str, Json]:
    """Return the slash commands here by name; guild commands win over global ones."""
    application, guild = place.state.application, place.guild
    found = list(application.commands.values())
    if guild is not None:
        if place.state.bot.id not in guild.members:
            raise ActionError("the bot is not in this server, so it has no commands here")
        found += application.guild_commands.get(guild.id, {}).values()
    return {command["name"]: command for command in found if command["type"] == commands.CHAT_INPUT}


def _is_usable(place: Place, command: Json) -> bool:
    try:
        _check_usable(place, command)
    except ActionError:
        return False
    return True


def _check_usable(place: Place, command: Json) -> None:
    contexts, guild = command.get("contexts"), place.guild
    here = BOT_DM_CONTEXT if guild is None else GUILD_CONTEXT
    allowed_here = command.get("dm_permission", True) if guild is None else True
    if here not in contexts if contexts is not None else not allowed_here:
        raise ActionError(f"/{command['name']} cannot be used here")
    if guild is None:
        return
    if GUILD_INSTALL not in command.get("integration_types", [GUILD_INSTALL]):
        raise ActionError(f"/{command['name']} is not for servers")
    member = guild.members.get(place.user.id)
    if member is None:
        raise ActionError("this person is not in the server")
    has = permissions.channel_permissions(guild, member, place.channel)
    needed = command["default_member_permissions"]
    if not has & permissions.USE_APPLICATION_COMMANDS:
        raise ActionError("this person may not use commands in this channel")
    # "0" means administrators alone (docs, "Permissions" of application commands).
    if needed is not None and has != permissions.ALL and (needed == "0" or has & int(needed) != int(needed)):
        raise ActionError(f"this person may not use /{command['name']}: it needs permissions that they lack")


class Typed:
    """A command as a person filled it in: `data` for INTERACTION_CREATE."""

    def __init__(self, place: Place, path: str, options: dict[str, Any], *, focused: str | None = None) -> None:
        self.place = place
        self.locale = place.user.locale
        self.resolved: dict[str, Json] = {}
        command, words = find_command(place, path)
        self.data: Json = {"id": command["id"], "name": command["name"], "type": 1}
        if command.get("guild_id"):
            self.data["guild_id"] = command["guild_id"]
        target = self.data
        definition = command
        for word in words:
            definition = self._step(definition, word)
            step: Json = {"name": definition["name"], "type": definition["type"]}
            target["options"] = [step]
            target = step
        known = {option["name"]: option for option in definition.get("options") or []}
        given = {self._own_name(known, name): value for name, value in options.items()}
        self.focused = self._own_name(known, focused) if focused is not None else None
        target["options"] = self._fill(definition, known, given)
        if self.resolved:
            self.data["resolved"] = self.resolved

    def _step(self, definition: Json, word: str) -> Json:
        for option in definition.get("options") or []:
            if is_called(option, word, self.locale) and option["type"] in (commands.SUBCOMMAND, commands.GROUP):
                return dict(option)
        raise ActionError(f"/{definition['name']} has no sub-command {word}")

    def _own_name(self, known: dict[str, Json], name: str) -> str:
        """Return the own name of the option that the person knows by `name`."""
        return next((own for own, option in known.items() if is_called(option, name, self.locale)), name)

    def _fill(self, definition: Json, known: dict[str, Json], given: dict[str, Any]) -> list[Json]:
        if any(o["type"] in (commands.SUBCOMMAND, commands.GROUP) for o in known.values()):
            raise ActionError(f"/{definition['name']} needs a sub-command: {', '.join(known)}")
        for name in given:
            if name not in known:
                raise ActionError(f"/{definition['name']} has no option {name}; it has {', '.join(known) or 'none'}")
        filled = []
        for name, option in known.items():
            if name == self.focused:
                kind, text = option["type"], str(given.get(name, ""))
                filled.append({"name": name, "type": kind, "value": text, "focused": True})
            elif name in given:
                value = self._value(option, given[name])
                filled.append({"name": name, "type": option["type"], "value": value})
            elif option.get("required") and self.focused is None:
                raise ActionError(f"the option {name} is required")
        self._check_focus(known)
        return filled

    def _check_focus(self, known: dict[str, Json]) -> None:
        if self.focused is not None and not known.get(self.focused, {}).get("autocomplete"):
            raise ActionError(f"the option {self.focused} has no autocomplete")

    def _value(self, option: Json, raw: Any) -> Any:
        kind, name = option["type"], option["name"]
        if kind == commands.STRING:
            return self._text(option, str(raw))
        if kind in (commands.INTEGER, commands.NUMBER):
            return self._number(option, raw)
        if kind == commands.BOOLEAN:
            return truth(name, raw)
        if kind in (commands.USER, commands.ROLE, commands.CHANNEL, commands.MENTIONABLE):
            return self._entity(option, str(raw))
        raise ActionError(f"the option {name} takes an attachment, which cannot be given here")

    def _text(self, option: Json, text: str) -> str:
        low, high = option.get("min_length", 0), option.get("max_length", 6000)
        if not low <= len(text) <= high:
            raise ActionError(f"the option {option['name']} takes {low} to {high} characters")
        return str(chosen(option, text, self.locale))

    def _number(self, option: Json, raw: Any) -> int | float:
        try:
            value = int(str(raw)) if option["type"] == commands.INTEGER else float(str(raw))
        except ValueError:
            raise ActionError(f"the option {option['name']} takes a number") from None
        low, high = option.get("min_value", -INTEGER_LIMIT), option.get("max_value", INTEGER_LIMIT)
        if not low <= value <= high:
            raise ActionError(f"the option {option['name']} takes {low} to {high}")
        chosen(option, value, self.locale)
        return value

    def _entity(self, option: Json, entity_id: str) -> str:
        kind = option["type"]
        found = (
            (kind in (commands.USER, commands.MENTIONABLE) and self.resolve_user(entity_id))
            or (kind in (commands.ROLE, commands.MENTIONABLE) and self.resolve_role(entity_id))
            or (kind == commands.CHANNEL and self.resolve_channel(entity_id, option.get("channel_types")))
        )
        if not found:
            raise ActionError(f"the option {option['name']}: nothing here has the id {entity_id}")
        return entity_id

    def resolve_user(self, user_id: str) -> bool:
        return resolve_user(self.place, self.resolved, user_id)

    def resolve_role(self, role_id: str) -> bool:
        return resolve_role(self.place, self.resolved, role_id)

    def resolve_channel(self, channel_id: str, types: list[int] | None) -> bool:
        return resolve_channel(self.place, self.resolved, channel_id, types)


def truth(name: str, raw: Any) -> bool:
    """Return a boolean option's value."""
    match str(raw).lower():
        case "true":
            return True
        case "false":
            return False
    raise ActionError(f"the option {name} takes true or false")


def chosen(option: Json, value: Any, locale: str) -> Any:
    """Return the value of the choice that was meant, by value or by name; any value where there are no choices."""
    choices = option.get("choices")
    if not choices:
        return value
    for choice in choices:
        if value == choice["value"] or is_called(choice, value, locale):
            return choice["value"]
    names = ", ".join(text_for(locale, choice, "name") for choice in choices)
    raise ActionError(f"the option {option['name']} takes one of: {names}")


def resolve_user(place: Place, resolved: Json, user_id: str) -> bool:
    """Add a user, and the member they are here, to the resolved data."""
    user = place.state.users.get(user_id)
    if user is None:
        return False
    resolved.setdefault("users", {})[user_id] = user_json(user)
    guild = place.guild
    if guild and user_id in guild.members:
        member = guild.members[user_id]
        bits = permissions.channel_permissions(guild, member, place.channel)
        resolved.setdefault("members", {})[user_id] = member_facts(member) | {"permissions": str(bits)}
    return True


def resolve_role(place: Place, resolved: Json, role_id: str) -> bool:
    """Add a role of this guild to the resolved data."""
    role = place.guild.roles.get(role_id) if place.guild else None
    if role is None:
        return False
    resolved.setdefault("roles", {})[role_id] = role_json(role)
    return True


def resolve_channel(place: Place, resolved: Json, channel_id: str, types: list[int] | None = None) -> bool:
    """Add a channel of this guild to the resolved data, with what the person may do there."""
    guild = place.guild
    channel = guild.channels.get(channel_id) if guild else None
    if guild is None or channel is None or (types and channel.kind not in types):
        return False
    bits = permissions.channel_permissions(guild, guild.members[place.user.id], channel)
    shown = channel_json(place.state, channel) | {"permissions": str(bits)}
    resolved.setdefault("channels", {})[channel_id] = shown
    return True


def pressed(place: Place, component: Json, values: list[str]) -> Json:
    """Return the data of a pressed button or a used select menu."""
    kind = component["type"]
    data: Json = {"custom_id": component["custom_id"], "component_type": kind, "id": component["id"]}
    if component.get("disabled"):
        raise ActionError("this component is disabled")
    if kind == components.BUTTON:
        return data
    return data | selected(place, component, values)


def selected(place: Place, component: Json, values: list[str]) -> Json:
    """Return values and resolved data of a select menu, in a message or a modal."""
    kind = component["type"]
    resolved: Json = {}
    low, high = component.get("min_values", 1), component.get("max_values", 1)
    if component.get("required") is False and not values:
        low = 0
    if not low <= len(values) <= high:
        raise ActionError(f"this menu takes {low} to {high} values")
    for value in values:
        if not _is_selectable(place, component, value, resolved):
            raise ActionError(f"this menu does not offer {value}")
    return {"values": values} | ({"resolved": resolved} if kind != components.STRING_SELECT else {})


def _is_selectable(place: Place, component: Json, value: str, resolved: Json) -> bool:
    kind = component["type"]
    if kind == components.USER_SELECT:
        return resolve_user(place, resolved, value)
    if kind == components.ROLE_SELECT:
        return resolve_role(place, resolved, value)
    if kind == components.CHANNEL_SELECT:
        return resolve_channel(place, resolved, value, component.get("channel_types"))
    if kind == components.MENTIONABLE_SELECT:
        return resolve_user(place, resolved, value) or resolve_role(place, resolved, value)
    return any(option["value"] == value for option in component.get("options") or [])
