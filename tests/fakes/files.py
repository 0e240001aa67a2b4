"""SQLite files whose tables are made: a copy costs a quarter of what it takes to make them."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from bot.storage.database import Database


def make_file(path: Path) -> str:
    """Make an empty database and return its address."""
    path.write_bytes(_empty())
    return address_of(path)


def address_of(path: Path) -> str:
    """Return the address of a file."""
    return f"sqlite+aiosqlite:///{path}"


@cache
def _empty() -> bytes:
    """Let the bot make one, once in a process; in a thread, for the caller's loop may be running."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        path = Path(folder) / "empty.db"

        async def make() -> None:
            await (await Database.open(address_of(path))).close()

        thread.submit(asyncio.run, make()).result()
        return path.read_bytes()
