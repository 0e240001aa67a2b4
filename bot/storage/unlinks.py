"""Whose links ended lately, in a small file beside a SQLite database: a restore of an older one ends them again.

A line is a moment and the Discord account whose link ended then: what the database beside it says too. Beside these
stand the tokens and hooks that admins ended, by table and number. Each is on the disk before it ends in the database.
So whoever is killed between the two leaves a line about somebody who asked for it, or confirmed another link, and at
worst has to confirm once more after a restore.

The first line says since when the file knows of every end. A line that a power cut tore says nothing: its link had not
ended yet.
"""

import asyncio
import os
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from bot.domain.model import DiscordUserId

ENDING = ".unlinks"
KEPT = timedelta(days=400)  # backups that are older are refused, or restored without
LOOKED_AFTER = timedelta(days=1)
TRIMMED_AFTER = timedelta(days=30)  # later than it could be
_SINCE = re.compile(r"unlinks since (\S+)")
_LINE = re.compile(r"(\S+) ([0-9]{1,19})")
_REVOKED = re.compile(r"(\S+) (api_tokens|hooks) ([0-9]{1,18})")
_TORN = " torn\n"


class Revoked(NamedTuple):
    """What other programs have no more: a row of `api_tokens` or `hooks`."""

    table: str
    number: int


class Unlinks(msgspec.Struct, frozen=True, kw_only=True):
    """Every link that ended since a moment: whose, and when the last one did; and what was revoked since, and when."""

    since: datetime
    ended: dict[DiscordUserId, datetime] = {}
    revoked: dict[Revoked, datetime] = {}


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
            await self._add([_line(at, str(person)) for person in sorted(people)], at)

    async def note_revoked(self, revoked: Revoked, at: datetime) -> None:
        """Write that a token or a hook ends."""
        await self._add([_line(at, *map(str, revoked))], at)

    def read(self) -> Unlinks | None:
        """Return what the file knows; None where it is missing, or cannot be read."""
        try:
            first, *lines = self.path.read_text().splitlines(keepends=True)
            since = datetime.fromisoformat(_SINCE.fullmatch(first.rstrip("\n"))[1])  # type: ignore[index]
        except (OSError, ValueError, TypeError):
            return None
        ended, revoked = dict[DiscordUserId, datetime](), dict[Revoked, datetime]()
        for line in (one.removesuffix("\n") for one in lines if one.endswith("\n")):
            if found := _LINE.fullmatch(line):
                person, at = DiscordUserId(int(found[2])), datetime.fromisoformat(found[1])
                ended[person] = max(at, ended.get(person, at))
            elif found := _REVOKED.fullmatch(line):
                revoked[Revoked(found[2], int(found[3]))] = datetime.fromisoformat(found[1])
        return Unlinks(since=since, ended=ended, revoked=revoked)

    async def _add(self, lines: list[str], at: datetime) -> None:
        async with self._writing:
            await asyncio.to_thread(self._append, "".join(lines), at)

    def _begin(self, now: datetime) -> None:
        known = self.read()
        if known is None:
            self._replace(Unlinks(since=now))
        elif known.since < now - KEPT - TRIMMED_AFTER:
            since = now - KEPT
            ended = {who: at for who, at in known.ended.items() if at >= since}
            revoked = {what: at for what, at in known.revoked.items() if at >= since}
            self._replace(Unlinks(since=since, ended=ended, revoked=revoked))

    def _append(self, text: str, at: datetime) -> None:
        if not self.path.exists():  # somebody deleted it
            self._replace(Unlinks(since=at))
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
        lines = [_line(at, str(person)) for person, at in unlinks.ended.items()]
        lines += [_line(at, *map(str, one)) for one, at in unlinks.revoked.items()]
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


def _line(at: datetime, *words: str) -> str:
    return " ".join((at.isoformat(), *words)) + "\n"
