"""What an admin may set for a guild: judged, stored, and said in words. What a setting means is decided elsewhere."""

import contextlib
import enum
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from bot.domain.audit import AuditAction, AuditEntry, SettingChanged
from bot.domain.changes import Trigger
from bot.domain.errors import TryLater, UserMistake
from bot.domain.model import DiscordUserId, GuildId, GuildSettings, HandEdits, Mode
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler

MOST_GRACE_DAYS = 60
BRAKE_OFF = 100  # percent: no share of the roles is more than all
LANGUAGES = {"en": "English"}
REPLANNED = frozenset({"mode", "grace_days", "hand_edits", "zero_link"})  # a change of these changes plans

MODES = {
    Mode.SYNC: "roles are given and taken",
    Mode.GRANT_ONLY: "roles are given, and none is taken",
    Mode.OFF: "no role is changed",
}
HANDS = {
    HandEdits.RESPECT: "a role that somebody took away by hand stays away",
    HandEdits.ENFORCE: "a role that somebody took away by hand is given again",
}


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """The settings after a change, and the names of those that are new."""

    settings: GuildSettings
    changed: tuple[str, ...]


class Tuning:
    """Changes the settings of guilds."""

    def __init__(self, *, storage: Storage, reconciler: Reconciler, clock: Clock) -> None:
        self._storage = storage
        self._reconciler = reconciler
        self._clock = clock

    async def change(self, guild_id: GuildId, typed: Mapping[str, object], *, by: DiscordUserId) -> Tuned:
        """Set what was typed, all of it or nothing, and plan everybody again where that matters. Raises UserMistake."""
        if {"log_channel", "no_log_channel"} <= typed.keys():
            raise UserMistake("`log_channel:` and `no_log_channel:` exclude each other; nothing was changed")
        wanted = {_FIELDS.get(name, name): _JUDGES[name](name, value) for name, value in typed.items()}
        before = await self._storage.guilds.settings(guild_id)
        changes = {name: value for name, value in wanted.items() if getattr(before, name) != value}
        if not changes:
            return Tuned(settings=before, changed=())
        settings = await self._storage.guilds.change(guild_id, **changes)
        await self._storage.audit.add(
            *(self._entry(guild_id, name, getattr(before, name), value, by) for name, value in changes.items())
        )
        if REPLANNED & changes.keys():
            with contextlib.suppress(TryLater):  # the settings stand; the next round plans everybody
                await self._reconciler.consider(guild_id, None, trigger=Trigger.SETTINGS)
        return Tuned(settings=settings, changed=tuple(changes))

    def _entry(self, guild_id: GuildId, name: str, before: object, after: object, by: DiscordUserId) -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(),
            guild_id=guild_id,
            action=AuditAction.SETTING,
            reason=SettingChanged(name=name, before=str(before), after=str(after), by=by),
            trigger=Trigger.SETTINGS,
        )


def say_settings(settings: GuildSettings) -> str:
    """Show every setting by the name of its option, with its meaning."""
    percent = settings.brake_percent
    brake = "off" if percent == BRAKE_OFF else f"{percent}: more than that share of my roles within a day waits for you"
    channel = f"<#{settings.log_channel_id}>" if settings.log_channel_id is not None else "none"
    zero_link = "on: Patreon's own report of a Discord account links it" if settings.zero_link else "off"
    decline_dm = "on: a patron whose payment is declined is told by DM" if settings.decline_dm else "off"
    lines = {
        "mode": f"{settings.mode}: {MODES[settings.mode]}",
        "grace_days": f"{settings.grace_days}: for so long a declined payment takes no role",
        "brake_percent": brake,
        "hand_edits": f"{settings.hand_edits}: {HANDS[settings.hand_edits]}",
        "zero_link": zero_link,
        "decline_dm": decline_dm,
        "log_channel": channel,
        "language": LANGUAGES.get(settings.language, settings.language),
    }
    return "\n".join(f"`{name}` {text}" for name, text in lines.items())


def _judge_number(low: int, high: int) -> Callable[[str, Any], int]:
    def judge(name: str, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise UserMistake(f"`{name}:` must be a whole number from {low} to {high}, not {value}; nothing was changed")

    return judge


def _judge_word(words: type[enum.StrEnum] | type[str], known: tuple[str, ...]) -> Callable[[str, Any], str]:
    def judge(name: str, value: Any) -> str:
        if value in known:
            return words(value)
        raise UserMistake(f"`{name}:` must be one of {', '.join(known)}, not {value}; nothing was changed")

    return judge


def _judge_switch(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise UserMistake(f"`{name}:` must be True or False, not {value}; nothing was changed")


def _judge_nothing(name: str, value: Any) -> None:
    if value is not True:
        raise UserMistake(f"`{name}:` must be True, not {value}; nothing was changed")


_FIELDS = {"log_channel": "log_channel_id", "no_log_channel": "log_channel_id"}
_JUDGES: dict[str, Callable[[str, Any], object]] = {
    "mode": _judge_word(Mode, tuple(Mode)),
    "grace_days": _judge_number(0, MOST_GRACE_DAYS),
    "brake_percent": _judge_number(1, BRAKE_OFF),
    "hand_edits": _judge_word(HandEdits, tuple(HandEdits)),
    "zero_link": _judge_switch,
    "decline_dm": _judge_switch,
    "log_channel": _judge_number(1, 2**63 - 1),  # that we can write there is asked for by who sees the channel
    "no_log_channel": _judge_nothing,
    "language": _judge_word(str, tuple(LANGUAGES)),
}
