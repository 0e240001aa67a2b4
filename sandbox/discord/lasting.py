"""Faults that strike no request but last: a role moved above the bot, the permission to manage roles taken away.

They hold in every server of the bot for as long as they are switched on, and are undone when they are switched off.
"""

from collections.abc import Callable

from sandbox.discord import permissions
from sandbox.discord.changes import Actor, Changes
from sandbox.discord.model import Guild, Role
from sandbox.discord.state import DiscordState
from sandbox.weather import Fault, Weather

ROLE_ABOVE_BOT, PERMISSION_LOST = "role_above_bot", "permission_lost"
LASTING = frozenset({ROLE_ABOVE_BOT, PERMISSION_LOST})
Undo = Callable[[], None]


class LastingFaults:
    """Carries them out when the weather changes, and undoes them."""

    def __init__(self, state: DiscordState, changes: Changes, weather: Weather) -> None:
        self._state = state
        self._changes = changes
        self._weather = weather
        self._done: list[tuple[Fault, list[Undo]]] = []
        weather.on_change(self._look)

    def _look(self) -> None:
        """Bring the servers in line with what is switched on now."""
        wanted = [fault for fault in self._weather.faults if fault.service == "discord" and fault.fault in LASTING]
        for fault, undoings in [entry for entry in self._done if not any(entry[0] is one for one in wanted)]:
            self._done = [entry for entry in self._done if entry[0] is not fault]
            for undo in undoings:
                undo()
        for fault in wanted:
            if not any(fault is known for known, _ in self._done):
                guilds = self._state.bot_guilds()
                strike = self._raise_role if fault.fault == ROLE_ABOVE_BOT else self._lose_permission
                self._done.append((fault, [undo for guild in guilds for undo in strike(guild, fault.route)]))
                fault.struck = len(self._done[-1][1])

    def _raise_role(self, guild: Guild, route: str) -> list[Undo]:
        """Move the role that the fault names, else the highest below the bot, above the bot."""
        own = self._state.bot_role(guild)
        if own is None:
            return []
        below = [role for role in guild.roles.values() if permissions.rank(role) < permissions.rank(own)]
        named = [role for role in below if route in (role.id, role.name)]
        usable = [role for role in below if role.id != guild.id and not role.managed]
        if not named and not usable:
            return []
        role = named[0] if named else max(usable, key=permissions.rank)
        before = role.position
        self._change(guild, role, position=own.position + 1)
        return [lambda: self._change(guild, role, position=before)]

    def _lose_permission(self, guild: Guild, _route: str) -> list[Undo]:
        own = self._state.bot_role(guild)
        if own is None:
            return []
        before = own.permissions
        self._change(guild, own, permissions=before & ~permissions.MANAGE_ROLES)
        return [lambda: self._change(guild, own, permissions=before)]

    def _change(self, guild: Guild, role: Role, **new: int) -> None:
        if guild.roles.get(role.id) is role:
            self._changes.update_role(guild, role, Actor(guild.owner_id), **new)
