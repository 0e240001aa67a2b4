"""Registered slash commands as a person picks them: one path for each that can be run. Pure.

Option types: Discord docs, "Application Commands", Application Command Option Type.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.discord.forms.commands import CHAT_INPUT, GROUP, SUBCOMMAND
from sandbox.discord.locales import text_for
from sandbox.discord.model import DEFAULT_LOCALE, Json


@dataclass(frozen=True, kw_only=True)
class Runnable:
    """A command that can be run: `path` is what follows the slash, e.g. "patreon rule add"; `title` as it is read.

    Options keep their own `name` and have the one that is read as `label`; all else is in the reader's language.
    """

    path: str
    title: str
    description: str
    options: tuple[Json, ...]


def runnables(commands: list[Json], locale: str = DEFAULT_LOCALE) -> list[Runnable]:
    """Return every command that can be run, by path, from what the bot registered, for a reader of `locale`."""
    found = [
        runnable
        for command in commands
        if command.get("type", CHAT_INPUT) == CHAT_INPUT
        for runnable in _below(command, locale, [])
    ]
    return sorted(found, key=lambda runnable: runnable.path)


def _below(node: Json, locale: str, above: list[Json]) -> Iterator[Runnable]:
    """Yield what can be run at `node` or below it."""
    way = [*above, node]
    options = node.get("options") or []
    branches = [option for option in options if option["type"] in (SUBCOMMAND, GROUP)]
    for branch in branches:
        yield from _below(branch, locale, way)
    if not branches:
        yield Runnable(
            path=" ".join(part["name"] for part in way),
            title=" ".join(text_for(locale, part, "name") for part in way),
            description=text_for(locale, node, "description"),
            options=tuple(_read_in(locale, option) for option in options),
        )


def _read_in(locale: str, option: Json) -> Json:
    label, description = text_for(locale, option, "name"), text_for(locale, option, "description")
    choices = shown_choices(option.get("choices") or [], locale)
    return option | {"label": label, "description": description, "choices": choices}


def shown_choices(choices: list[Json], locale: str) -> list[Json]:
    """Return choices, of an option or of its autocomplete, by the names that a reader of `locale` sees."""
    return [{"name": text_for(locale, choice, "name"), "value": choice["value"]} for choice in choices]


def find_runnable(commands: list[Json], path: str) -> Runnable | None:
    """Return the command of this path, if the bot has registered it."""
    return next((runnable for runnable in runnables(commands) if runnable.path == path), None)
