"""What a check found out: values only."""

import enum

import msgspec


class Verdict(enum.StrEnum):
    """How a setting stands."""

    OK = "ok"
    NOTE = "note"  # worth knowing; nothing need be done
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. `cure` says what to do, where something is to be done."""

    setting: str
    verdict: Verdict
    result: str
    cure: str = ""

    @property
    def is_fine(self) -> bool:
        """Tell whether the bot can do its work with it."""
        return self.verdict is not Verdict.WRONG


def ok(setting: str, result: str) -> Finding:
    """Say that a setting works."""
    return Finding(setting=setting, verdict=Verdict.OK, result=result)


def note(setting: str, result: str, cure: str = "") -> Finding:
    """Say something worth knowing."""
    return Finding(setting=setting, verdict=Verdict.NOTE, result=result, cure=cure)


def wrong(setting: str, result: str, cure: str) -> Finding:
    """Say what does not work and what to do."""
    return Finding(setting=setting, verdict=Verdict.WRONG, result=result, cure=cure)
