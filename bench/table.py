"""The ratios as a table: what was measured, what it may be at most, and whether it is."""

import math
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

WIDTH = 150  # where no terminal says its own


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One promise. `seen` and `limit` are in `unit`; `detail` is where the number comes from."""

    promise: str
    seen: float
    limit: float
    unit: str = ""
    detail: str = ""
    is_exact: bool = False  # less is as wrong as more

    @property
    def is_kept(self) -> bool:
        """Tell whether the promise is kept."""
        return self.seen == self.limit if self.is_exact else self.seen <= self.limit


def show(rows: Sequence[Row], *, seconds: float, load: float) -> None:
    """Print the table, and how busy the machine was."""
    table = Table("promise", "seen", "limit", "", "how", title=f"{seconds:.0f} s, load {load:.1f}")
    for row in rows:
        sign = "=" if row.is_exact else "≤"
        word = "[green]pass[/]" if row.is_kept else "[bold red]MISS[/]"
        table.add_row(
            row.promise, _number(row.seen, row.unit), f"{sign} {_number(row.limit, row.unit)}", word, row.detail
        )
    console = Console()
    Console(width=console.width if console.is_terminal else WIDTH).print(table)


def _number(value: float, unit: str) -> str:
    if math.isinf(value):  # it was not waited for
        return "too long"
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{text} {unit}".strip()
