"""What was taken back lately, in a small file beside a SQLite database: a restore of an older one takes it back again.

A line is a moment and the Discord account whose link ended then, or the number of an API token or of a hook that an
admin removed: what the database beside it says too. It is on the disk before the database changes. So whoever is
killed between the two leaves a line about what somebody asked for, or who confirmed another link, and at worst has to
do it once more after a restore.

The first line says since when the file knows of every end. A line that a power cut tore says nothing: its link had not
ended yet.
"""

import asyncio
import enum
import os
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from bot.domain.model import DiscordUserId

ENDING = ".unlinks"
KEPT = timedelta(days=400)  # backups that are older are refused, or restored without
LOOKED_AFTER = timedelta(days=1)
TRIMMED_AFTER = timedelta(days=30)  # later than it could be
_SINCE = re.compile(r"unlinks since (\S+)")
_LINE = re.compile(r"(\S+) ([0-9]{1,19})")  # a moment and a person, or a door and its number
_TORN = " torn\n"


class Door(enum.StrEnum):
    """What opens a server's facts to a program; its number is never given twice."""

    API_TOKEN = "token"  # noqa: S105  a word
    HOOK = "hook"


class Unlinks(msgspec.Struct, frozen=True, kw_only=True):
    """Every link that ended since a moment: whose, and when the last one did. And every door that was shut."""

    since: datetime
    ended: dict[DiscordUserId, datetime] = {}
    shut: frozenset[tuple[Door, int]] = frozenset()


class UnlinkFile:
    """The file. Its verbs return when what they wrote is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = asyncio.Lock()
        self._looked_at: datetime | None = None

    async def begin(self, now: datetime) -> None:
        """Know of every end from now on, unless that is so already; once a day forget what nobody will ask for."""
        if self._looked_at is None or not timedelta() <= now - self._looked_at < LOOKED_AFTER:
            async with self._writing:
                await asyncio.to_thread(self._begin, now)
            self._looked_at = now

    async def note(self, people: Collection[DiscordUserId], at: datetime) -> None:
        """Write that the links of these people end."""
        if people:
            async with self._writing:
                await asyncio.to_thread(self._note, sorted(people), at)

    async def note_shut(self, door: Door, numbers: Collection[int]) -> None:
        """Write that API tokens or hooks are removed. A file that is missing begins later, so it need not say so."""
        if numbers and self.path.exists():
            async with self._writing:
                await asyncio.to_thread(self._append, [f"{door} {number}\n" for number in sorted(numbers)])

    def read(self) -> Unlinks | None:
        """Return what the file knows; None where it is missing, or cannot be read."""
        try:
            first, *lines = self.path.read_text().splitlines(keepends=True)
            since = datetime.fromisoformat(_SINCE.fullmatch(first.rstrip("\n"))[1])  # type: ignore[index]
        except (OSError, ValueError, TypeError):
            return None
        ended: dict[DiscordUserId, datetime] = {}
        shut = set[tuple[Door, int]]()
        for line in lines:
            found = _LINE.fullmatch(line[:-1]) if line.endswith("\n") else None
            if found is not None and found[1] in set(Door):
                shut.add((Door(found[1]), int(found[2])))
            elif found is not None:
                person, at = DiscordUserId(int(found[2])), datetime.fromisoformat(found[1])
                ended[person] = max(at, ended.get(person, at))
        return Unlinks(since=since, ended=ended, shut=frozenset(shut))

    def _begin(self, now: datetime) -> None:
        known = self.read()
        if known is None:
            self._replace(Unlinks(since=now))
        elif known.since < now - KEPT - TRIMMED_AFTER:
            since = now - KEPT
            ended = {who: at for who, at in known.ended.items() if at >= since}
            self._replace(Unlinks(since=since, ended=ended, shut=known.shut))

    def _note(self, people: list[DiscordUserId], at: datetime) -> None:
        if not self.path.exists():  # somebody deleted it
            self._replace(Unlinks(since=at))
        self._append([f"{at.isoformat()} {person}\n" for person in people])

    def _append(self, lines: list[str]) -> None:
        text = "".join(lines)
        with self.path.open("r+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else _TORN + text
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def _replace(self, unlinks: Unlinks) -> None:
        unfinished = self.path.with_name(self.path.name + ".unfinished")
        unfinished.unlink(missing_ok=True)
        lines = [f"{at.isoformat()} {person}\n" for person, at in unlinks.ended.items()]
        lines += [f"{door} {number}\n" for door, number in sorted(unlinks.shut)]
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines([f"unlinks since {unlinks.since.isoformat()}\n", *lines])
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
