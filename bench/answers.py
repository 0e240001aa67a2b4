"""How soon somebody who types a command gets a first answer while thousands get a role.

The bulk run is as fast as Discord lets one be. The stand-ins' own time is in the result, and is a few milliseconds.
"""

import asyncio
import math
import re
import statistics
from time import perf_counter

import msgspec

from bench.settled import home_server, write_database
from bench.stops import GLOBAL_A_SECOND, PATIENCE_SECONDS
from bench.town import accounts
from bench.watchedtown import WatchedTown
from sandbox.discord import Call

COMMANDS = 200
BETWEEN_SECONDS = 0.1
COMMANDS_BEFORE = 10  # the rule is given after these: to plan everybody is the hardest moment
COMMANDS_BEFORE_WRITES = 100  # the others are typed when everybody is planned
LATEST_SECONDS = 3.0  # what comes later Discord does not take
ANSWER = re.compile(r"/interactions/(?P<id>\d+)/")


class Answers(msgspec.Struct, frozen=True):
    """Milliseconds until the first answers, and beside how many role writes; what was not answered is infinite."""

    median_ms: float
    p99_ms: float
    worst_ms: float
    writes: int


async def measure_answers(bulk: int) -> Answers:
    """Give so many people a role by a rule, and let some of them ask for their membership meanwhile."""
    town = WatchedTown()
    town.lift_limits()
    server = home_server(town, "Gold", town.settle_patrons(bulk, "Gold"), has_role=False)
    answered: dict[str, float] = {}

    def note(call: Call) -> None:
        if found := ANSWER.search(call.path):
            answered.setdefault(found["id"], perf_counter())

    town.sandbox.discord.on_call(note)
    async with town:
        await write_database(town, [server])
        await town.start(PATIENCE_SECONDS)
        await town.idle(PATIENCE_SECONDS)
        town.sandbox.discord.limits.global_a_second = GLOBAL_A_SECOND
        asked: dict[str, float] = {}
        rule: asyncio.Task[None] | None = None
        for number, account in enumerate(accounts(server.patrons[:COMMANDS])):
            if number == COMMANDS_BEFORE:
                rule = asyncio.create_task(town.rule_for("Gold"))
            if number == COMMANDS_BEFORE_WRITES and rule is not None:
                await rule
            began = perf_counter()
            asked[(await town.sandbox.discord.run_command(account, "membership")).id] = began
            await asyncio.sleep(BETWEEN_SECONDS)
        await asyncio.sleep(LATEST_SECONDS)
        waits = sorted(1000 * (answered.get(id_, math.inf) - began) for id_, began in asked.items())
        return Answers(
            median_ms=statistics.median(waits),
            p99_ms=waits[math.ceil(0.99 * len(waits)) - 1],
            worst_ms=waits[-1],
            writes=len(town.writes()),
        )
