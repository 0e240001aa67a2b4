"""A real database, and a clock that stands still until it is moved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.model import GuildId, HoldId
from bot.storage import Storage
from bot.vault import Vault, new_key
from tests.fakes.world import NEW_YEAR


class StoppedClock:
    """Shows the time that it was set to."""

    def __init__(self) -> None:
        self.time = NEW_YEAR

    def now(self) -> datetime:
        return self.time

    def move(self, **step: float) -> None:
        self.time += timedelta(**step)


@dataclass
class HeardHerald:
    """Keeps what admins would be told."""

    troubles: list[str] = field(default_factory=list)
    holds: list[HoldId] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def tell_admin(
        self, guild_id: GuildId, key: str, text: str, *, hold_id: HoldId | None = None, is_again: bool = False
    ) -> None:
        self.troubles.append(text)
        if hold_id is not None:
            self.holds.append(hold_id)

    async def over(self, guild_id: GuildId, key: str, text: str) -> None:
        self.ended.append(text)

    async def tell_changes(self, guild_id: GuildId, lines: list[str]) -> None:
        self.changes += lines


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def herald() -> HeardHerald:
    return HeardHerald()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}", Vault((new_key(),)))
    yield opened
    await opened.close()
