"""An interval without changes in one process on SQLite, with a hundred servers and with a thousand."""

import tempfile
from pathlib import Path

from bench.scale.inside import Growth, Measured, measure_inside

INTERVALS = 3  # of each size; the cheapest counts


async def measure_interval(few: int, many: int, people: int) -> Growth:
    """Measure both sizes, each with so many linked people in each server: the few before the many, and after them."""
    before, grown = await _measure(few, people), await _measure(many, people)
    return Growth(before, grown, few_again=await _measure(few, people))


async def _measure(servers: int, people: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="pledgekeeper-bench-") as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        return await measure_inside(url, servers=servers, people=people, intervals=INTERVALS)
