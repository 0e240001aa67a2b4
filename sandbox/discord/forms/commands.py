"""Application commands: what Discord refuses when one is registered, and how one is listed. Pure.

Limits: Discord docs, "Application Commands" (names, lengths, 25 options and choices, 8,000 characters in all, depth).
A localization is held to the same limits as the text that it stands for.
"""

import re
from collections.abc import Callable
from typing import Any

from sandbox.discord.errors import Problems
from sandbox.discord.locales import LOCALES
from sandbox.discord.model import Json

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
MOST_OF_A_TYPE = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
MOST_OPTIONS = MOST_CHOICES = 25
MOST_CHARACTERS = 8_000
MOST_NAME, MOST_TEXT = 32, 100
WITH_CHOICES = frozenset({STRING, INTEGER, NUMBER})

TextCheck = Callable[[Problems, str, Any], None]

# Any letters or digits, lower case where there is one (docs, "Application Command Naming").
SLASH_NAME = re.compile(r"^[-_'\w]{1,32}$")


def check_all(commands: Any) -> None:
    """Refuse a list of commands as the bulk overwrite does: the index is the first part of each path."""
    problems = Problems()
    if not isinstance(commands, list):
        problems.bad_type("", "list")
        problems.refuse_if_any()
    for kind, most in MOST_OF_A_TYPE.items():
        if sum(type_of(command) == kind for command in commands) > most:
            problems.add("", "APPLICATION_COMMANDS_MAX", f"Maximum number of application commands reached ({most})")
    seen = set()
    for index, command in enumerate(commands):
        check(problems, str(index), command)
        key = (type_of(command), command.get("name")) if isinstance(command, dict) else None
        if key in seen:
            problems.add(str(index), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        seen.add(key)
    problems.refuse_if_any()


def type_of(command: Any) -> int:
    kind = command.get("type") if isinstance(command, dict) else None
    return kind if isinstance(kind, int) else CHAT_INPUT


def check(problems: Problems, path: str, command: Any) -> None:
    """Note what is wrong with one command."""
    dot = f"{path}." if path else ""
    if not isinstance(command, dict):
        problems.bad_type(path, "object")
        return
    if type_of(command) != CHAT_INPUT:
        _check_texts(problems, f"{dot}name", command, "name", _up_to(MOST_NAME))
        return
    _check_texts(problems, f"{dot}name", command, "name", _check_name)
    _check_texts(problems, f"{dot}description", command, "description", _up_to(MOST_TEXT))
    _check_permissions(problems, f"{dot}default_member_permissions", command.get("default_member_permissions"))
    _check_options(problems, f"{dot}options", command.get("options") or [], depth=0)
    if characters(command) > MOST_CHARACTERS:
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _check_texts(problems: Problems, path: str, part: Json, key: str, check: TextCheck) -> None:
    """Note what is wrong with a text and with its localizations."""
    check(problems, path, part.get(key))
    localizations = part.get(f"{key}_localizations")
    if localizations is None:
        return
    path += "_localizations"
    if not isinstance(localizations, dict):
        problems.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    for locale, text in localizations.items():
        if locale in LOCALES:
            check(problems, f"{path}.{locale}", text)
        else:
            problems.add(f"{path}.{locale}", "BASE_TYPE_CHOICES", f"Value must be one of {tuple(LOCALES)}.")


def _up_to(most: int) -> TextCheck:
    """Return the check of a text of 1 to `most` characters."""
    return lambda problems, path, text: problems.text(path, text, low=1, high=most)


def _check_name(problems: Problems, path: str, name: Any) -> None:
    problems.text(path, name, low=1, high=MOST_NAME)
    if isinstance(name, str) and 0 < len(name) <= MOST_NAME and (not SLASH_NAME.match(name) or name != name.lower()):
        message = "String value did not match validation regex."
        problems.add(path, "STRING_TYPE_REGEX", message)
        problems.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_permissions(problems: Problems, path: str, bits: Any) -> None:
    if bits is not None and not (isinstance(bits, (int, str)) and str(bits).isdecimal()):
        problems.add(path, "BITFIELD_TYPE_COERCE", f'Value "{bits}" is not a bitfield.')


def _check_options(problems: Problems, path: str, options: Any, *, depth: int) -> None:
    if not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
        problems.bad_type(path, "list")
        return
    if len(options) > MOST_OPTIONS:
        problems.add(path, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    if len({option.get("name") for option in options}) != len(options):
        problems.add(path, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option name duplicates another")
    nested = [option.get("type") in (SUBCOMMAND, GROUP) for option in options]
    if any(nested) and not all(nested):
        problems.add(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands and values cannot be mixed")
    optional_seen = False
    for index, option in enumerate(options):
        _check_option(problems, f"{path}.{index}", option, depth)
        if option.get("required") and optional_seen:
            problems.add(
                f"{path}.{index}",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")


def _check_option(problems: Problems, path: str, option: Json, depth: int) -> None:
    kind = option.get("type")
    _check_texts(problems, f"{path}.name", option, "name", _check_name)
    _check_texts(problems, f"{path}.description", option, "description", _up_to(MOST_TEXT))
    too_deep = (kind == GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1)
    if kind not in range(1, 12) or too_deep:
        problems.add(f"{path}.type", "UNION_TYPE_CHOICES", 'Value of field "type" cannot stand here.')
    elif kind in (SUBCOMMAND, GROUP):
        _check_options(problems, f"{path}.options", option.get("options") or [], depth=depth + 1)
    if option.get("choices"):
        _check_choices(problems, path, option)


def _check_choices(problems: Problems, path: str, option: Json) -> None:
    choices = option["choices"]
    if option.get("autocomplete"):
        message = "Cannot have autocomplete and choices"
        problems.add(path, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES", message)
    if option.get("type") not in WITH_CHOICES or len(choices) > MOST_CHOICES:
        problems.add(f"{path}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        check_choice(problems, f"{path}.choices.{index}", choice, is_text=option.get("type") == STRING)


def check_choice(problems: Problems, path: str, choice: Json, *, is_text: bool) -> None:
    """Note what is wrong with a choice, of an option or of its autocomplete."""
    _check_texts(problems, f"{path}.name", choice, "name", _up_to(MOST_TEXT))
    if is_text:
        problems.text(f"{path}.value", choice.get("value"), low=1, high=MOST_TEXT)


def characters(part: Json) -> int:
    """Return how many characters count towards the 8,000: of each text and its localizations, the longest."""
    size = _longest(part, "name") + _longest(part, "description")
    size += sum(len(str(choice.get("value", ""))) + _longest(choice, "name") for choice in part.get("choices") or [])
    return size + sum(characters(option) for option in part.get("options") or [])


def _longest(part: Json, key: str) -> int:
    localizations = part.get(f"{key}_localizations")
    texts = [part.get(key), *(localizations.values() if isinstance(localizations, dict) else ())]
    return max(len(text) if isinstance(text, str) else 0 for text in texts)


def listed(body: Json, *, command_id: str, version: str, application_id: str, guild_id: str | None) -> Json:
    """Return a registered command as Discord lists it, defaults filled in."""
    bits = body.get("default_member_permissions")
    shown: Json = {
        "id": command_id,
        "application_id": application_id,
        "version": version,
        "type": type_of(body),
        "name": body["name"],
        "name_localizations": body.get("name_localizations"),
        "description": body.get("description") or "",
        "description_localizations": body.get("description_localizations"),
        "default_member_permissions": None if bits is None else str(int(bits)),
        "nsfw": bool(body.get("nsfw")),
        "options": [_listed_option(option) for option in body.get("options") or []],
    }
    if guild_id:
        return shown | {"guild_id": guild_id}
    contexts = body.get("contexts")
    in_dm = body.get("dm_permission") is not False if contexts is None else 1 in contexts
    types = body.get("integration_types") or [0]
    return shown | {"contexts": contexts, "integration_types": types, "dm_permission": in_dm}


def _listed_option(option: Json) -> Json:
    shown = {key: value for key, value in option.items() if value not in (None, False)}
    if "options" in option:
        shown["options"] = [_listed_option(inner) for inner in option["options"] or []]
    if "choices" in shown:
        shown["choices"] = [dict(choice) for choice in shown["choices"]]
    return shown


def in_one_language(part: Json, locale: str) -> Json:
    """Return a command as Discord lists it unless asked for all languages: with `name_localized` alone, and so on."""
    shown = {key: value for key, value in part.items() if not key.endswith("_localizations")}
    for key in ("name", "description"):
        localizations = part.get(f"{key}_localizations") or {}
        if locale in localizations:
            shown[f"{key}_localized"] = localizations[locale]
    return shown | {
        key: [in_one_language(inner, locale) for inner in part[key]] for key in ("options", "choices") if key in part
    }
