"""The steps that bring a database to another version, and which of them to run when other versions may be at work.

The steps are one line, so a *before* that stands behind an *after* waits for it.
"""

import enum
from collections.abc import Sequence
from itertools import takewhile
from typing import assert_never

import msgspec

from bot.domain.errors import NeedsOwner, Setup


class Stage(enum.StrEnum):
    """Who can live with a step."""

    BEFORE = "before"  # the version that is still running: run before it is replaced
    AFTER = "after"  # only a version that knows it: run after all others have ended


class Extent(enum.StrEnum):
    """Which of the missing steps to run."""

    ALL = "all"
    START = "start"  # what this version can't do without, and what an older one can live with
    BEFORE = "before"
    AFTER = "after"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the line; a higher number comes later."""

    number: str
    name: str
    stage: Stage


class Upgrade(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and what is left to do."""

    is_new: bool = False  # all tables were made at once
    done: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()


def choose_steps(missing: Sequence[Step], extent: Extent, *, oldest_usable: str) -> tuple[Step, ...]:
    """Choose the first of the missing steps, as many as asked for.

    NeedsOwner where those after are asked for, and those before were never run: then nobody runs this version yet.
    """
    match extent:
        case Extent.ALL:
            return tuple(missing)
        case Extent.START:
            needed = tuple(step for step in missing if step.number <= oldest_usable)
            return needed + _bearable(missing[len(needed) :])
        case Extent.BEFORE:
            return _bearable(missing)
        case Extent.AFTER:
            if _bearable(missing):
                raise NeedsOwner(Setup.STEPS_LEFT_OUT)
            return tuple(missing)
        case _:
            assert_never(extent)


def _bearable(missing: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(takewhile(lambda step: step.stage is Stage.BEFORE, missing))
