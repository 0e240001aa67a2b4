"""The ratios as a table: what was measured, what it may be at most, and whether it is."""

import math
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic

import msgspec
from rich.console import Console
from rich.table import Table

WIDTH = 150  # where no terminal says its own
PATIENCE = 120.0  # seconds, by which a measurement that came to no end is told


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One promise. `seen` and `limit` are in `unit`; `detail` is where the number comes from.

    Without a limit it is no promise, and told beside those that are.
    """

    promise: str
    seen: float
    limit: float | None = None
    unit: str = ""
    detail: str = ""
    is_exact: bool = False  # less is as wrong as more

    @property
    def is_kept(self) -> bool:
        """Tell whether the promise is kept."""
        if self.limit is None:
            return True
        return self.seen == self.limit if self.is_exact else self.seen <= self.limit


def show(rows: Sequence[Row], *, seconds: float, load: float) -> None:
    """Print the table, and how busy the machine was."""
    table = Table("promise", "seen", "limit", "", "how", title=f"{seconds:.0f} s, load {load:.1f}")
    for row in rows:
        sign = "=" if row.is_exact else "≤"
        limit = "" if row.limit is None else f"{sign} {_number(row.limit, row.unit)}"
        word = "[green]pass[/]" if row.is_kept else "[bold red]MISS[/]"
        table.add_row(row.promise, _number(row.seen, row.unit), limit, word if limit else "", row.detail)
    console = Console()
    Console(width=console.width if console.is_terminal else WIDTH).print(table)


def _number(value: float, unit: str) -> str:
    if math.isinf(value):  # it was not waited for
        return "too long"
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{text} {unit}".strip()


Measurements = Mapping[str, Callable[[], Awaitable[list[Row]]]]


async def measure(names: Sequence[str], measurements: Measurements) -> int:
    """Take these measurements one after another and show them; return the exit code."""
    began = monotonic()
    rows: list[Row] = []
    for name in names:
        sys.stderr.write(f"{name} …\n")
        try:
            rows += await measurements[name]()
        except (AssertionError, RuntimeError, TimeoutError) as error:  # the other results are still worth their minutes
            sys.stderr.write(f"{error}\n")
            why = (str(error) or type(error).__name__).splitlines()[0]
            rows.append(Row(promise=f"{name} could be measured", seen=math.inf, limit=PATIENCE, unit="s", detail=why))
    show(rows, seconds=monotonic() - began, load=os.getloadavg()[0])
    return 0 if all(row.is_kept for row in rows) else 1


def chosen(arguments: Sequence[str], measurements: Measurements) -> list[str]:
    """Return which measurements a command line asks for: all where it names none. Exits where there is no such one."""
    if unknown := set(arguments) - measurements.keys():
        sys.exit(f"there is no measurement {', '.join(sorted(unknown))}; there are {', '.join(measurements)}")
    return list(arguments or measurements)
