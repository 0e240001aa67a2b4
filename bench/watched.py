"""The bot in a process that also answers the bench: what it has used, how long its loop stood still, a round on demand.

`python -m bench.watched` stands in for `python run.py`, with one setting more: BENCH_SOCKET, a path. There it takes one
word a line and answers in one line. All else of it is the bot as it is.
"""

import argparse
import asyncio
import gc
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

import msgspec
from sqlalchemy import Engine, event

import bot.process
from bench.process import memory_kib
from bot.app import App, build_app
from bot.domain.changes import Trigger
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.runtime.logs import configure_logging
from bot.settings import load_settings
from cogs import add_cogs

BEAT_SECONDS = 0.01
LOOKED_INTO_SECONDS = 0.03  # a stop that lasts longer is looked into, again and again
OURS = ("bot/", "cogs/")


class Stop(msgspec.Struct, frozen=True):
    """How long the event loop did nothing else, and what it did meanwhile."""

    seconds: float = 0.0
    held_by: str = ""


class Used(msgspec.Struct, frozen=True):
    """What this process has used so far, or what a round used."""

    cpu_seconds: float
    resident_kib: int
    statements: int = 0


class Watchdog:
    """Knows the longest stop of the loop that it was made in.

    The time for which the main thread could have run and other processes had the cores is not the loop's.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = threading.get_ident()
        self._waits = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        self._waited = self._waited_seconds()
        self._due = 0.0
        self._seen: Counter[str] = Counter()  # where the loop was, by samples of the stop under way
        self._collecting = 0.0
        self._collected = 0.0  # seconds of the stop under way that the cyclic collector took
        self._longest = Stop()
        self._is_closed = False
        gc.callbacks.append(self._note_collection)
        self._beat_later()
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._is_closed = True
        gc.callbacks.remove(self._note_collection)
        os.close(self._waits)

    def take(self) -> Stop:
        """Return the longest stop since the last time that somebody asked."""
        longest, self._longest = self._longest, Stop()
        return longest

    def _beat_later(self) -> None:
        self._due = self._loop.time() + BEAT_SECONDS
        self._loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        if self._is_closed:
            return
        late, waited = self._loop.time() - self._due, self._waited_seconds()
        seconds = late - (waited - self._waited)
        if seconds > self._longest.seconds:
            self._longest = Stop(seconds, self._held_by(seconds))
        self._waited, self._collected = waited, 0.0
        self._seen.clear()
        self._beat_later()

    def _held_by(self, seconds: float) -> str:
        if self._collected > seconds / 2:
            return "the cyclic collector"
        return self._seen.most_common(1)[0][0] if self._seen else ""

    def _look(self) -> None:
        while not self._is_closed:
            time.sleep(BEAT_SECONDS)
            if self._loop.time() - self._due > LOOKED_INTO_SECONDS:
                self._seen[_place(sys._current_frames().get(self._main))] += 1  # noqa: SLF001  there is no other way

    def _note_collection(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.perf_counter()
        else:
            self._collected += time.perf_counter() - self._collecting

    def _waited_seconds(self) -> float:
        return int(os.pread(self._waits, 64, 0).split()[1]) / 1e9


def _place(frame: FrameType | None) -> str:
    """Say where in our own code the innermost frame is, and in which library that code is."""
    inner = frame
    while frame is not None:
        file = frame.f_code.co_filename.removeprefix(f"{Path.cwd()}/")
        if file.startswith(OURS):
            return f"{file}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back
    return "" if inner is None else f"{Path(inner.f_code.co_filename).name}:{inner.f_lineno} {inner.f_code.co_name}"


class Desk:
    """Answers the bench."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._watchdog = Watchdog()
        self._counted = 0
        event.listen(Engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self._counted += 1

    async def serve(self, path: str) -> None:
        """Answer at a socket until the process ends."""
        await asyncio.start_unix_server(self._take, path)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await self._answer(line.decode().strip())
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, word: str) -> object:
        match word:
            case "used":
                return self._used()
            case "stop":
                return self._watchdog.take()
            case "looked_at":
                return sum(len(self._app.observer.known(guild_id)) for guild_id in self._app.observer.guild_ids())
            case "round":
                return await self._round()
            case "slice":
                return await self._measured(self._slice())
            case "read":
                return await self._measured(self._read())
            case _:
                raise LookupError(word)

    async def _round(self) -> Used:
        """Run a round as the loop of rounds does, and wait for all that it began."""

        async def run() -> None:
            await self._app.resync.go_on(trigger=Trigger.INTERVAL)
            await self._app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
            await self._app.reconciler.look_again(self._app.observer.guild_ids())

        return await self._measured(run())

    async def _slice(self) -> None:
        """Do what a gateway does each interval."""
        await self._app.resync.go_on(trigger=Trigger.INTERVAL)
        await self._app.reconciler.look_again(self._app.observer.guild_ids())

    async def _read(self) -> None:
        """Do what a worker does each interval, beside others."""
        interval = timedelta(seconds=self._app.settings.sync_interval_seconds)
        await self._app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False, interval=interval)

    async def _measured(self, work: Coroutine[Any, Any, None]) -> Used:
        before = self._used()
        await work
        after = self._used()
        return Used(after.cpu_seconds - before.cpu_seconds, after.resident_kib, after.statements - before.statements)

    def _used(self) -> Used:
        return Used(time.process_time(), memory_kib("VmRSS"), self._counted)


async def _build_watched(**parts: Any) -> App:
    app = await build_app(**parts)
    await Desk(app).serve(os.environ["BENCH_SOCKET"])
    return app


def main() -> int:
    """Run the bot until it is told to stop, with the roles that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", action="append", default=[], type=ProcessRole)
    roles = frozenset(parser.parse_args().role) or ALL_ROLES
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    with patch.object(bot.process, "build_app", _build_watched):
        return bot.process.run(settings, add_cogs=add_cogs, roles=roles)


if __name__ == "__main__":
    sys.exit(main())
