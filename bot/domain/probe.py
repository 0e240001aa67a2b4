"""What `python run.py health` found where the bot should answer."""

import enum

import msgspec


class Pulse(enum.StrEnum):
    """How a bot is, seen from outside."""

    WELL = "well"
    FAILING = "failing"
    SILENT = "silent"  # nobody answers
    FOREIGN = "foreign"  # whoever answers is no bot of ours


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One question to `/healthz`: whom it was put to, and what came back."""

    pulse: Pulse
    address: str
    parts: tuple[str, ...] = ()  # all of a bot that is well, else those that fail
    notes: tuple[str, ...] = ()
    reason: str = ""  # why nobody answers
