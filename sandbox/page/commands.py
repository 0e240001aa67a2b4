"""Registered slash commands as a person picks them: one path for each that can be run. Pure.

Option types: Discord docs, "Application Commands", Application Command Option Type.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.discord.forms.commands import CHAT_INPUT, GROUP, SUBCOMMAND


@dataclass(frozen=True, kw_only=True)
class Runnable:
    """A command that can be run: `path` is what follows the slash, e.g. "patreon rule add"."""

    path: str
    description: str
    options: tuple[dict[str, Any], ...]


def runnables(commands: list[dict[str, Any]]) -> list[Runnable]:
    """Return every command that can be run, by path, from what the bot registered."""
    found: list[Runnable] = []
    for command in commands:
        if command.get("type", CHAT_INPUT) == CHAT_INPUT:
            _walk(command, command["name"], found)
    return sorted(found, key=lambda runnable: runnable.path)


def _walk(node: dict[str, Any], path: str, found: list[Runnable]) -> None:
    options = node.get("options") or []
    branches = [option for option in options if option["type"] in (SUBCOMMAND, GROUP)]
    for branch in branches:
        _walk(branch, f"{path} {branch['name']}", found)
    if not branches:
        found.append(Runnable(path=path, description=node.get("description", ""), options=tuple(options)))


def find_runnable(commands: list[dict[str, Any]], path: str) -> Runnable | None:
    """Return the command of this path, if the bot has registered it."""
    return next((runnable for runnable in runnables(commands) if runnable.path == path), None)
