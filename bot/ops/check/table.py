"""Prints findings as a table that fits 80 columns, on a terminal and in a file alike."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.domain.findings import Finding, Level
from bot.texts.catalogs import ENGLISH
from bot.texts.check import say_finding, say_sum
from bot.texts.renderer import Medium, Renderer

LONGEST_NAME = len("PATREON_CREATOR_REFRESH_TOKEN")
STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.WRONG: "bold red"}


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print one row for each finding, then the sum in a sentence."""
    renderer = Renderer(ENGLISH, Medium.PLAIN)
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("setting", width=LONGEST_NAME, overflow="fold")  # a longer one is broken, never cut off
    table.add_column("result", ratio=1, overflow="fold")
    for finding in findings:
        row = say_finding(renderer, finding)
        # As Text: the names of servers and roles are anybody's, and must not act as markup.
        result = Text.assemble((finding.level, STYLES[finding.level]), f": {row.result}")
        if row.to_do:
            result.append(f"\nTo do: {row.to_do}")
        table.add_row(Text(row.about), result)
    console.print(table)
    console.print(Text(say_sum(renderer, findings)))
