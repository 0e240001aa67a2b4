"""What an admin may set for a guild: judged and stored. What a setting means is decided elsewhere."""

import contextlib
import enum
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from bot.domain.audit_entry import AuditAction, AuditEntry, SettingChanged
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import BRAKE_OFF, REPLANNED, DiscordUserId, GuildId, GuildSettings, HandEdits, Mode
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler

MOST_GRACE_DAYS = 60


class EditedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings after a change, and the names of those that are new."""

    settings: GuildSettings
    changed: tuple[str, ...]


class SettingsEditor:
    """Changes the settings of guilds."""

    def __init__(self, *, storage: Storage, reconciler: Reconciler, clock: Clock) -> None:
        self._storage = storage
        self._reconciler = reconciler
        self._clock = clock

    async def change(self, guild_id: GuildId, typed: Mapping[str, object], *, by: DiscordUserId) -> EditedSettings:
        """Set what was typed, all of it or nothing, and plan everybody again where that matters. Raises UserMistake."""
        if {"log_channel", "no_log_channel"} <= typed.keys():
            raise UserMistake(Mistake.LOG_CHANNEL_AND_NONE)
        wanted = {_FIELDS.get(name, name): _JUDGES[name](name, value) for name, value in typed.items()}
        before = await self._storage.guilds.settings(guild_id)
        changes = {name: value for name, value in wanted.items() if getattr(before, name) != value}
        if not changes:
            return EditedSettings(settings=before, changed=())
        settings = await self._storage.guilds.change(guild_id, **changes)
        await self._storage.audit.add(*setting_entries(guild_id, before, changes, by=by, at=self._clock.now()))
        if REPLANNED & changes.keys():
            with contextlib.suppress(TryLater):  # the settings stand; the next round plans everybody
                await self._reconciler.consider(guild_id, None, trigger=Trigger.SETTINGS)
        return EditedSettings(settings=settings, changed=tuple(changes))


def setting_entries(
    guild_id: GuildId, before: GuildSettings, changes: Mapping[str, object], *, by: DiscordUserId, at: datetime
) -> Iterator[AuditEntry]:
    """Yield what the audit says of changed settings."""
    for name, after in changes.items():
        reason = SettingChanged(name=name, before=str(getattr(before, name)), after=str(after), by=by)
        yield AuditEntry(at=at, guild_id=guild_id, action=AuditAction.SETTING, reason=reason, trigger=Trigger.SETTINGS)


def _judge_number(low: int, high: int) -> Callable[[str, Any], int]:
    def judge(name: str, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise UserMistake(Mistake.SETTING_NO_NUMBER, option=name, low=low, high=high)

    return judge


def _judge_word(words: type[enum.StrEnum]) -> Callable[[str, Any], str]:
    def judge(name: str, value: Any) -> str:
        if value in set(words):
            return words(value)
        raise UserMistake(Mistake.SETTING_NO_WORD, option=name, known=tuple(map(str, words)))

    return judge


def _judge_switch(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise UserMistake(Mistake.SETTING_NO_SWITCH, option=name)


def _judge_text(_: str, value: Any) -> str:
    return str(value)


def _judge_nothing(name: str, value: Any) -> None:
    if value is not True:
        raise UserMistake(Mistake.SETTING_NO_SWITCH, option=name)


_FIELDS = {"log_channel": "log_channel_id", "no_log_channel": "log_channel_id"}
_JUDGES: dict[str, Callable[[str, Any], object]] = {
    "mode": _judge_word(Mode),
    "grace_days": _judge_number(0, MOST_GRACE_DAYS),
    "brake_percent": _judge_number(1, BRAKE_OFF),
    "hand_edits": _judge_word(HandEdits),
    "zero_link": _judge_switch,
    "decline_dm": _judge_switch,
    "log_channel": _judge_number(1, 2**63 - 1),  # that we can write there is asked for by who sees the channel
    "no_log_channel": _judge_nothing,
    "language": _judge_text,  # that we speak it is asked for by who knows the languages
}
