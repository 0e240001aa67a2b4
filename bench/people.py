"""What one more linked person costs: memory of the bot that knows them, and room in its database.

For the memory everything is settled before a start, and everybody is looked at and planned in it. The database is what
the bot itself writes when it links people and gives them a role.
"""

from pathlib import Path

import msgspec

from bench.settled import home_server, write_database
from bench.town import Town
from bench.watched import Used
from bench.watchedtown import WatchedTown

PATIENCE_SECONDS = 180.0


class Memory(msgspec.Struct, frozen=True):
    """KiB that the bot has in memory, with few linked people and with many."""

    few_kib: int
    many_kib: int


class Room(msgspec.Struct, frozen=True):
    """Bytes of the database before people came, and when they have their role."""

    before: int
    after: int


async def measure_memory(few: int, many: int) -> Memory:
    """Start the bot with few people, and again with many."""
    found = []
    for linked in (few, many):
        town = WatchedTown()
        town.lift_limits()
        server = home_server(town, "Gold", town.settle_patrons(linked, "Gold"))
        async with town:
            await write_database(town, [server])
            await town.start(PATIENCE_SECONDS)
            await town.until_looked_at(linked, PATIENCE_SECONDS)
            await town.idle(PATIENCE_SECONDS)
            found.append((await town.ask("used", Used)).resident_kib)
    return Memory(*found)


async def measure_room(people: int) -> Room:
    """Let the bot link so many people and give them a role."""
    town = Town()
    town.lift_limits()
    async with town:
        await town.start()
        await town.rule_for("Gold")
        await town.quiet()
        await town.sandbox.bot.stop()
        before, given = _size(town), len(town.writes())
        town.settle_patrons(people, "Gold")
        await town.start()
        await town.written(given + people)
        await town.quiet()
        await town.sandbox.bot.stop()
        return Room(before, _size(town))


def _size(town: Town) -> int:
    return Path(town.database).stat().st_size
